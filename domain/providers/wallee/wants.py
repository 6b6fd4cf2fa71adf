"""What wallee's webhooks leave out: everything but the entity's number.

A question bears the name of all announcements that the stream has seen, so whatever is announced later, or heard of
later, is another question; and an answer was asked after all that its question names. See
`domain/decisions/0006-wallee-is-read-whole.md`.
"""

from collections.abc import Sequence

from domain.events import Stream, identifier_of, kind_of
from domain.lifecycle import State
from domain.providers.unheard import unheard
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
    silent = unheard(s)
    about = f"{path.format(identifier_of(stream))}#{s.announced}{f'-{silent}' if silent else ''}"
    doubtful = s.doubtful == about
    doubt = ": wallee knows nothing of it or shows what is older, though it was there; it is asked again"
    if kind == SUBSCRIPTION:
        missing = "" if s.state is State.TERMINATED else s.lines_from
        why = missing or f"how the subscription stands{doubt if doubtful else ''}"
        return [Want(about=about, why=why, essential=not s.begun or doubtful or bool(missing))]
    if s.purchase:
        return [Want(about=about, why=f"how the purchase stands{doubt if doubtful else ''}", essential=doubtful)]
    return [Want(about=about, why=_WHOSE.get(kind, "whose it is"))]


_WHOSE = {TRANSACTION: "whether it pays for a subscription or is a purchase"}
