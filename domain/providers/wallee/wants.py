"""What wallee's webhooks leave out: everything but the entity's number.

A question bears the name of all announcements that the stream has seen, so whatever is announced later, or heard of
later, is another question; and an answer was asked after all that its question names. See
`domain/decisions/0006-wallee-is-read-whole.md`.
"""

from collections.abc import Sequence

from domain.events import Stream, identifier_of, kind_of
from domain.readback import Want
from domain.subscription import Subscription

SUBSCRIPTION, TRANSACTION = "subscription", "transaction"

PATHS: dict[str, str] = {
    SUBSCRIPTION: "subscriptions/{}",
    TRANSACTION: "payment/transactions/{}",
    "refund": "payment/refunds/{}",
    "charge": "subscriptions/charges/{}",
    "version": "subscriptions/versions/{}",
    "suspension": "subscriptions/suspensions/{}",
    "period-bill": "subscriptions/period-bills/{}?expand=subscriptionVersion",
    "charge-flow-level": "payment/charge-flow-levels/{}",
}
"""Kind of stream → where its entity is read."""


def wants(stream: Stream, subscription: Subscription) -> Sequence[Want]:
    """What is missing in that stream: a subscription or purchase after each announcement, all else until it is found.

    What is of a subscription is relayed there once it is known whose it is.
    """
    s, kind = subscription, kind_of(stream)
    path = PATHS.get(kind)
    if path is None or not s.announced:
        return []
    if kind != SUBSCRIPTION and s.versions and not s.purchase:
        return []
    about = f"{path.format(identifier_of(stream))}#{s.announced}"
    if kind == SUBSCRIPTION:
        return [Want(about=about, why="how the subscription stands", essential=not s.begun)]
    why = "whose it is" if kind != TRANSACTION else "whether it pays for a subscription or is a purchase"
    return [Want(about=about, why=why if not s.purchase else "how the purchase stands")]
