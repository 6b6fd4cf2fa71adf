"""Given events about a subscription at FastSpring, then what is known of it: beginnings, trials, changes."""

import msgspec
import pytest

from domain import facts as f
from domain.lifecycle import State
from domain.providers import Untranslatable
from domain.providers.fastspring import PROVIDER
from tests.fastspring_stories import LATER, OPENING, RENEWED, SOON, Told, after, facts, line_of, only
from tests.payloads import fastspring as fs
from tests.payloads.fastspring import ACCOUNT, APRIL, BOUGHT, DAY, FEBRUARY, MARCH, ORDER, PRO, REFERENCE, Json, at

MANAGED: Json = {"adhoc": True, "next": None, "intervalUnit": "adhoc"}


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
        event, _ = fs.stored_bytes(body.replace(b"123456789.29", b"90071992547409.93"))
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
        none = ("subscription.updated", fs.subscription(addons=[]), SOON + 1)
        assert set(after(*OPENING, more, none).lines) == {"subscription"}

    @pytest.mark.parametrize("shown", [fs.subscription(), fs.subscription(addons=None)], ids=["missing", "null"])
    def test_addons_stay_where_none_are_listed(self, shown: Json) -> None:
        more = ("subscription.updated", fs.subscription(addons=["extra"]), SOON)
        reminded = ("subscription.payment.reminder", shown, SOON + DAY)
        assert set(after(*OPENING, more, reminded).lines) == {"subscription", "addon/extra"}

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

    @pytest.mark.parametrize(
        "changes",
        [
            {"quantity": 2.0},
            {"intervalLength": 1200},
            {"paymentOverdue": {"intervalUnit": "week", "intervalLength": 1, "total": 4, "sent": -1}},
            {"attributes": {**fs.TERMS, "colors": {"dark": "blue"}, "sizes": [1, 2]}},
            {"product": fs.product(attributes={**fs.TERMS, "page": {"a": 1}})},  # type: ignore[dict-item]
        ],
    )
    def test_an_odd_value_of_what_does_not_matter_stops_nothing(self, changes: Json) -> None:
        line = line_of(after(*OPENING, ("subscription.updated", fs.subscription(**changes), SOON)))
        assert (line.quantity, line.attributes) == (2, fs.TERMS)

    def test_half_a_unit_is_refused(self) -> None:
        with pytest.raises(Untranslatable, match="whole number"):
            fs.facts_of("subscription.updated", fs.subscription(quantity=2.5))

    def test_dates_beyond_the_calendar_are_refused(self) -> None:
        shown = fs.overdue(1, next=253_402_300_000_000)
        with pytest.raises(Untranslatable, match="calendar"):
            fs.facts_of("subscription.payment.overdue", shown)

    def test_objects_as_of_2019_are_understood(self) -> None:
        old = [(type_, fs.as_of_2019(data), created) for type_, data, created in OPENING]
        subscription = after(*old)
        assert (subscription.state, set(subscription.invoices)) == (State.ACTIVE, {ORDER})
