"""The license servers, by the name that settings give them."""

from service.targets import Serving, licensespring, netlicensing

SERVING: dict[str, Serving] = {
    "licensespring": licensespring.SERVING,
    "netlicensing": netlicensing.SERVING,
}
