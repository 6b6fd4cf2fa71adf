"""Given Stripe's invoices, payments, checkouts, refunds and disputes in three API versions, then facts."""

import msgspec
import pytest

from domain import facts as f
from domain.events import stream_of
from domain.providers import Untranslatable
from tests.payloads import stripe
from tests.payloads.stripe import APRIL, FEBRUARY, MARCH, STRIPE, Era, Json, at, every_era, facts_of


class TestInvoiceOfASubscription:
    @pytest.mark.parametrize("type_", ["invoice.paid", "invoice.payment_succeeded"])
    @pytest.mark.parametrize("era", ["basil", "clover"])
    def test_a_paid_invoice_pays_a_period_of_each_item(self, type_: str, era: Era) -> None:
        assert facts_of(type_, stripe.invoice(era), era=era) == [
            f.StreamsLinked(streams=("invoice/in_1",)),
            f.CustomerDescribed(reference="cus_1", email="ada@example.com", name="Ada Example", as_billed=True),
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

    @pytest.mark.parametrize(("reason", "noted"), [("subscription_create", True), ("subscription_update", False)])
    def test_what_is_bought_once_beside_a_new_subscription_is_noted(self, reason: str, noted: bool) -> None:
        once = stripe.line("clover", item=None)
        facts = facts_of("invoice.paid", stripe.invoice(lines=[stripe.line("clover"), once], billing_reason=reason))
        assert noted == any(isinstance(fact, f.Noted) and "beside the subscription" in fact.about for fact in facts)

    def test_further_lines_are_noted(self) -> None:
        page = {"object": "list", "data": [stripe.line()], "has_more": True}
        facts = facts_of("invoice.paid", {**stripe.invoice(), "lines": page})
        assert any(isinstance(fact, f.Noted) and "more lines" in fact.about for fact in facts)

    def test_a_failed_payment_says_when_it_is_tried_again(self) -> None:
        failed = stripe.invoice(status="open", attempt_count=2, next_payment_attempt=APRIL)
        assert facts_of("invoice.payment_failed", failed) == [
            f.PaymentFailed(invoice="in_1", attempt=2, next_attempt=at(APRIL))
        ]

    @pytest.mark.parametrize(
        ("changes", "final"),
        [
            ({}, True),
            ({"next_payment_attempt": APRIL}, False),
            ({"collection_method": "send_invoice"}, False),
            ({"collection_method": None}, False),
            ({"status": "paid"}, False),
            ({"attempt_count": 0}, False),
        ],
        ids=repr,
    )
    def test_a_charge_that_failed_with_no_attempt_planned_was_the_last(self, changes: Json, final: bool) -> None:
        plain = {"status": "open", "attempt_count": 4, "collection_method": "charge_automatically"}
        [failed] = facts_of("invoice.payment_failed", stripe.invoice(**{**plain, **changes}))
        assert isinstance(failed, f.PaymentFailed)
        assert failed.final is final

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
    def test_a_manual_invoice_only_names_its_prices(self) -> None:
        sold = f.Line(id="il_1", product="prod_pro", price="price_pro", quantity=2, recurring=False, described=False)
        assert facts_of("invoice.paid", stripe.invoice(subscription=None)) == [
            f.CustomerDescribed(reference="cus_1", email="ada@example.com", name="Ada Example", as_billed=True),
            f.LinesDescribed(lines=(sold,)),
            f.PurchaseCompleted(paid=True),
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
            f.PriceDescribed(price="price_pro", product="prod_pro", attributes={"short_code": "falcon-pro"}),
            f.LinesDescribed(lines=(sold,)),
            f.PurchaseCompleted(paid=True),
        ]

    @every_era
    def test_of_an_invoice_that_shows_its_first_page_all_lines_are_wanted(self, era: Era) -> None:
        manual = stripe.invoice(era, subscription=None)
        manual["lines"]["has_more"] = True
        facts = facts_of("invoice.paid", manual, era=era)
        [completed] = [fact for fact in facts if isinstance(fact, f.PurchaseCompleted)]
        assert completed.lines_from == "invoices/in_1/lines"
        assert not [fact for fact in facts if isinstance(fact, f.LinesDescribed)]

    @pytest.mark.parametrize("era", ["acacia", "clover"])
    def test_a_line_without_a_price_has_nothing_to_be_wanted(self, era: Era) -> None:
        amount = stripe.line(era, id_="il_2", item=None, price=None, pricing=None)
        facts = facts_of("invoice.paid", stripe.invoice(era, subscription=None, lines=[amount]), era=era)
        [described] = [fact for fact in facts if isinstance(fact, f.LinesDescribed)]
        assert described.lines == (f.Line(id="il_2", product="", price="", quantity=2, recurring=False),)

    def test_an_expanded_price_of_a_new_rendering_is_as_good(self) -> None:
        manual = stripe.invoice("clover", subscription=None)
        manual["lines"]["data"][0]["pricing"]["price_details"]["price"] = stripe.price(short_code="falcon-pro")
        [described] = [fact for fact in facts_of("invoice.paid", manual) if isinstance(fact, f.LinesDescribed)]
        assert described.lines[0].attributes == {"short_code": "falcon-pro"}

    def test_a_guest_buys_at_the_checkout(self) -> None:
        assert facts_of("checkout.session.completed", stripe.session()) == [
            f.CustomerDescribed(email="bob@example.com", name="Bob Example", company="Example Ltd."),
            f.PurchaseCompleted(paid=True, lines_from="checkout/sessions/cs_test_1/line_items"),
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

    def test_a_checkout_with_an_invoice_consists_of_the_lines_of_the_invoice(self) -> None:
        facts = facts_of("checkout.session.completed", stripe.session(invoice="in_1"))
        assert facts[1:] == [
            f.StreamsLinked(streams=("payment/pi_1",)),
            f.PaymentLinked(payment="pi_1", invoice="in_1"),
            f.PurchaseCompleted(paid=True, lines_from="invoices/in_1/lines"),
        ]

    def test_a_checkout_whose_invoice_is_still_to_be_made_is_no_purchase_of_its_own(self) -> None:
        invoiced = {"enabled": True, "invoice_data": {"metadata": {}}}
        facts = facts_of("checkout.session.completed", stripe.session(invoice_creation=invoiced))
        assert facts[1:] == [f.PaymentLinked(payment="pi_1", invoice="")]

    def test_a_checkout_whose_invoice_waits_for_a_delayed_payment_is_a_note(self) -> None:
        invoiced = {"enabled": True, "invoice_data": {"metadata": {}}}
        visit = stripe.session(invoice_creation=invoiced, payment_status="unpaid")
        [_, noted] = facts_of("checkout.session.completed", visit)
        assert isinstance(noted, f.Noted)

    def test_a_checkout_whose_invoice_is_not_paid_yet_is_a_note_there_too(self) -> None:
        facts = facts_of("checkout.session.completed", stripe.session(invoice="in_1", payment_status="unpaid"))
        assert f.PaymentLinked(payment="pi_1", invoice="in_1") in facts
        assert not [fact for fact in facts if isinstance(fact, f.PurchaseCompleted)]

    def test_a_checkout_that_was_copied_to_its_invoice_speaks_of_that_one(self) -> None:
        visit = stripe.stored(stripe.event("checkout.session.completed", stripe.session()))
        copied = msgspec.structs.replace(visit, stream=stream_of("shop", "invoice", "in_9"), origin="relay")
        assert f.PaymentLinked(payment="pi_1", invoice="in_9") in STRIPE.translate(copied)
        assert f.PurchaseCompleted(paid=True, lines_from="invoices/in_9/lines") in STRIPE.translate(copied)

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

    def test_a_refund_that_failed_at_the_bank_is_told_to_a_person(self) -> None:
        refund = {"id": "re_1", "object": "refund", "charge": "ch_1", "payment_intent": "pi_1"}
        [noted] = facts_of("charge.refund.updated", {**refund, "status": "failed"})
        assert isinstance(noted, f.Noted)
        assert "failed at the bank" in noted.about
        assert facts_of("charge.refund.updated", {**refund, "status": "succeeded"}) == [f.Noted()]

    def test_a_dispute_opens(self) -> None:
        assert facts_of("charge.dispute.created", stripe.dispute()) == [
            f.DisputeOpened(dispute="dp_1", payment="pi_1", amount=5800, currency="usd", reason="fraudulent")
        ]

    @pytest.mark.parametrize("type_", ["created", "updated", "funds_withdrawn"])
    def test_an_inquiry_is_a_note_until_it_becomes_a_dispute(self, type_: str) -> None:
        inquiry = stripe.dispute(status="warning_needs_response")
        assert facts_of(f"charge.dispute.{type_}", inquiry) == [f.Noted(about="dispute warning needs response")]
        [opened] = facts_of(f"charge.dispute.{type_}", stripe.dispute(status="under_review"))
        assert isinstance(opened, f.DisputeOpened)

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

    def test_a_dispute_that_closes_in_a_way_not_known_takes_nothing_away(self) -> None:
        [closed] = facts_of("charge.dispute.closed", stripe.dispute(status="forgotten"))
        assert closed == f.DisputeClosed(dispute="dp_1", payment="pi_1", outcome=f.DisputeOutcome.WITHDRAWN)
