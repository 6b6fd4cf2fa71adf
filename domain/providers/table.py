"""The providers by the name that settings give them."""

from domain.providers import Provider, stripe

PROVIDERS: dict[str, Provider] = {
    "stripe": stripe.PROVIDER,
}
