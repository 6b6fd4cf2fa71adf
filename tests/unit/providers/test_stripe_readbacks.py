"""Given what is known of a stream, then what is asked from Stripe's API; given its answer, then streams and facts."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from domain import facts as f
from domain.events import Event, Stream, stream_of
from domain.history import refold
from domain.lifecycle import State
from domain.providers import Untranslatable, open_wants
from domain.readback import Want
from tests.payloads import stripe
from tests.payloads.stripe import APRIL, FEBRUARY, MARCH, STRIPE, Json, answered, at

SUBSCRIPTION = stream_of("shop", "subscription", "sub_1")
INVOICE = stream_of("shop", "invoice", "in_1")
PAYMENT = stream_of("shop", "payment", "pi_1")
PAID_BY = "invoice_payments?payment[type]=payment_intent&payment[payment_intent]=pi_1"


def told(type_: str, object_: Json, **more: Any) -> Event:
    return stripe.stored(stripe.event(type_, object_, **more))


def wanted(*events: Event) -> list[Want]:
    """What is still to be asked after those events of one stream."""
    numbered = [msgspec.structs.replace(event, position=number) for number, event in enumerate(events, 1)]
    stream = events[0].stream
    fold = refold(numbered, STRIPE)
    assert not fold.stopped
    return open_wants(STRIPE, stream, fold.subscription)


def abouts(*events: Event) -> list[str]:
    return [want.about for want in wanted(*events)]


def facts_in(stream: Stream, about: str, *pages: Json, asker: Stream | None = None) -> Sequence[f.Fact]:
    """What the answer says in that stream."""
    [event] = [each for each in answered(about, *pages, stream=asker or stream) if each.stream == stream]
    return STRIPE.translate(event)


class TestWants:
    def test_a_checkout_does_not_say_what_was_bought(self) -> None:
        [want] = wanted(told("checkout.session.completed", stripe.session()))
        assert want.about == "checkout/sessions/cs_test_1/line_items"
        assert (want.essential, want.patient) == (True, False)

    def test_what_an_invoiced_checkout_consists_of_is_most_likely_told_by_its_invoice(self) -> None:
        [want] = wanted(told("checkout.session.completed", stripe.session(invoice="in_1")))
        assert (want.about, want.essential, want.patient) == ("invoices/in_1/lines", True, True)

    def test_of_an_invoice_each_price_is_asked_once(self) -> None:
        other = stripe.line(id_="il_3", item=None, price_=stripe.price("price_other"))
        lines = [stripe.line(item=None), stripe.line(id_="il_2", item=None), other]
        asked = wanted(told("invoice.paid", stripe.invoice(subscription=None, lines=lines)))
        assert [want.about for want in asked] == ["prices/price_pro", "prices/price_other"]
        assert all(want.essential and not want.patient for want in asked)

    def test_prices_that_acacia_embeds_are_not_asked(self) -> None:
        assert not wanted(told("invoice.paid", stripe.invoice("acacia", subscription=None), era="acacia"))

    def test_a_subscription_without_lines_is_read_whole_if_nothing_tells_of_it_soon(self) -> None:
        [want] = wanted(told("invoice.paid", stripe.invoice()))
        assert (want.about, want.essential, want.patient) == ("subscriptions/sub_1", True, True)

    def test_a_subscription_that_shows_some_items_is_asked_for_all_and_again_whenever_it_changes(self) -> None:
        some = {**stripe.subscription(), "items": stripe.page(stripe.item(), has_more=True)}
        first = told("customer.subscription.updated", some)
        about = f"subscription_items?subscription=sub_1#{FEBRUARY}"
        want = wanted(first)[0]
        assert (want.about, want.essential, want.patient) == (about, False, False)

        both = stripe.page(stripe.item(), stripe.item(id_="si_2"))
        [answer] = answered(about, both, asked=FEBRUARY + 1)
        assert abouts(first, answer) == ["customers/cus_1"]

        later = told("customer.subscription.updated", some, id_="evt_2", created=MARCH)
        assert abouts(first, answer, later)[0] == f"subscription_items?subscription=sub_1#{MARCH}"

    def test_the_address_of_a_customer_who_is_only_named_is_asked_unless_an_invoice_tells_it(self) -> None:
        created = told("customer.subscription.created", stripe.subscription())
        [want] = wanted(created)
        assert (want.about, want.essential, want.patient) == ("customers/cus_1", False, True)
        assert not wanted(created, told("invoice.paid", stripe.invoice(), id_="evt_2"))

    def test_an_account_that_is_no_customer_is_not_asked(self) -> None:
        account = stripe.subscription(customer=None, customer_account="acct_9")
        assert not wanted(told("customer.subscription.created", account))

    @pytest.mark.parametrize(
        ("type_", "object_"), [("charge.refunded", stripe.charge()), ("charge.dispute.created", stripe.dispute())]
    )
    def test_money_back_of_a_payment_asks_which_invoice_it_paid(self, type_: str, object_: Json) -> None:
        [want] = wanted(told(type_, object_))
        assert (want.about, want.essential, want.patient) == (PAID_BY, False, True)

    def test_a_checkout_that_is_to_be_invoiced_asks_for_the_invoice(self) -> None:
        visit = stripe.session(invoice_creation={"enabled": True})
        assert abouts(told("checkout.session.completed", visit)) == [PAID_BY]

    def test_a_free_checkout_that_may_be_invoiced_asks_whether_it_was(self) -> None:
        free: Json = {"payment_intent": None, "payment_status": "no_payment_required"}
        visit = told("checkout.session.completed", stripe.session(**free, invoice_creation={"enabled": True}))
        [want] = wanted(visit)
        assert want.about == "checkout/sessions/cs_test_1?expand[]=line_items"
        assert (want.essential, want.patient) == (True, True)
        lines = {"line_items": stripe.page(stripe.line_item())}
        for invoice, sold in (("in_1", []), (None, ["li_1"])):
            session = {**stripe.session(**free), "invoice": invoice, **lines}
            [answer] = answered(want.about, session, stream=visit.stream)
            fold = refold([visit, msgspec.structs.replace(answer, position=2)], STRIPE)
            assert [line_id[:3] for line_id in fold.subscription.lines] == [each[:3] for each in sold]
            assert (fold.subscription.state, fold.subscription.lines_from, fold.stopped) == (State.ACTIVE, "", "")

    def test_a_payment_that_paid_an_invoice_asks_what_the_invoice_is_for(self) -> None:
        [want] = wanted(told("invoice_payment.paid", stripe.invoice_payment()))
        assert (want.about, want.essential, want.patient) == ("invoices/in_1", False, True)

    def test_money_back_for_an_invoice_nobody_told_of_asks_for_all_that_were_paid(self) -> None:
        created = told("customer.subscription.created", stripe.subscription(customer=None))
        refund = told("charge.refunded", stripe.charge("acacia"), era="acacia", id_="evt_2")
        refund = msgspec.structs.replace(refund, stream=SUBSCRIPTION, origin="relay")
        [want] = wanted(created, refund)
        assert want.about == "invoices?subscription=sub_1&status=paid#in_1"
        assert (want.essential, want.patient) == (False, True)
        assert not wanted(created, refund, told("invoice.paid", stripe.invoice(), id_="evt_3"))

    def test_a_charge_without_a_payment_leads_nowhere(self) -> None:
        assert not wanted(told("charge.refunded", stripe.charge(payment_intent=None)))

    def test_what_is_not_about_money_asks_nothing(self) -> None:
        assert not wanted(told("charge.succeeded", stripe.charge()))
        assert not wanted(told("customer.updated", stripe.customer()))

    def test_an_id_that_is_no_plain_word_stays_one_part_of_the_path(self) -> None:
        odd = stripe.session(id="cs/../x?y=1#z", payment_intent="pi_1")
        [about] = abouts(told("checkout.session.completed", odd))
        assert about == "checkout/sessions/cs%2F..%2Fx%3Fy%3D1%23z/line_items"

    @pytest.mark.parametrize("pages", [[], [stripe.customer(email=None)], [{"id": "cus_1", "deleted": True}]])
    def test_what_was_answered_is_not_asked_again_be_it_in_vain(self, pages: list[Json]) -> None:
        created = told("customer.subscription.created", stripe.subscription())
        assert not wanted(created, *answered("customers/cus_1", *pages))


class TestStreams:
    def test_an_answer_belongs_to_whoever_asked(self) -> None:
        assert STRIPE.unpack_answer(PAYMENT, "prices/price_1", b"{}") == [(PAYMENT, "readback.price")]

    def test_what_paid_an_invoice_is_told_to_the_invoice_as_well(self) -> None:
        payments = stripe.page(stripe.invoice_payment(), {**stripe.invoice_payment(), "invoice": "in_2"})
        streams = [event.stream for event in answered(PAID_BY, payments, stream=PAYMENT)]
        assert streams == [PAYMENT, INVOICE, stream_of("shop", "invoice", "in_2")]

    def test_an_invoice_of_a_subscription_is_told_to_the_subscription_as_well(self) -> None:
        events = answered("invoices/in_1", stripe.invoice(), stream=INVOICE)
        assert [(event.stream, event.type) for event in events] == [
            (INVOICE, "readback.invoice"),
            (SUBSCRIPTION, "readback.invoice"),
        ]

    def test_the_lines_of_an_invoice_concern_nobody_else(self) -> None:
        [event] = answered("invoices/in_1/lines", stripe.page(stripe.line()), stream=INVOICE)
        assert event.type == "readback.invoice_lines"

    @pytest.mark.parametrize("bad", ["in_\n", "i" * 256, "", 7, None])
    def test_an_id_that_cannot_be_a_name_is_left_out(self, bad: Any) -> None:
        payments = stripe.page({**stripe.invoice_payment(), "invoice": bad})
        assert [event.stream for event in answered(PAID_BY, payments, stream=PAYMENT)] == [PAYMENT]

    def test_one_answer_is_taken_to_a_bounded_number_of_streams(self) -> None:
        payments = stripe.page(*({**stripe.invoice_payment(), "invoice": f"in_{number}"} for number in range(500)))
        assert len(answered(PAID_BY, payments, stream=PAYMENT)) == 101


class TestAnswers:
    def test_line_items_are_the_lines_with_their_prices_over_all_pages(self) -> None:
        about = "checkout/sessions/cs_test_1/line_items"
        monthly = stripe.line_item(id="li_2", price=stripe.price("price_m", "prod_m"), quantity=None)
        unpriced = stripe.line_item(id="li_3", price=None)
        pages = [stripe.page(stripe.line_item(), has_more=True), stripe.page(monthly, unpriced)]
        assert facts_in(PAYMENT, about, *pages) == [
            f.AnswerRead(about=about),
            f.LinesDescribed(
                lines=(
                    f.Line(
                        id="li_1",
                        product="prod_pro",
                        price="price_pro",
                        quantity=2,
                        attributes={"short_code": "falcon-pro"},
                        recurring=False,
                    ),
                    f.Line(id="li_2", product="prod_m", price="price_m", quantity=1, recurring=True),
                    f.Line(id="li_3", product="", price="", quantity=2, recurring=False),
                )
            ),
        ]

    def test_the_line_items_of_an_invoiced_purchase_are_not_its_lines(self) -> None:
        about = "checkout/sessions/cs_test_1/line_items"
        assert facts_in(INVOICE, about, stripe.page(stripe.line_item())) == [f.AnswerRead(about=about)]

    def test_the_lines_of_an_invoice_are_those_that_its_event_shows(self) -> None:
        manual = stripe.invoice(subscription=None)
        shown = [fact for fact in stripe.facts_of("invoice.paid", manual) if isinstance(fact, f.LinesDescribed)]
        assert facts_in(INVOICE, "invoices/in_1/lines", manual["lines"])[1:] == shown

    def test_a_price_says_its_terms(self) -> None:
        price = stripe.price(short_code="falcon-pro")
        assert facts_in(INVOICE, "prices/price_pro", price) == [
            f.AnswerRead(about="prices/price_pro"),
            f.PriceDescribed(price="price_pro", product="prod_pro", attributes={"short_code": "falcon-pro"}),
        ]

    def test_a_subscription_is_a_snapshot(self) -> None:
        snapshot = stripe.facts_of("customer.subscription.updated", stripe.subscription(status="past_due"))
        answer = facts_in(SUBSCRIPTION, "subscriptions/sub_1", stripe.subscription(status="past_due"))
        assert answer == [f.AnswerRead(about="subscriptions/sub_1"), *snapshot]

    def test_all_items_of_a_subscription_are_the_complete_list(self) -> None:
        about = f"subscription_items?subscription=sub_1#{FEBRUARY}"
        pages = [stripe.page(stripe.item(), has_more=True), stripe.page(stripe.item(id_="si_2"))]
        [_, described] = facts_in(SUBSCRIPTION, about, *pages)
        assert isinstance(described, f.LinesDescribed)
        assert described.complete
        assert [(line.id, line.period_end) for line in described.lines] == [("si_1", at(MARCH)), ("si_2", at(MARCH))]

    def test_a_customer_says_who_it_is(self) -> None:
        assert facts_in(SUBSCRIPTION, "customers/cus_1", stripe.customer()) == [
            f.AnswerRead(about="customers/cus_1"),
            f.CustomerDescribed(reference="cus_1", email="ada@example.com", name="Ada Example"),
        ]

    def test_a_deleted_customer_is_not_found(self) -> None:
        gone = {"id": "cus_1", "object": "customer", "deleted": True}
        assert facts_in(SUBSCRIPTION, "customers/cus_1", gone) == [f.AnswerRead(about="customers/cus_1", found=False)]

    def test_what_there_is_not_is_not_found(self) -> None:
        assert facts_in(INVOICE, "prices/price_1") == [f.AnswerRead(about="prices/price_1", found=False)]

    def test_what_paid_an_invoice_links_it_to_the_payment_and_no_stream_to_itself(self) -> None:
        payments = stripe.page(stripe.invoice_payment())
        linked = f.PaymentLinked(payment="pi_1", invoice="in_1")
        assert facts_in(PAYMENT, PAID_BY, payments) == [f.AnswerRead(about=PAID_BY), linked]
        assert facts_in(INVOICE, PAID_BY, payments, asker=PAYMENT) == [
            f.AnswerRead(about=PAID_BY),
            f.StreamsLinked(streams=("payment/pi_1",)),
            linked,
        ]

    def test_a_payment_that_was_canceled_paid_nothing(self) -> None:
        payments = stripe.page({**stripe.invoice_payment(), "status": "canceled"})
        assert facts_in(PAYMENT, PAID_BY, payments) == [f.AnswerRead(about=PAID_BY)]

    def test_an_invoice_of_a_subscription_leads_there_and_pays_nothing(self) -> None:
        about, invoice = "invoices/in_1", stripe.invoice()
        assert facts_in(INVOICE, about, invoice) == [f.AnswerRead(about=about)]
        there = facts_in(SUBSCRIPTION, about, invoice, asker=INVOICE)
        assert there == [f.AnswerRead(about=about), f.StreamsLinked(streams=("invoice/in_1",))]

    def test_the_invoices_of_a_subscription_pay_their_periods_if_they_are_paid(self) -> None:
        about = "invoices?subscription=sub_1&status=paid#in_1"
        page = stripe.page(stripe.invoice(), stripe.invoice(id="in_2", status="void"))
        facts = facts_in(SUBSCRIPTION, about, page)
        assert facts == [f.AnswerRead(about=about), *stripe.facts_of("invoice.paid", stripe.invoice())]

    def test_an_invoice_that_is_not_paid_is_no_purchase(self) -> None:
        unpaid = stripe.invoice(status="open", subscription=None)
        assert facts_in(INVOICE, "invoices/in_1", unpaid) == [f.AnswerRead(about="invoices/in_1")]

    def test_a_paid_invoice_of_no_subscription_is_a_purchase(self) -> None:
        manual = stripe.invoice(subscription=None)
        facts = facts_in(INVOICE, "invoices/in_1", manual)
        assert facts[1:] == stripe.facts_of("invoice.paid", manual)

    def test_an_answer_nobody_reads_is_at_least_answered(self) -> None:
        assert facts_in(INVOICE, "products/prod_1", {"id": "prod_1"}) == [f.AnswerRead(about="products/prod_1")]

    def test_an_answer_of_another_shape_is_untranslatable_and_shows_no_value(self) -> None:
        with pytest.raises(Untranslatable, match=r"readback\.customer: Expected `str \| null`.*`\$\.email`") as caught:
            facts_in(SUBSCRIPTION, "customers/cus_1", stripe.customer(email={"address": "ada@example.com"}))
        assert "example.com" not in str(caught.value)

    def test_a_copied_answer_says_the_same(self) -> None:
        [answer] = answered("prices/price_pro", stripe.price())
        assert STRIPE.translate(msgspec.structs.replace(answer, origin="relay")) == STRIPE.translate(answer)


def test_an_answer_is_folded_before_what_happened_in_the_same_second() -> None:
    [answer] = answered("subscriptions/sub_1", stripe.subscription(status="past_due"), asked=APRIL)
    event = told("customer.subscription.updated", stripe.subscription(status="active"), id_="a", created=APRIL)
    assert STRIPE.settle([event, answer]) == [answer, event]
