"""The providers by the name that settings give them."""

from domain.providers import Provider, fastspring, stripe, wallee

PROVIDERS: dict[str, Provider] = {
    "stripe": stripe.PROVIDER,
    "fastspring": fastspring.PROVIDER,
    "wallee": wallee.PROVIDER,
}
