"""The receiving halves of the providers, by the name that settings give them."""

from service.sources import Receiving, stripe

RECEIVING: dict[str, Receiving] = {
    "stripe": stripe.RECEIVING,
}
