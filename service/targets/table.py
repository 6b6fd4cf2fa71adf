"""The license servers, by the name that settings give them."""

from service.targets import Serving, licensespring

SERVING: dict[str, Serving] = {
    "licensespring": licensespring.SERVING,
}
