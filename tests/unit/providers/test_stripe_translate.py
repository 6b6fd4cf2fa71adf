"""Given an event of Stripe, as one of three API versions renders it, then facts."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from domain import facts as f
from domain.events import stream_of
from domain.providers import Untranslatable
from tests.payloads import stripe
from tests.payloads.stripe import APRIL, FEBRUARY, MARCH, STRIPE, Era, Json, at

every_era = pytest.mark.parametrize("era", stripe.ERAS)

CANCELLATION = {"reason": "cancellation_requested", "feedback": None, "comment": None}


def facts_of(type_: str, object_: Json, **more: Any) -> Sequence[f.Fact]:
    return STRIPE.translate(stripe.stored(stripe.event(type_, object_, **more)))


def snapshot(**changes: Any) -> Sequence[f.Fact]:
    return facts_of("customer.subscription.updated", stripe.subscription(**changes))


class TestSubscription:
    @every_era
    def test_a_snapshot_says_the_same_in_every_api_version(self, era: Era) -> None:
        facts = facts_of("customer.subscription.created", stripe.subscription(era), era=era)

        assert facts == [
            f.StreamsLinked(streams=("customer/cus_1",)),
            f.CustomerDescribed(reference="cus_1"),
            f.LinesDescribed(
                lines=(
                    f.Line(
                        id="si_1",
                        product="prod_pro",
                        price="price_pro",
                        quantity=2,
                        attributes={"short_code": "falcon-pro", "max_activations": "3"},
                        period_start=at(FEBRUARY),
                        period_end=at(MARCH),
                    ),
                )
            ),
            f.CollectionTermsDescribed(),
            f.SubscriptionActivated(),
            f.CancellationWithdrawn(),
            f.CollectionResumed(),
        ]

    @pytest.mark.parametrize(
        ("status", "fact"),
        [
            ("incomplete", f.SubscriptionOpened()),
            ("trialing", f.TrialStarted(until=at(MARCH))),
            ("active", f.SubscriptionActivated()),
            ("past_due", f.PaymentFellOverdue()),
            ("unpaid", f.SubscriptionSuspended(reason="unpaid")),
            ("paused", f.SubscriptionSuspended(reason="paused")),
            ("canceled", f.SubscriptionTerminated()),
            ("incomplete_expired", f.SubscriptionTerminated(reason="incomplete_expired")),
        ],
    )
    def test_each_status_is_one_fact(self, status: str, fact: f.Fact) -> None:
        assert fact in snapshot(status=status, trial_end=MARCH)

    def test_a_status_that_is_not_known_is_untranslatable_and_named(self) -> None:
        with pytest.raises(Untranslatable, match=r"customer\.subscription\.updated: Unknown status 'dormant'"):
            snapshot(status="dormant")

    @pytest.mark.parametrize("reason", ["cancellation_requested", "payment_failed", "payment_disputed"])
    def test_a_termination_says_why(self, reason: str) -> None:
        facts = snapshot(status="canceled", cancellation_details={"reason": reason})
        assert f.SubscriptionTerminated(reason=reason) in facts

    def test_a_deleted_subscription_is_over_whatever_status_it_shows(self) -> None:
        facts = facts_of("customer.subscription.deleted", stripe.subscription(status="active"))
        assert f.SubscriptionTerminated() in facts
        assert f.SubscriptionActivated() not in facts

    @pytest.mark.parametrize("type_", ["paused", "resumed", "trial_will_end"])
    def test_paused_resumed_and_trial_will_end_are_snapshots_too(self, type_: str) -> None:
        facts = facts_of(f"customer.subscription.{type_}", stripe.subscription(status="paused"))
        assert f.SubscriptionSuspended(reason="paused") in facts

    def test_the_end_of_a_trial_is_announced(self) -> None:
        trialing = stripe.subscription(status="trialing", trial_end=MARCH)
        facts = facts_of("customer.subscription.trial_will_end", trialing)
        assert f.TrialEndAnnounced(at=at(MARCH)) in facts
        assert f.TrialStarted(until=at(MARCH)) in facts

    @pytest.mark.parametrize("type_", ["pending_update_applied", "pending_update_expired"])
    def test_pending_updates_are_only_noted(self, type_: str) -> None:
        assert facts_of(f"customer.subscription.{type_}", stripe.subscription()) == [f.Noted()]


class TestLines:
    def described(self, **changes: Any) -> f.LinesDescribed:
        [described] = [fact for fact in snapshot(**changes) if isinstance(fact, f.LinesDescribed)]
        return described

    def test_items_of_mixed_intervals_keep_their_own_periods(self) -> None:
        items = [stripe.item(id_="si_1"), stripe.item(id_="si_2", current_period_end=APRIL)]
        assert [line.period_end for line in self.described(items=items).lines] == [at(MARCH), at(APRIL)]

    def test_the_period_of_the_item_wins_where_a_rendering_has_both(self) -> None:
        both = self.described(items=[stripe.item("clover")], current_period_start=MARCH, current_period_end=APRIL)
        assert both.lines[0].period_start == at(FEBRUARY)
        assert both.lines[0].period_end == at(MARCH)

    def test_a_metered_price_has_no_quantity_and_counts_as_one(self) -> None:
        assert self.described(items=[stripe.item(quantity=None)]).lines[0].quantity == 1

    def test_a_quantity_of_zero_stays_zero(self) -> None:
        assert self.described(items=[stripe.item(quantity=0)]).lines[0].quantity == 0

    def test_a_first_page_is_not_the_complete_list(self) -> None:
        page = {"object": "list", "data": [stripe.item()], "has_more": True}
        facts = facts_of("customer.subscription.updated", {**stripe.subscription(), "items": page})
        [described] = [fact for fact in facts if isinstance(fact, f.LinesDescribed)]
        assert described.complete is False

    def test_expanded_references_are_read_by_their_id(self) -> None:
        sold = {**stripe.price(), "product": {"id": "prod_pro", "object": "product", "name": "Falcon"}}
        expanded = stripe.subscription(
            items=[stripe.item(price=sold)], customer={"id": "cus_9", "object": "customer", "deleted": True}
        )
        facts = facts_of("customer.subscription.updated", expanded)
        assert f.CustomerDescribed(reference="cus_9") in facts
        assert next(fact for fact in facts if isinstance(fact, f.LinesDescribed)).lines[0].product == "prod_pro"

    def test_an_account_takes_the_place_of_the_customer_in_accounts_v2(self) -> None:
        facts = snapshot(customer=None, customer_account="acct_9")
        assert f.CustomerDescribed(reference="acct_9") in facts
        assert not [fact for fact in facts if isinstance(fact, f.StreamsLinked)]


class TestPlans:
    def test_a_cancellation_at_a_date_is_scheduled(self) -> None:
        facts = snapshot(cancel_at=APRIL, cancellation_details=CANCELLATION)
        assert f.CancellationScheduled(at=at(APRIL), reason="cancellation_requested") in facts

    @every_era
    def test_a_cancellation_at_the_period_end_takes_the_date_from_where_the_version_keeps_it(self, era: Era) -> None:
        ending = stripe.subscription(era, cancel_at_period_end=True)
        facts = facts_of("customer.subscription.updated", ending, era=era)
        assert f.CancellationScheduled(at=at(MARCH)) in facts

    def test_with_mixed_intervals_it_ends_with_the_last_period(self) -> None:
        items = [stripe.item(id_="si_1", current_period_end=APRIL), stripe.item(id_="si_2")]
        facts = snapshot(items=items, cancel_at_period_end=True)
        assert f.CancellationScheduled(at=at(APRIL)) in facts

    def test_a_period_end_that_is_not_named_schedules_nothing_and_withdraws_nothing(self) -> None:
        facts = snapshot(items=[], cancel_at_period_end=True)
        assert not [fact for fact in facts if isinstance(fact, f.CancellationScheduled | f.CancellationWithdrawn)]

    def test_a_snapshot_without_a_planned_end_withdraws_it(self) -> None:
        assert f.CancellationWithdrawn() in snapshot()

    def test_paused_collection_is_no_state(self) -> None:
        facts = snapshot(pause_collection={"behavior": "void", "resumes_at": APRIL})
        assert f.CollectionPaused(until=at(APRIL), behavior="void") in facts
        assert f.SubscriptionActivated() in facts

    def test_invoices_that_are_sent_have_days_until_they_are_due(self) -> None:
        facts = snapshot(collection_method="send_invoice", days_until_due=30)
        assert f.CollectionTermsDescribed(days_until_due=30) in facts

    def test_days_left_over_from_sent_invoices_say_nothing_once_charging_is_automatic(self) -> None:
        assert f.CollectionTermsDescribed() in snapshot(days_until_due=30)


class TestInvoiceOfASubscription:
    @pytest.mark.parametrize("type_", ["invoice.paid", "invoice.payment_succeeded"])
    @pytest.mark.parametrize("era", ["basil", "clover"])
    def test_a_paid_invoice_pays_a_period_of_each_item(self, type_: str, era: Era) -> None:
        assert facts_of(type_, stripe.invoice(era), era=era) == [
            f.StreamsLinked(streams=("invoice/in_1",)),
            f.CustomerDescribed(reference="cus_1", email="ada@example.com", name="Ada Example"),
            f.PeriodPaid(
                invoice="in_1",
                periods=(f.PaidPeriod(line="si_1", start=at(FEBRUARY), end=at(MARCH), quantity=2),),
                amount=5800,
                currency="usd",
                reason="subscription_cycle",
            ),
        ]

    def test_acacia_names_the_payment_as_well(self) -> None:
        facts = facts_of("invoice.paid", stripe.invoice("acacia"), era="acacia")
        assert f.StreamsLinked(streams=("invoice/in_1", "payment/pi_1")) in facts
        assert f.PaymentLinked(payment="pi_1", invoice="in_1") in facts
        assert [fact.periods[0].line for fact in facts if isinstance(fact, f.PeriodPaid)] == ["si_1"]

    def test_a_charge_without_an_intent_is_the_payment(self) -> None:
        facts = facts_of("invoice.paid", stripe.invoice("acacia", payment_intent=None), era="acacia")
        assert f.StreamsLinked(streams=("invoice/in_1", "charge/ch_1")) in facts
        assert f.PaymentLinked(payment="ch_1", invoice="in_1") in facts

    def test_a_rendering_with_both_shapes_is_read_by_the_new_one(self) -> None:
        mixed = {**stripe.invoice("clover"), "subscription": "sub_old"}
        event = stripe.stored(stripe.event("invoice.paid", mixed))
        assert event.stream == stream_of("shop", "subscription", "sub_1")

    @every_era
    def test_proration_is_flagged(self, era: Era) -> None:
        lines = [stripe.line(era, id_="il_1", proration=True, amount=-2250), stripe.line(era, id_="il_2")]
        facts = facts_of("invoice.paid", stripe.invoice(era, lines=lines), era=era)
        [paid] = [fact for fact in facts if isinstance(fact, f.PeriodPaid)]
        assert [period.proration for period in paid.periods] == [True, False]

    @every_era
    def test_a_line_that_bills_no_item_pays_no_period(self, era: Era) -> None:
        lines = [stripe.line(era, id_="il_1", item=None), stripe.line(era, id_="il_2", item="si_2")]
        facts = facts_of("invoice.paid", stripe.invoice(era, lines=lines), era=era)
        [paid] = [fact for fact in facts if isinstance(fact, f.PeriodPaid)]
        assert [period.line for period in paid.periods] == ["si_2"]

    def test_details_that_the_type_does_not_name_are_left_alone(self) -> None:
        noisy = stripe.line("clover")
        noisy["parent"]["type"] = "invoice_item_details"
        facts = facts_of("invoice.paid", stripe.invoice(lines=[noisy]))
        [paid] = [fact for fact in facts if isinstance(fact, f.PeriodPaid)]
        assert paid.periods == ()

    def test_further_lines_are_noted(self) -> None:
        page = {"object": "list", "data": [stripe.line()], "has_more": True}
        facts = facts_of("invoice.paid", {**stripe.invoice(), "lines": page})
        assert any(isinstance(fact, f.Noted) and "more lines" in fact.about for fact in facts)

    def test_a_failed_payment_says_when_it_is_tried_again(self) -> None:
        failed = stripe.invoice(status="open", attempt_count=2, next_payment_attempt=APRIL)
        assert facts_of("invoice.payment_failed", failed) == [
            f.PaymentFailed(invoice="in_1", attempt=2, next_attempt=at(APRIL))
        ]

    def test_the_last_failed_payment_has_no_next_attempt(self) -> None:
        failed = stripe.invoice(status="open", attempt_count=4, next_payment_attempt=None)
        assert facts_of("invoice.payment_failed", failed) == [f.PaymentFailed(invoice="in_1", attempt=4)]

    def test_a_payment_that_needs_the_customer_is_told(self) -> None:
        facts = facts_of("invoice.payment_action_required", stripe.invoice(status="open"))
        assert facts == [f.PaymentActionRequired(invoice="in_1")]

    def test_a_payment_is_linked_to_its_invoice(self) -> None:
        assert facts_of("invoice_payment.paid", stripe.invoice_payment()) == [
            f.StreamsLinked(streams=("payment/pi_1",)),
            f.PaymentLinked(payment="pi_1", invoice="in_1"),
        ]

    def test_a_payment_by_charge_is_linked_to_its_invoice(self) -> None:
        facts = facts_of("invoice_payment.paid", stripe.invoice_payment(type="charge", charge="ch_1"))
        assert f.StreamsLinked(streams=("charge/ch_1",)) in facts
        assert f.PaymentLinked(payment="ch_1", invoice="in_1") in facts

    def test_a_payment_made_elsewhere_is_noted(self) -> None:
        elsewhere = stripe.invoice_payment(type="payment_record", payment_record="prec_1")
        [noted] = facts_of("invoice_payment.paid", elsewhere)
        assert isinstance(noted, f.Noted)


class TestPurchase:
    def test_a_manual_invoice_only_names_its_prices_so_they_are_wanted(self) -> None:
        assert facts_of("invoice.paid", stripe.invoice(subscription=None)) == [
            f.CustomerDescribed(reference="cus_1", email="ada@example.com", name="Ada Example"),
            f.PurchaseCompleted(paid=True, lines_known=False, wanted="price metadata of the invoice's lines"),
        ]

    def test_acacia_embeds_the_prices_so_the_lines_are_known(self) -> None:
        manual = stripe.invoice("acacia", subscription=None)
        sold = f.Line(
            id="il_1",
            product="prod_pro",
            price="price_pro",
            quantity=2,
            attributes={"short_code": "falcon-pro"},
            recurring=False,
        )
        facts = facts_of("invoice.paid", manual, era="acacia")
        assert facts[1:] == [
            f.StreamsLinked(streams=("payment/pi_1",)),
            f.PaymentLinked(payment="pi_1", invoice="in_1"),
            f.LinesDescribed(lines=(sold,)),
            f.PurchaseCompleted(paid=True),
        ]

    @pytest.mark.parametrize("missing", ["a price", "a page"])
    def test_lines_that_are_known_in_part_are_not_known(self, missing: str) -> None:
        manual = stripe.invoice("acacia", subscription=None)
        if missing == "a price":
            manual["lines"]["data"].append(stripe.line("acacia", id_="il_2", item=None, price=None))
        else:
            manual["lines"]["has_more"] = True
        facts = facts_of("invoice.paid", manual, era="acacia")
        [completed] = [fact for fact in facts if isinstance(fact, f.PurchaseCompleted)]
        assert completed.lines_known is False
        assert not [fact for fact in facts if isinstance(fact, f.LinesDescribed)]

    def test_an_expanded_price_of_a_new_rendering_is_as_good(self) -> None:
        manual = stripe.invoice("clover", subscription=None)
        manual["lines"]["data"][0]["pricing"]["price_details"]["price"] = stripe.price(short_code="falcon-pro")
        [described] = [fact for fact in facts_of("invoice.paid", manual) if isinstance(fact, f.LinesDescribed)]
        assert described.lines[0].attributes == {"short_code": "falcon-pro"}

    def test_a_guest_buys_at_the_checkout(self) -> None:
        assert facts_of("checkout.session.completed", stripe.session()) == [
            f.CustomerDescribed(email="bob@example.com", name="Bob Example", company="Example Ltd."),
            f.PurchaseCompleted(paid=True, lines_known=False, wanted="line items of the checkout session"),
        ]

    @pytest.mark.parametrize(("status", "paid"), [("paid", True), ("no_payment_required", True), ("unpaid", False)])
    def test_a_checkout_is_paid_unless_its_payment_is_delayed(self, status: str, paid: bool) -> None:
        facts = facts_of("checkout.session.completed", stripe.session(payment_status=status))
        assert [fact.paid for fact in facts if isinstance(fact, f.PurchaseCompleted)] == [paid]

    def test_a_delayed_payment_arrives(self) -> None:
        facts = facts_of("checkout.session.async_payment_succeeded", stripe.session())
        assert [fact.paid for fact in facts if isinstance(fact, f.PurchaseCompleted)] == [True]

    def test_a_delayed_payment_fails(self) -> None:
        facts = facts_of("checkout.session.async_payment_failed", stripe.session(payment_status="unpaid"))
        assert f.PurchaseFailed() in facts

    def test_a_delayed_payment_of_a_subscription_fails_no_purchase(self) -> None:
        facts = facts_of("checkout.session.async_payment_failed", stripe.session("subscription"))
        assert not [fact for fact in facts if isinstance(fact, f.PurchaseFailed)]

    def test_a_checkout_with_an_invoice_links_the_payment_to_it(self) -> None:
        facts = facts_of("checkout.session.completed", stripe.session(invoice="in_1"))
        assert f.StreamsLinked(streams=("payment/pi_1",)) in facts
        assert f.PaymentLinked(payment="pi_1", invoice="in_1") in facts

    def test_a_checkout_of_a_subscription_tells_who_and_which_invoice(self) -> None:
        bought = stripe.session("subscription", invoice="in_1", customer="cus_1")
        assert facts_of("checkout.session.completed", bought) == [
            f.CustomerDescribed(reference="cus_1", email="bob@example.com", name="Bob Example", company="Example Ltd."),
            f.StreamsLinked(streams=("invoice/in_1",)),
        ]

    def test_a_checkout_without_details_falls_back_to_the_prefilled_address(self) -> None:
        visit = stripe.session(customer_details=None, customer_email="bob@example.com")
        assert f.CustomerDescribed(email="bob@example.com") in facts_of("checkout.session.completed", visit)

    def test_setting_up_a_way_to_pay_buys_nothing(self) -> None:
        facts = facts_of("checkout.session.completed", stripe.session("setup"))
        assert {type(fact) for fact in facts} == {f.CustomerDescribed, f.Noted}

    def test_a_mode_that_is_not_known_is_untranslatable(self) -> None:
        with pytest.raises(Untranslatable, match="Unknown mode 'barter'"):
            facts_of("checkout.session.completed", stripe.session("barter"))


class TestMoneyBack:
    @every_era
    def test_a_refund_is_cumulative_and_names_its_payment(self, era: Era) -> None:
        refunded = stripe.charge(era, amount_refunded=1000, refunded=False)
        assert facts_of("charge.refunded", refunded, era=era) == [
            f.PaymentRefunded(
                payment="pi_1",
                amount=5800,
                refunded=1000,
                currency="usd",
                invoice="in_1" if era == "acacia" else "",
            )
        ]

    def test_a_charge_without_an_intent_is_its_own_payment(self) -> None:
        [refunded] = facts_of("charge.refunded", stripe.charge(payment_intent=None))
        assert isinstance(refunded, f.PaymentRefunded)
        assert refunded.payment == "ch_1"

    def test_a_dispute_opens(self) -> None:
        assert facts_of("charge.dispute.created", stripe.dispute()) == [
            f.DisputeOpened(dispute="dp_1", payment="pi_1", amount=5800, currency="usd", reason="fraudulent")
        ]

    @pytest.mark.parametrize(
        ("status", "outcome"),
        [
            ("won", f.DisputeOutcome.WON),
            ("lost", f.DisputeOutcome.LOST),
            ("warning_closed", f.DisputeOutcome.WITHDRAWN),
            ("prevented", f.DisputeOutcome.WITHDRAWN),
        ],
    )
    def test_a_dispute_closes(self, status: str, outcome: f.DisputeOutcome) -> None:
        assert facts_of("charge.dispute.closed", stripe.dispute(status=status)) == [
            f.DisputeClosed(dispute="dp_1", payment="pi_1", outcome=outcome)
        ]

    def test_a_dispute_that_closes_in_a_way_not_known_is_untranslatable(self) -> None:
        with pytest.raises(Untranslatable, match="Unknown status 'forgotten' of a closed dispute"):
            facts_of("charge.dispute.closed", stripe.dispute(status="forgotten"))


class TestEverythingElse:
    def test_a_customer_changes_name(self) -> None:
        changed = stripe.customer(name=None, individual_name="Ada King", business_name="Engines Ltd.")
        assert facts_of("customer.updated", changed) == [
            f.CustomerDescribed(reference="cus_1", email="ada@example.com", name="Ada King", company="Engines Ltd.")
        ]

    @pytest.mark.parametrize("type_", ["invoice.finalized", "customer.created", "payment_intent.succeeded", "x.y"])
    def test_other_types_are_noted(self, type_: str) -> None:
        assert facts_of(type_, {"id": "x_1", "object": "x"}) == [f.Noted()]

    def test_an_unreadable_body_is_noted(self) -> None:
        assert STRIPE.translate(stripe.stored_bytes(b"not json")) == [f.Noted()]

    def test_an_event_of_the_wrong_mode_changes_nothing(self) -> None:
        payload = stripe.event("customer.subscription.updated", stripe.subscription(), livemode=True)
        [noted] = STRIPE.translate(stripe.stored(payload))
        assert isinstance(noted, f.Noted)

    def test_an_event_inside_a_page_of_events_is_read_at_its_place(self) -> None:
        event = stripe.stored(stripe.event("charge.refunded", stripe.charge()))
        page = {"object": "list", "data": [{}, msgspec.json.decode(event.body)]}
        inside = msgspec.structs.replace(event, body=msgspec.json.encode(page), item="/data/1")
        assert STRIPE.translate(inside) == STRIPE.translate(event)

    @pytest.mark.parametrize("item", ["/data/7", "/date/0", "/data/0/x/y", "/data/x"])
    def test_a_place_that_is_not_there_is_untranslatable(self, item: str) -> None:
        event = stripe.stored(stripe.event("charge.refunded", stripe.charge()))
        page = msgspec.json.encode({"object": "list", "data": [{}]})
        with pytest.raises(Untranslatable, match=r"charge\.refunded"):
            STRIPE.translate(msgspec.structs.replace(event, body=page, item=item))


class TestWrongShapes:
    def test_the_error_names_type_and_place_and_no_value(self) -> None:
        broken = {**stripe.invoice(), "customer_email": {"address": "ada@example.com"}}
        with pytest.raises(Untranslatable) as caught:
            facts_of("invoice.paid", broken)
        assert (
            str(caught.value) == "invoice.paid: Expected `str | null`, got `object` - at `$.data.object.customer_email`"
        )
        assert caught.value.__cause__ is None

    def test_a_name_that_no_database_can_hold_is_refused_without_showing_it(self) -> None:
        with pytest.raises(Untranslatable, match=r"at `\$\.data\.object\.name`") as caught:
            facts_of("customer.updated", stripe.customer(name="Ada\x00"))
        assert "Ada" not in str(caught.value)

    def test_a_body_that_was_cut_is_untranslatable(self) -> None:
        event = stripe.stored(stripe.event("invoice.paid", stripe.invoice()))
        with pytest.raises(Untranslatable, match=r"invoice\.paid: Input data was truncated"):
            STRIPE.translate(msgspec.structs.replace(event, body=event.body[:-20]))
