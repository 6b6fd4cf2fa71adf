"""What wallee's events mean: webhooks say that something changed, answers of the API how things stand."""

from collections.abc import Callable, Sequence

from msgspec import Raw
from msgspec.json import Decoder

from domain import facts as f
from domain.events import Event, Stream, identifier_of, kind_of
from domain.providers import Untranslatable
from domain.providers.mending import read_what_can_be
from domain.providers.wallee.purchases import read_transaction
from domain.providers.wallee.shapes import PERSONAL, Versioned
from domain.providers.wallee.subscription_shapes import Whole
from domain.providers.wallee.subscriptions import read_whole
from domain.providers.wallee.transaction_shapes import Purchase
from domain.providers.wallee.wants import PATHS, SUBSCRIPTION, TRANSACTION
from domain.readback import TYPE, read_answer

Read = Callable[[Raw, Stream], Sequence[f.Fact]]


def translate(event: Event) -> Sequence[f.Fact]:
    """The facts of one event in its stream. Raises Untranslatable, naming type and place, never a personal value."""
    if event.type.startswith(TYPE):
        return _translate_answer(event)
    kind = kind_of(event.stream)
    return [f.ChangeAnnounced(identified=kind == SUBSCRIPTION)] if kind in PATHS else [f.Noted()]


def _translate_answer(event: Event) -> Sequence[f.Fact]:
    try:
        answer = read_answer(event)
        read = _BY_KIND.get(event.type.removeprefix(TYPE), _nothing)
        said = [fact for page in answer.pages for fact in read(page, event.stream)]
    except (ValueError, RecursionError) as error:
        # msgspec's errors are ValueErrors; their text names a place, not what stands there.
        raise Untranslatable(f"{event.type}: {error}") from None
    return [f.AnswerRead(about=answer.about, found=bool(answer.pages)), *said]


def _nothing(_page: Raw, _stream: Stream) -> Sequence[f.Fact]:
    return []


def _subscription(page: Raw, stream: Stream) -> Sequence[f.Fact]:
    whole, left_out = read_what_can_be(_WHOLE, page, PERSONAL)
    own = (SUBSCRIPTION, str(whole.subscription.id))
    if (kind_of(stream), identifier_of(stream)) != own:
        return []
    return [*read_whole(whole), *_told(left_out)]


def _transaction(page: Raw, stream: Stream) -> Sequence[f.Fact]:
    purchase, left_out = read_what_can_be(_PURCHASE, page, PERSONAL)
    if kind_of(stream) == TRANSACTION:
        return [*read_transaction(purchase), *_told(left_out)]
    return [f.StreamsLinked(streams=(f"{TRANSACTION}/{purchase.transaction.id}",))]


def _told(left_out: Sequence[str]) -> Sequence[f.Fact]:
    return [f.PartsLeftOut(places=tuple(left_out))] if left_out else []


def _entity(kind: str) -> Read:
    """In its own stream it is enough to know that it was found; in the stream that it is of, it leads there."""

    def read(page: Raw, stream: Stream) -> Sequence[f.Fact]:
        it = _VERSIONED.decode(page)
        if kind_of(stream) == kind:
            return [f.VersionShown(of=kind, number=it.id, version=it.version or 0)]
        return [f.StreamsLinked(streams=(f"{kind}/{it.id}",))]

    return read


_WHOLE = Decoder(Whole)
_PURCHASE = Decoder(Purchase)
_VERSIONED = Decoder(Versioned)

_BY_KIND: dict[str, Read] = {
    **{kind: _entity(kind) for kind in PATHS},
    SUBSCRIPTION: _subscription,
    TRANSACTION: _transaction,
}
