"""Given an event of a Stripe subscription or customer, as one of three API versions renders it, then facts."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from domain import facts as f
from domain.providers import Untranslatable
from tests.payloads import stripe
from tests.payloads.stripe import APRIL, FEBRUARY, MARCH, STRIPE, Era, at, every_era, facts_of

CANCELLATION = {"reason": "cancellation_requested", "feedback": None, "comment": None}


def snapshot(**changes: Any) -> Sequence[f.Fact]:
    return facts_of("customer.subscription.updated", stripe.subscription(**changes))


class TestSubscription:
    @every_era
    def test_a_snapshot_says_the_same_in_every_api_version(self, era: Era) -> None:
        facts = facts_of("customer.subscription.created", stripe.subscription(era), era=era)

        assert facts == [
            f.SubscriptionBegan(),
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
        assert described.rest_from == f"subscription_items?subscription=sub_1#{FEBRUARY}"

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
