"""The promise of the domain: the same set of events gives the same fold and licenses, byte for byte.

In whatever order the events arrive, however often each comes, and wherever the stored fold was split to be extended.
The stories are random and mostly make no sense, because convergence must not depend on sense. Times and names are
few, so that ties, repeats and collisions are many.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from domain import facts as f
from domain.events import Event
from domain.history import Fold, decode_fold, encode_fold, extend, extends, refold
from domain.licensing import entitle
from domain.policy import Policy
from domain.receipts import CustomerChanged, KeysMinted, LicenseChanged, OrderCreated, OrderMissing, PushRefused
from tests.stories import JANUARY, STREAM, TELLER, answered, happened, muttered, recorded

instants = st.integers(0, 9).map(lambda days: JANUARY + timedelta(days=days))
ids = st.sampled_from(["a", "b", "c"])
values = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | ids
amounts = st.sampled_from([0, 400, 600, 1000])
attributes = st.sampled_from(
    [
        {"product_short_code": "APP"},
        {"product_short_code": "APP", "max_activations": "5"},
        {"product_short_code": "PRO", "colour": "red"},
        {"product_short_code": "APP", "max_activations": "many"},
        {},
    ]
)
lines = st.builds(
    f.Line,
    id=ids,
    product=ids,
    price=ids,
    quantity=st.integers(0, 4),
    attributes=attributes,
    recurring=st.booleans(),
    period_start=st.none() | instants,
    period_end=st.none() | instants,
)
made_up = {
    f.LinesDescribed: st.builds(
        f.LinesDescribed,
        lines=st.lists(lines, max_size=3, unique_by=lambda line: line.id).map(tuple),
        complete=st.booleans(),
    ),
    f.CustomerDescribed: st.builds(f.CustomerDescribed, email=st.sampled_from(["", "a@example.com", "b@example.com"])),
    f.PeriodPaid: st.builds(
        f.PeriodPaid,
        invoice=ids,
        periods=st.lists(
            st.builds(f.PaidPeriod, line=ids, start=instants, end=instants, proration=st.booleans()), max_size=3
        ).map(tuple),
        amount=amounts,
        currency=st.just("eur"),
    ),
    f.PaymentLinked: st.builds(f.PaymentLinked, payment=ids, invoice=ids),
    f.PaymentRefunded: st.builds(
        f.PaymentRefunded,
        payment=ids,
        amount=st.just(1000),
        refunded=amounts,
        currency=st.just("eur"),
        invoice=ids | st.just(""),
    ),
    f.DisputeOpened: st.builds(f.DisputeOpened, dispute=ids, payment=ids, amount=amounts, currency=st.just("eur")),
    f.DisputeClosed: st.builds(f.DisputeClosed, dispute=ids, payment=ids, outcome=st.sampled_from(f.DisputeOutcome)),
    f.StreamsLinked: st.builds(f.StreamsLinked, streams=st.lists(ids, max_size=2).map(tuple)),
    f.SubscriptionSuspended: st.builds(f.SubscriptionSuspended, reason=ids),
    f.TrialStarted: st.builds(f.TrialStarted, until=st.none() | instants),
    f.CancellationScheduled: st.builds(f.CancellationScheduled, at=instants),
    f.TrialEndAnnounced: st.builds(f.TrialEndAnnounced, at=instants),
    f.CollectionTermsDescribed: st.builds(f.CollectionTermsDescribed, days_until_due=st.sampled_from([None, 30])),
    f.PurchaseCompleted: st.builds(
        f.PurchaseCompleted, paid=st.booleans(), lines_known=st.booleans(), wanted=st.just("lines")
    ),
    f.PaymentFailed: st.builds(f.PaymentFailed, invoice=ids, attempt=st.integers(1, 3)),
    f.PaymentActionRequired: st.builds(f.PaymentActionRequired, invoice=ids),
}
bare = [kind for kind in f.Fact.__subclasses__() if kind not in made_up]
facts = st.one_of(*made_up.values(), *(st.builds(kind) for kind in bare))
told = st.builds(lambda at, said: happened(at, *said), instants, st.lists(facts, max_size=4))
histories = st.lists(st.one_of(*[told] * 19, instants.map(muttered)), max_size=12)
receipts = st.lists(
    st.builds(
        answered,
        instants,
        st.one_of(
            st.builds(KeysMinted, target=ids, order=ids, keys=st.dictionaries(ids, ids)),
            st.builds(
                OrderCreated,
                target=ids,
                order=ids,
                licenses=st.dictionaries(ids, ids),
                fields=st.just({"a": {"n": 1}, "b": {"n": 1}}),
                customer=ids | st.just(""),
            ),
            st.builds(OrderMissing, target=ids, order=ids, licenses=st.lists(ids).map(tuple)),
            st.builds(LicenseChanged, target=ids, license=ids, fields=st.dictionaries(ids, values)),
            st.builds(CustomerChanged, target=ids, customer=ids, fields=st.dictionaries(ids, values)),
            st.builds(
                PushRefused,
                target=ids,
                subjects=st.lists(ids).map(tuple),
                call=ids,
                status=st.none() | st.just(400),
                text=ids,
                digest=ids,
            ),
        ),
    ),
    max_size=5,
)


@st.composite
def arrivals(draw: st.DrawFn) -> tuple[list[Event], list[Event], list[list[Event]]]:
    """A history, the receipts beside it, and one way in which both arrive."""
    history, answers = draw(histories), draw(receipts)
    repeats = draw(st.lists(st.sampled_from(history), max_size=4)) if history else []
    arrived = draw(st.permutations(history + repeats))
    for place, answer in enumerate(answers):
        arrived.insert(draw(st.integers(place, len(arrived))), answer)
    in_order = iter(answers)
    arrived = recorded(next(in_order) if event.origin == "receipt" else event for event in arrived)
    cuts = sorted(draw(st.lists(st.integers(0, len(arrived)), max_size=5)))
    batches = [arrived[start:end] for start, end in zip([0, *cuts], [*cuts, len(arrived)], strict=True)]
    return history, answers, batches


def live(batches: Iterable[Sequence[Event]]) -> Fold:
    """Folds batches as they come, as the projection does: stored between them, extended where that is allowed."""
    fold, known = refold([], TELLER), list[Event]()
    for batch in batches:
        known += batch
        fold = decode_fold(encode_fold(fold))
        fold = extend(fold, batch, TELLER) if extends(fold, batch) else refold(known, TELLER)
    return fold


def licenses(fold: Fold, policy: Policy) -> bytes:
    return msgspec.msgpack.encode(entitle(STREAM, fold.subscription, policy))


policies = st.builds(
    Policy,
    renewal_margin_hours=st.sampled_from([0, 48]),
    on_refund=st.sampled_from(["disable", "keep"]),
    on_partial_refund=st.sampled_from(["disable", "keep"]),
    on_dispute=st.sampled_from(["disable", "keep"]),
)


@settings(max_examples=150, deadline=None)
@given(arrivals(), policies)
def test_the_same_events_give_the_same_fold_and_licenses_however_they_arrive(
    arrival: tuple[list[Event], list[Event], list[list[Event]]], policy: Policy
) -> None:
    history, answers, batches = arrival
    in_time = sorted(history, key=lambda each: (each.occurred_at, each.event_id))
    whole = refold(recorded([*in_time, *answers]), TELLER)
    arrived = live(batches)
    assert arrived.stopped == whole.stopped
    assert encode_fold(arrived) == encode_fold(whole)
    assert licenses(arrived, policy) == licenses(whole, policy)


@settings(max_examples=100, deadline=None)
@given(histories, policies)
def test_a_stored_fold_gives_the_licenses_that_it_gave_before_it_was_stored(
    history: list[Event], policy: Policy
) -> None:
    fold = refold(recorded(history), TELLER)
    stored = decode_fold(encode_fold(fold))
    assert encode_fold(stored) == encode_fold(fold)
    assert licenses(stored, policy) == licenses(fold, policy)


@settings(max_examples=100, deadline=None)
@given(histories, policies)
def test_licenses_are_distinct_sorted_explained_and_only_grow_in_number(history: list[Event], policy: Policy) -> None:
    understood = [event for event in history if event.type != "muttered"]
    fold, known = refold([], TELLER), set[str]()
    for event in recorded(sorted(understood, key=lambda each: (each.occurred_at, each.event_id))):
        fold = extend(fold, [event], TELLER)
        found = entitle(STREAM, fold.subscription, policy).licenses
        enabled = {each.id for each in found if each.enabled}
        assert len({each.id for each in found}) == len(found)
        assert all(each.because["enabled"].rule for each in found)
        assert known <= {each.id for each in found}, "a license that was once given has to be named to be disabled"
        known |= enabled
