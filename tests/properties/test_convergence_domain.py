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

from domain import acts
from domain import facts as f
from domain.events import Event
from domain.history import Fold, decode_fold, encode_fold, extend, extends, refold
from domain.licensing import entitle, license_id
from domain.lifecycle import State
from domain.own import GRACE_ENDED
from domain.policy import Policy, ProductPolicy
from domain.receipts import CustomerChanged, KeysMinted, LicenseChanged, OrderCreated, OrderMissing, PushRefused
from domain.terms import LicenseType, Terms
from domain.timers import Timer, due_timers
from tests.stories import JANUARY, STREAM, TELLER, acted, answered, happened, muttered, rang, recorded

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
        {"product_short_code": "APP", "single_license": "true", "unpaid_active_license_period": "5d"},
        {"product_short_code": "APP", "license_type": "consumption", "max_consumptions": "5"},
        {"product_short_code": "APP", "added_days": "2", "feature_code": "a"},
        {"product_short_code": "APP", "ignore_product_in_licensespring": "true"},
        {"feature_code": "b"},
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
    described=st.sampled_from([True, True, False]),
    period_start=st.none() | instants,
    period_end=st.none() | instants,
)
made_up = {
    f.LinesDescribed: st.builds(
        f.LinesDescribed,
        lines=st.lists(lines, max_size=3, unique_by=lambda line: line.id).map(tuple),
        complete=st.booleans(),
        rest_from=ids | st.just(""),
    ),
    f.CustomerDescribed: st.builds(f.CustomerDescribed, email=st.sampled_from(["", "a@example.com", "b@example.com"])),
    f.PeriodPaid: st.builds(
        f.PeriodPaid,
        invoice=ids | st.just(""),
        periods=st.lists(
            st.builds(f.PaidPeriod, line=ids, start=instants, end=instants, proration=st.booleans()), max_size=3
        ).map(tuple),
        amount=amounts,
        currency=st.just("eur"),
        first=st.booleans(),
        at=st.none() | instants,
    ),
    f.PaymentLinked: st.builds(f.PaymentLinked, payment=ids, invoice=ids),
    f.PaymentRefunded: st.builds(
        f.PaymentRefunded,
        payment=ids,
        amount=st.just(1000),
        refunded=amounts,
        currency=st.just("eur"),
        invoice=ids | st.just(""),
        part=ids | st.just(""),
    ),
    f.DisputeOpened: st.builds(f.DisputeOpened, dispute=ids, payment=ids, amount=amounts, currency=st.just("eur")),
    f.DisputeClosed: st.builds(f.DisputeClosed, dispute=ids, payment=ids, outcome=st.sampled_from(f.DisputeOutcome)),
    f.StreamsLinked: st.builds(f.StreamsLinked, streams=st.lists(ids, max_size=2).map(tuple)),
    f.SubscriptionSuspended: st.builds(
        f.SubscriptionSuspended, reason=st.sampled_from(["paused", "unpaid"]), since=st.none() | instants
    ),
    f.TrialStarted: st.builds(
        f.TrialStarted,
        until=st.none() | instants,
        reopens=st.booleans(),
        key=ids | st.just(""),
        ends_with_a_charge=st.booleans(),
    ),
    f.CancellationScheduled: st.builds(f.CancellationScheduled, at=instants),
    f.TrialEndAnnounced: st.builds(f.TrialEndAnnounced, at=instants),
    f.CollectionTermsDescribed: st.builds(f.CollectionTermsDescribed, days_until_due=st.sampled_from([None, 30])),
    f.PurchaseCompleted: st.builds(f.PurchaseCompleted, paid=st.booleans(), lines_from=ids | st.just("")),
    f.PaymentFailed: st.builds(
        f.PaymentFailed, invoice=ids | st.just(""), attempt=st.integers(1, 3), final=st.booleans()
    ),
    f.SubscriptionActivated: st.builds(
        f.SubscriptionActivated, reopens=st.booleans(), key=ids | st.just(""), since=st.none() | instants
    ),
    f.GraceEnded: st.builds(f.GraceEnded, since=instants, days=st.none() | st.integers(0, 3), last=st.booleans()),
    f.PartsLeftOut: st.builds(f.PartsLeftOut, places=st.just(("customer.name",))),
    f.TimePassed: st.builds(f.TimePassed, instant=instants),
    f.PriceDescribed: st.builds(f.PriceDescribed, price=ids, product=ids, attributes=attributes),
    f.UsersNamed: st.builds(f.UsersNamed, users=st.lists(st.builds(f.NamedUser, email=ids), max_size=2).map(tuple)),
    f.FulfillmentNamed: st.builds(f.FulfillmentNamed, reference=ids),
    f.FixedEndDescribed: st.builds(f.FixedEndDescribed, at=st.none() | instants),
    f.AnswerRead: st.builds(f.AnswerRead, about=ids, found=st.booleans()),
    f.SubscriptionBegan: st.builds(f.SubscriptionBegan, at=st.none() | instants),
    f.PaymentFellOverdue: st.builds(f.PaymentFellOverdue, since=st.none() | instants),
    f.ChangeAnnounced: st.builds(f.ChangeAnnounced, identified=st.booleans()),
    f.VersionShown: st.builds(f.VersionShown, of=ids, version=st.integers(0, 2), number=st.integers(0, 1)),
    f.TestDescribed: st.builds(f.TestDescribed, test=st.none() | st.booleans()),
    f.PaymentActionRequired: st.builds(f.PaymentActionRequired, invoice=ids),
}
made_up[f.PaymentsDescribed] = st.builds(
    f.PaymentsDescribed,
    paid=st.lists(made_up[f.PeriodPaid], max_size=3).map(tuple),
    links=st.lists(made_up[f.PaymentLinked], max_size=2).map(tuple),
)
# What operators decide is told by events of their own alone.
bare = [kind for kind in f.Fact.__subclasses__() if kind not in made_up and kind.__module__ == f.__name__]
facts = st.one_of(*made_up.values(), *(st.builds(kind) for kind in bare))


@st.composite
def told(draw: st.DrawFn) -> Event:
    return happened(draw(instants), *draw(st.lists(facts, max_size=4)))


kinds: tuple[tuple[str, LicenseType], ...] = (("APP", "subscription"), ("APP", "perpetual"), ("PRO", "subscription"))
licensed = st.sampled_from(
    [
        license_id(STREAM, name, unit, Terms(product_code=code, license_type=kind))
        for name in "abc"
        for unit in (1, 2)
        for code, kind in kinds
    ]
)
others = st.sampled_from(["acme/subscription/sub_2", "acme/subscription/sub_3"])
set_to = st.sampled_from(
    [
        ("max_activations", 7),
        ("floating_users", 0),
        ("floating_users", 9),
        ("features", ("x",)),
        ("note", "hello"),
        ("custom_fields.a", "1"),
        ("custom_fields.b", ""),
        ("maintenance", True),
        ("max_activations", "many"),
        ("id", "x"),
    ]
)
deeds = st.one_of(
    st.builds(acts.LicenseDisabled, license=licensed),
    st.builds(acts.LicenseEnabled, license=licensed),
    st.builds(acts.LicenseExtended, license=licensed, until=instants),
    st.builds(lambda name, pair: acts.FieldSet(license=name, field=pair[0], value=pair[1]), licensed, set_to),
    st.builds(acts.Merged, duplicate=st.just(STREAM), kept=others),
    st.builds(acts.Merged, duplicate=others, kept=st.just(STREAM)),
    st.builds(acts.Undone, undoes=st.integers(0, 5).map("act_{}".format)),
)
operator_acts = st.lists(st.tuples(instants, deeds, st.none() | instants), max_size=6).map(
    lambda each: [acted(at, deed, named=f"act_{n}", expires=ends) for n, (at, deed, ends) in enumerate(each)]
)
histories = st.builds(
    lambda told, decided: told + decided,
    st.lists(st.one_of(*[told()] * 19, instants.map(muttered)), max_size=12),
    operator_acts,
)
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
        fold = extend(fold, batch, TELLER) if extends(fold, batch, TELLER) else refold(known, TELLER)
    return fold


def licenses(fold: Fold, policy: Policy) -> bytes:
    return msgspec.msgpack.encode(entitle(STREAM, fold.subscription, policy))


policies = st.builds(
    Policy,
    renewal_margin_hours=st.sampled_from([0, 48]),
    on_refund=st.sampled_from(["disable", "keep"]),
    on_partial_refund=st.sampled_from(["disable", "keep"]),
    on_dispute=st.sampled_from(["disable", "keep"]),
    on_pause=st.sampled_from(["disable", "keep"]),
    devices_at_end=st.sampled_from(["keep", "free"]),
    at_expiry=st.sampled_from(["leave", "disable"]),
    past_due_days=st.sampled_from(["provider", 0, 1, 5]),
    products=st.just({}) | st.just({"PRO": ProductPolicy(past_due_days=2)}),
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


@settings(max_examples=100, deadline=None)
@given(histories, policies)
def test_a_timer_that_rang_is_not_due_again_and_all_of_them_come_to_an_end(
    history: list[Event], policy: Policy
) -> None:
    understood = [event for event in history if event.type != "muttered"]
    rung: dict[str, Event] = {}
    for _ in range(5):
        fold = refold(recorded([*understood, *rung.values()]), TELLER)
        due = due_timers(STREAM, fold.subscription, [policy])
        assert not {timer.event_id for timer in due} & set(rung)
        if not due:
            break
        rung |= {timer.event_id: rang(timer) for timer in due}
    else:
        raise AssertionError("timers make timers without an end")


@settings(max_examples=100, deadline=None)
@given(histories, policies)
def test_what_is_past_due_for_longer_than_any_policy_grants_is_not_licensed(
    history: list[Event], policy: Policy
) -> None:
    understood = [event for event in history if event.type != "muttered" and event.origin != "operator"]
    events = [*understood, happened(JANUARY + timedelta(days=10), f.PaymentFellOverdue())]
    fold = refold(recorded(events), TELLER)
    due = due_timers(STREAM, fold.subscription, [policy])
    fold = refold(recorded([*events, *map(rang, due)]), TELLER)
    if fold.subscription.state in {State.PAST_DUE, State.SUSPENDED} and any(timer_is_last(timer) for timer in due):
        assert not any(each.enabled for each in entitle(STREAM, fold.subscription, policy).licenses)


def timer_is_last(timer: Timer) -> bool:
    return timer.type == GRACE_ENDED and msgspec.json.decode(timer.body, type=f.GraceEnded).last


@settings(max_examples=100, deadline=None)
@given(histories, operator_acts, policies)
def test_what_is_undone_is_as_if_it_had_never_been_decided(
    history: list[Event], decided: list[Event], policy: Policy
) -> None:
    events = [event for event in history if event.type != "muttered" and event.origin != "operator"]
    undone = [
        acted(JANUARY + timedelta(days=20), acts.Undone(undoes=event.event_id), named=f"undo_{event.event_id}")
        for event in decided
        if event.type != "operator.undone"
    ]
    before, after = refold(recorded(events), TELLER), refold(recorded([*events, *decided, *undone]), TELLER)
    assert licenses(after, policy) == licenses(before, policy)


@settings(max_examples=100, deadline=None)
@given(histories, policies)
def test_acts_without_a_disabling_or_a_merge_take_nothing_away(history: list[Event], policy: Policy) -> None:
    taking = {"operator.license_disabled", "operator.merged", "muttered"}
    events = [event for event in history if event.type not in taking]
    bare = refold(recorded(event for event in events if event.origin != "operator"), TELLER)
    fold = refold(recorded(events), TELLER)
    before = {each.id: each for each in entitle(STREAM, bare.subscription, policy).licenses}
    for each in entitle(STREAM, fold.subscription, policy).licenses:
        was = before[each.id]
        assert each.enabled or not was.enabled, "nobody who pays is locked out"
        assert was.expiry is None or (each.expiry is not None and each.expiry >= was.expiry), "nothing is shortened"
        assert each.margin_hours == was.margin_hours
        assert not (each.enabled and each.free_devices)


@settings(max_examples=100, deadline=None)
@given(histories, policies)
def test_no_act_gives_a_license_of_what_is_not_sold(history: list[Event], policy: Policy) -> None:
    events = [event for event in history if event.type != "muttered"]
    fold = refold(recorded(events), TELLER)
    bare = refold(recorded(event for event in events if event.origin != "operator"), TELLER)
    rules = {each.id: each.because["enabled"].rule for each in entitle(STREAM, bare.subscription, policy).licenses}
    gone = {"the line was removed", "the line was lowered or replaced"}
    for each in entitle(STREAM, fold.subscription, policy).licenses:
        assert not (each.enabled and rules[each.id] in gone)
