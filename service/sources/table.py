"""What providers need of the service, by the name that settings give them."""

from service.sources import (
    Generating,
    Receiving,
    fastspring,
    fastspring_api,
    fastspring_generator,
    stripe,
    stripe_api,
    wallee,
    wallee_api,
)
from service.sources.reading import Reading

RECEIVING: dict[str, Receiving] = {
    "stripe": stripe.RECEIVING,
    "fastspring": fastspring.RECEIVING,
    "wallee": wallee.RECEIVING,
}

GENERATORS: dict[str, Generating] = {
    "fastspring": fastspring_generator.GENERATING,
}
"""Providers that ask for license keys at the checkout; the others have none."""

READING: dict[str, Reading] = {
    "stripe": stripe_api.READING,
    "fastspring": fastspring_api.READING,
    "wallee": wallee_api.READING,
}
"""The APIs that can be asked for what deliveries leave out."""
