"""What Stripe's payloads leave out and its API can say."""

from collections.abc import Sequence

from domain.events import Stream
from domain.readback import Want
from domain.subscription import Subscription


def wants(stream: Stream, subscription: Subscription) -> Sequence[Want]:  # noqa: ARG001
    """What is missing in that stream."""
    if subscription.lines_from:
        return [
            Want(about=subscription.lines_from, why="what was bought (its lines with their prices)", essential=True)
        ]
    return []
