"""Given events about a subscription at FastSpring, then what is known of it."""

from typing import Any

import msgspec
import pytest

from domain import facts as f
from domain.events import Event, kind_of
from domain.fold import Step
from domain.history import refold, tell
from domain.lifecycle import State
from domain.providers import Untranslatable
from domain.providers.fastspring import PROVIDER
from domain.subscription import Subscription
from tests.payloads import fastspring as fs
from tests.payloads.fastspring import ACCOUNT, APRIL, BOUGHT, DAY, FEBRUARY, MARCH, ORDER, PRO, REFERENCE, Json, at

SOON, LATER, LATEST = BOUGHT + DAY, MARCH + DAY, MARCH + 8 * DAY
OPENING: tuple[tuple[str, Json, int], ...] = (
    ("subscription.activated", fs.subscription(), BOUGHT),
    ("order.completed", fs.order(), BOUGHT + 200),
)
RENEWED = ("subscription.charge.completed", fs.charge(), MARCH + DAY // 2)
MANAGED: Json = {"adhoc": True, "next": None, "intervalUnit": "adhoc"}

Told = tuple[str, Json, int]


def events(*told: Told) -> list[Event]:
    """Those of the subscription's stream."""
    return [
        msgspec.structs.replace(event, position=number)
        for number, (type_, data, created) in enumerate(told, 1)
        for event in fs.stored(fs.event(type_, data, created=created, id_=f"EV{number:028}"))
        if kind_of(event.stream) == "subscription"
    ]


def after(*told: Told) -> Subscription:
    fold = refold(events(*told), PROVIDER)
    assert not fold.stopped
    return fold.subscription


def steps(*told: Told) -> list[Step]:
    return [each.step for each in tell(events(*told), PROVIDER, Subscription()) if each.step is not None]


def facts(type_: str, data: Json, created: int = SOON, of: type[f.Fact] = f.Fact) -> list[Any]:
    return [fact for fact in fs.facts_of(type_, data, created=created) if isinstance(fact, of)]


def only(type_: str, data: Json, of: type[f.Fact], created: int = SOON) -> Any:
    [fact] = facts(type_, data, created, of)
    return fact


def line_of(subscription: Subscription, line: str = "subscription") -> f.Line:
    return subscription.lines[line].line


class TestBeginning:
    @pytest.mark.parametrize("order", [OPENING, OPENING[::-1]], ids=["activated first", "order first"])
    def test_a_purchase_is_active_and_paid_until_next(self, order: tuple[Told, ...]) -> None:
        swapped = [(type_, data, BOUGHT + 100 * number) for number, (type_, data, _) in enumerate(order)]
        subscription = after(*swapped)
        assert (subscription.state, subscription.begun, subscription.anomalies) == (State.ACTIVE, True, 0)
        [(invoice, paid)] = subscription.invoices.items()
        assert (invoice, paid.amount, paid.currency) == (ORDER, 5800, "USD")
        assert [(each.start, each.end) for each in paid.periods] == [(at(FEBRUARY), at(MARCH))]
        assert subscription.payments == {ORDER: ORDER}
        assert subscription.fulfillment == REFERENCE
        assert set(subscription.links) == {f"order/{ORDER}", f"fulfillment/{REFERENCE}", f"account/{ACCOUNT}"}

    def test_the_activation_alone_is_enough(self) -> None:
        subscription = after(OPENING[0])
        assert subscription.state is State.ACTIVE
        [paid] = subscription.invoices.values()
        assert (paid.first, paid.periods[0].end) == (True, at(MARCH))

    def test_the_order_alone_is_enough(self) -> None:
        subscription = after(OPENING[1])
        assert (subscription.state, line_of(subscription).attributes) == (State.ACTIVE, fs.TERMS)

    def test_the_first_payment_is_what_the_whole_order_cost(self) -> None:
        taxed = fs.order(total=69.02)
        for told in ((OPENING[0], ("order.completed", taxed, BOUGHT + 200)),):
            assert after(*told).invoices[ORDER].amount == 6902

    def test_a_line_is_the_product_by_its_path_with_its_period(self) -> None:
        assert line_of(after(OPENING[0])) == f.Line(
            id="subscription",
            product=PRO,
            price=PRO,
            quantity=2,
            attributes=fs.TERMS,
            period_start=at(FEBRUARY),
            period_end=at(MARCH),
        )

    def test_the_customer_is_the_accounts_contact(self) -> None:
        customer = after(OPENING[0]).customer
        assert (customer.reference, customer.email, customer.name) == (ACCOUNT, "ada@example.com", "Ada Example")

    def test_a_subscription_may_be_of_a_product_that_is_not_licensed(self) -> None:
        assert line_of(after(("subscription.activated", fs.subscription(attributes={}), BOUGHT))).described

    def test_a_managed_subscription_has_no_periods(self) -> None:
        subscription = after(("subscription.activated", fs.subscription(**MANAGED), BOUGHT))
        assert subscription.state is State.ACTIVE
        assert (line_of(subscription).period_start, line_of(subscription).period_end) == (None, None)

    def test_money_without_a_smaller_unit_is_not_multiplied(self) -> None:
        yen = fs.order(currency="JPY", total=2900)
        assert only("order.completed", yen, f.PeriodPaid).amount == 2900

    def test_money_is_read_as_the_text_it_stands_there_as(self) -> None:
        body = msgspec.json.encode(fs.event("order.completed", fs.order(total=123456789.29)))
        [event] = fs.stored_bytes(body.replace(b"123456789.29", b"90071992547409.93"))
        [paid] = [fact for fact in PROVIDER.translate(event) if isinstance(fact, f.PeriodPaid)]
        assert paid.amount == 9007199254740993


class TestUnexpanded:
    OPENING = tuple((type_, fs.unexpanded(data), created) for type_, data, created in OPENING)

    @pytest.mark.parametrize("order", [(0, 1), (1, 0)])
    def test_a_purchase_is_active_and_paid_until_next(self, order: tuple[int, int]) -> None:
        told = [(*self.OPENING[index][:2], BOUGHT + 100 * number) for number, index in enumerate(order)]
        subscription = after(*told)
        assert (subscription.state, subscription.anomalies) == (State.ACTIVE, 0)
        assert {name: paid.periods[0].end for name, paid in subscription.invoices.items()} == {ORDER: at(MARCH)}
        assert (subscription.customer.reference, subscription.customer.email) == (ACCOUNT, "ada@example.com")

    def test_the_attributes_of_the_orders_item_fill_what_the_activation_leaves_out(self) -> None:
        assert line_of(after(*self.OPENING)).attributes == fs.TERMS

    def test_a_product_that_is_only_named_has_to_be_described(self) -> None:
        line = line_of(after(self.OPENING[0]))
        assert (line.described, line.quantity, line.period_end) == (False, 2, at(MARCH))

    def test_what_a_buyers_page_sets_on_an_item_does_not_hide_the_products_own_attributes(self) -> None:
        named = fs.unexpanded(fs.subscription(attributes={})) | {"attributes": {"campaign": "spring"}}
        assert not line_of(after(("subscription.activated", named, BOUGHT))).described

    def test_license_attributes_of_the_subscription_itself_count(self) -> None:
        named = fs.unexpanded(fs.subscription()) | {"attributes": {"product_short_code": "X", "max_activations": 7}}
        line = line_of(after(("subscription.activated", named, BOUGHT)))
        assert line.attributes == {"product_short_code": "X", "max_activations": "7"}


class TestTrial:
    UNTIL = FEBRUARY + 14 * DAY

    def test_a_trial_lasts_until_its_phase_ends(self) -> None:
        subscription = after(("subscription.activated", fs.trial(), BOUGHT))
        assert (subscription.state, subscription.trial_end) == (State.TRIALING, at(self.UNTIL))
        assert [paid.amount for paid in subscription.invoices.values()] == [0]

    @pytest.mark.parametrize(
        "phase",
        [
            fs.instruction(type_="trial", periodEndDate=UNTIL),
            fs.instruction(type_="discounted", periodEndDate=UNTIL, unitPrice=0.0),
        ],
    )
    def test_the_first_phase_tells_a_trial_even_where_the_state_does_not(self, phase: Json) -> None:
        shown = fs.subscription(state="active", next=self.UNTIL, instructions=[phase, fs.instruction()])
        for told in (("subscription.activated", shown, BOUGHT),
                     ("order.completed", fs.order(items=[fs.item(subscription=shown)]), BOUGHT)):  # fmt: skip
            subscription = after(told)
            assert (subscription.state, subscription.trial_end) == (State.TRIALING, at(self.UNTIL))

    def test_a_free_product_is_no_trial(self) -> None:
        free = fs.subscription(instructions=[fs.instruction(unitPrice=0.0)], price=0.0, subtotal=0.0)
        assert after(("subscription.activated", free, BOUGHT)).state is State.ACTIVE

    def test_a_trial_without_a_phase_ends_with_next(self) -> None:
        shown = fs.subscription(state="trial", next=self.UNTIL, instructions=[])
        assert after(("subscription.activated", shown, BOUGHT)).trial_end == at(self.UNTIL)

    def test_a_trial_that_is_over_is_none(self) -> None:
        phases = [fs.instruction(type_="trial", periodEndDate=self.UNTIL), fs.instruction()]
        shown = fs.subscription(instructions=phases, next=APRIL)
        assert facts("subscription.updated", shown, LATER, f.TrialStarted) == []

    def test_the_first_charge_turns_it_into_a_full_one(self) -> None:
        subscription = after(("subscription.activated", fs.trial(), BOUGHT), RENEWED)
        assert subscription.state is State.ACTIVE

    def test_its_reminder_says_when_it_ends(self) -> None:
        assert only("subscription.trial.reminder", fs.trial(), f.TrialEndAnnounced).at == at(self.UNTIL)
        assert after(("subscription.trial.reminder", fs.trial(), SOON)).state is State.TRIALING

    def test_a_trial_that_is_canceled_goes_on_until_its_day(self) -> None:
        shown = fs.trial() | {"state": "canceled", "deactivationDate": self.UNTIL}
        subscription = after(("subscription.canceled", shown, SOON))
        assert (subscription.state, subscription.cancel_at) == (State.TRIALING, at(self.UNTIL))


class TestChanges:
    def test_quantity_and_product_follow(self) -> None:
        more = fs.subscription(path="falcon-team", attributes={"product_short_code": "team"}, quantity=5)
        line = line_of(after(*OPENING, ("subscription.updated", more, SOON)))
        assert (line.id, line.product, line.quantity) == ("subscription", "falcon-team", 5)
        assert line.attributes == {"product_short_code": "team"}

    def test_addons_are_lines_and_go_when_they_are_not_told_any_more(self) -> None:
        addons = [
            {"product": fs.product("extra", {"feature_code": "extra"}), "quantity": 3},
            {"product": "more", "quantity": 1, "attributes": {"feature_code": "more"}},
            "named",
        ]
        more = ("subscription.updated", fs.subscription(addons=addons), SOON)
        lines = after(*OPENING, more).lines
        assert set(lines) == {"subscription", "addon/extra", "addon/more", "addon/named"}
        assert (lines["addon/extra"].line.quantity, lines["addon/extra"].line.recurring) == (3, True)
        assert lines["addon/more"].line.attributes == {"feature_code": "more"}
        assert not lines["addon/named"].line.described
        assert set(after(*OPENING, more, ("subscription.updated", fs.subscription(), SOON + 1)).lines) == {
            "subscription"
        }

    def test_a_charge_takes_no_addon_away(self) -> None:
        addons = [{"product": fs.product("extra", {"feature_code": "extra"}), "quantity": 3}]
        more = ("subscription.updated", fs.subscription(addons=addons), SOON)
        assert "addon/extra" in after(*OPENING, more, RENEWED).lines

    def test_a_charge_that_names_its_product_alone_loses_no_attributes(self) -> None:
        bare = fs.charge(subscription=fs.embedded(next=APRIL, quantity=4) | {"attributes": {}})
        line = line_of(after(*OPENING, ("subscription.charge.completed", bare, LATER)))
        assert (line.attributes, line.quantity, line.described) == (fs.TERMS, 4, True)

    def test_a_fixed_end_is_described_and_taken_back(self) -> None:
        ends = ("subscription.updated", fs.subscription(end=APRIL), SOON)
        assert after(*OPENING, ends).ends_at == at(APRIL)
        assert after(*OPENING, ends, ("subscription.updated", fs.subscription(), SOON + 1)).ends_at is None

    def test_another_card_leaves_all_as_it_was(self) -> None:
        before, changed = after(*OPENING), after(*OPENING, ("subscription.updated", fs.subscription(), SOON))
        assert (before.lines, before.state) == (changed.lines, changed.state)


class TestEnding:
    def test_a_canceled_one_is_active_until_its_day(self) -> None:
        subscription = after(*OPENING, ("subscription.canceled", fs.canceled(), SOON))
        assert (subscription.state, subscription.cancel_at) == (State.ACTIVE, at(MARCH - DAY))

    def test_a_cancellation_that_is_taken_back(self) -> None:
        canceled = ("subscription.canceled", fs.canceled(), SOON)
        subscription = after(*OPENING, canceled, ("subscription.uncanceled", fs.subscription(), SOON + DAY))
        assert (subscription.state, subscription.cancel_at) == (State.ACTIVE, None)

    def test_a_cancellation_without_a_day_says_so(self) -> None:
        shown = fs.canceled(deactivationDate=None, next=None)
        assert "does not name" in only("subscription.canceled", shown, f.Noted).about

    def test_deactivated_is_the_end(self) -> None:
        assert after(*OPENING, ("subscription.deactivated", fs.deactivated(), SOON)).state is State.TERMINATED

    def test_a_deactivation_sent_again_after_the_subscription_is_on_again_ends_nothing(self) -> None:
        subscription = after(*OPENING, ("subscription.deactivated", fs.subscription(), SOON))
        assert subscription.state is State.ACTIVE

    def test_an_activation_later_on_reopens_it_until_next(self) -> None:
        again = fs.subscription(next=APRIL, sequence=1, changed=LATER)
        subscription = after(
            *OPENING,
            ("subscription.deactivated", fs.deactivated(), SOON),
            ("subscription.activated", again, LATER),
        )
        assert subscription.state is State.ACTIVE
        assert max(period.end for paid in subscription.invoices.values() for period in paid.periods) == at(APRIL)

    def test_an_activation_sent_again_reopens_nothing(self) -> None:
        told = (*OPENING, ("subscription.deactivated", fs.deactivated(), SOON), (*OPENING[0][:2], SOON + DAY))
        assert after(*told).state is State.TERMINATED
        assert steps(*told)[-1].anomalies

    def test_an_activation_sent_again_that_shows_the_end_ends_it(self) -> None:
        again = ("subscription.activated", fs.deactivated(), SOON + DAY)
        assert after(*OPENING, again).state is State.TERMINATED

    @pytest.mark.parametrize("type_", ["subscription.updated", "subscription.canceled", "subscription.uncanceled"])
    def test_what_is_inactive_has_no_access_whatever_tells_so(self, type_: str) -> None:
        assert after(*OPENING, (type_, fs.deactivated(), SOON)).state is State.TERMINATED
        assert after(*OPENING, (type_, fs.subscription(active=False, state="x"), SOON)).state is State.SUSPENDED

    def test_a_payload_without_active_goes_by_the_state(self) -> None:
        gone = {name: value for name, value in fs.deactivated().items() if name != "active"}
        assert after(*OPENING, ("subscription.updated", gone, SOON)).state is State.TERMINATED


class TestPause:
    PAUSED = fs.subscription(state="paused", active=False)

    def test_paused_is_suspended_for_that_reason(self) -> None:
        subscription = after(*OPENING, ("subscription.paused", self.PAUSED, LATER))
        assert (subscription.state, subscription.state_reason) == (State.SUSPENDED, "paused")

    def test_a_pause_that_has_not_begun_takes_nothing_away(self) -> None:
        asked = fs.subscription(isPauseScheduled=True)
        assert after(*OPENING, ("subscription.paused", asked, SOON)).state is State.ACTIVE
        assert "asked for" in only("subscription.paused", asked, f.Noted).about

    def test_resumed_is_active_again(self) -> None:
        resumed = ("subscription.resumed", fs.subscription(next=APRIL), LATER + DAY)
        assert after(*OPENING, ("subscription.paused", self.PAUSED, LATER), resumed).state is State.ACTIVE

    def test_resumed_but_still_off_stays_off(self) -> None:
        resumed = ("subscription.resumed", self.PAUSED, LATER + DAY)
        assert after(*OPENING, ("subscription.paused", self.PAUSED, LATER), resumed).state is State.SUSPENDED


class TestOverdue:
    OVERDUE = ("subscription.payment.overdue", fs.overdue(1), LATEST)
    FAILED = ("subscription.charge.failed", fs.charge_failed(), LATER)

    @pytest.mark.parametrize("told", [OVERDUE, FAILED], ids=["notice", "failed charge"])
    def test_it_is_past_due(self, told: Told) -> None:
        assert after(*OPENING, told).state is State.PAST_DUE

    def test_each_notice_says_how_many_there_were(self) -> None:
        assert only(*self.OVERDUE[:2], f.Noted, LATEST).about == "notice 1 of 4 sent"

    def test_its_period_reaches_to_where_the_store_gives_up(self) -> None:
        """Four weekly notices, and a week: longer than the month that is to be paid."""
        line = line_of(after(*OPENING, self.OVERDUE))
        assert (line.period_start, line.period_end) == (at(MARCH), at(MARCH + 5 * 7 * DAY))

    def test_or_through_the_period_that_is_to_be_paid(self) -> None:
        shown = fs.overdue(1) | {"intervalUnit": "year"}
        line = line_of(after(*OPENING, ("subscription.payment.overdue", shown, LATEST)))
        assert line.period_end == at(MARCH + 365 * DAY)

    def test_a_charge_is_the_recovery(self) -> None:
        charge = fs.charge(timestamp=LATEST + DAY)
        subscription = after(
            *OPENING, self.FAILED, self.OVERDUE, ("subscription.charge.completed", charge, LATEST + DAY)
        )
        assert (subscription.state, subscription.past_due_since) == (State.ACTIVE, None)

    def test_a_charge_that_recovers_late_counts_though_its_period_is_over(self) -> None:
        paid = APRIL + 2 * DAY
        charge = fs.charge(timestamp=paid)
        assert after(*OPENING, self.OVERDUE, ("subscription.charge.completed", charge, paid)).state is State.ACTIVE

    def test_an_old_charge_sent_again_pays_no_younger_debt(self) -> None:
        overdue = ("subscription.payment.overdue", fs.overdue(1, next=APRIL), APRIL + 8 * DAY)
        again = (*RENEWED[:2], APRIL + 9 * DAY)
        assert after(*OPENING, RENEWED, overdue, again).state is State.PAST_DUE

    def test_an_old_order_sent_again_pays_no_younger_debt(self) -> None:
        assert after(*OPENING, self.OVERDUE, (*OPENING[1][:2], LATEST + DAY)).state is State.PAST_DUE

    def test_another_card_pays_nothing_yet(self) -> None:
        """The charge failed, and the state does not say so before the first notice."""
        card = ("subscription.updated", fs.subscription(paymentMethodAction="UPDATED"), LATER + DAY)
        assert after(*OPENING, self.FAILED, card).state is State.PAST_DUE

    def test_a_notice_sent_again_after_it_was_paid_changes_nothing(self) -> None:
        again = ("subscription.payment.overdue", fs.subscription(next=APRIL), LATEST + DAY)
        assert after(*OPENING, RENEWED, again).state is State.ACTIVE

    def test_a_subscription_first_heard_of_overdue_is_past_due(self) -> None:
        assert after(self.OVERDUE).state is State.PAST_DUE
        assert after(("subscription.updated", fs.overdue(1), LATEST)).state is State.PAST_DUE

    def test_a_failed_charge_says_why_in_the_stores_words(self) -> None:
        assert only(*self.FAILED[:2], f.Noted, LATER).about == "declined: EXPIRED_CARD"

    def test_a_failed_charge_of_what_is_over_brings_nothing_back(self) -> None:
        gone = fs.charge_failed(subscription=fs.deactivated())
        assert after(*OPENING, ("subscription.charge.failed", gone, LATER)).state is State.TERMINATED

    def test_a_failed_charge_that_only_names_its_subscription(self) -> None:
        told = ("subscription.charge.failed", fs.unexpanded(fs.charge_failed()), LATER)
        assert after(*OPENING, told).state is State.PAST_DUE

    def test_a_payment_reminder_is_only_noted(self) -> None:
        before = after(*OPENING)
        reminded = after(*OPENING, ("subscription.payment.reminder", fs.subscription(), SOON))
        assert (reminded.state, reminded.lines, reminded.invoices) == (before.state, before.lines, before.invoices)


class TestFirstHeardAmidItsLife:
    @pytest.mark.parametrize("type_", ["subscription.updated", "subscription.uncanceled", "subscription.canceled"])
    def test_it_is_as_it_shows_itself(self, type_: str) -> None:
        subscription = after((type_, fs.subscription(), SOON + 3 * DAY))
        assert (subscription.state, subscription.begun) == (State.ACTIVE, False)

    def test_a_renewal_makes_it_active(self) -> None:
        subscription = after(RENEWED)
        assert (subscription.state, line_of(subscription).attributes) == (State.ACTIVE, fs.TERMS)

    def test_one_whose_charge_is_due_waits_for_it(self) -> None:
        assert after(("subscription.updated", fs.subscription(), LATER)).state is State.PENDING


class TestUnderstanding:
    def test_another_type_is_only_noted(self) -> None:
        assert fs.facts_of("subscription.group.prorated", fs.subscription()) == [f.Noted()]
        assert fs.facts_of("payoutEntry.created", {"id": "p"}) == [f.Noted()]

    def test_an_account_that_changed_says_who_it_is(self) -> None:
        assert fs.facts_of("account.updated", fs.account()) == [
            f.CustomerDescribed(reference=ACCOUNT, email="ada@example.com", name="Ada Example")
        ]

    @pytest.mark.parametrize("changes", [{"quantity": "two"}, {"next": "soon"}, {"state": "\0"}, {"begin": 10**30}])
    def test_a_shape_that_is_not_promised_is_refused_without_its_content(self, changes: Json) -> None:
        [event] = fs.stored(fs.event("subscription.updated", fs.subscription(**changes)))
        with pytest.raises(Untranslatable) as caught:
            PROVIDER.translate(event)
        assert str(caught.value).startswith("subscription.updated: ")
        assert "soon" not in str(caught.value)

    def test_dates_beyond_the_calendar_are_refused(self) -> None:
        shown = fs.overdue(1, next=253_402_300_000_000)
        with pytest.raises(Untranslatable, match="calendar"):
            fs.facts_of("subscription.payment.overdue", shown)

    def test_objects_as_of_2019_are_understood(self) -> None:
        old = [(type_, fs.as_of_2019(data), created) for type_, data, created in OPENING]
        subscription = after(*old)
        assert (subscription.state, set(subscription.invoices)) == (State.ACTIVE, {ORDER})
