"""A dozen customers for a demonstration, each at another point of a subscription's life."""

from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec

from service.sandbox.stripe import catalog
from service.sandbox.stripe.account import Account
from service.sandbox.stripe.delivery import Delivery, deliveries
from service.sandbox.stripe.shapes import Shape

DAYS = timedelta(days=1)
HOURS = timedelta(hours=1)


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """A customer as the demonstration introduces them. `now` of the account is the moment of the last event."""

    name: str
    email: str
    story: str
    account: Account
    deliveries: list[Delivery]


def demo_customers(now: datetime, shape: Shape = Shape.CLOVER, *, livemode: bool = False) -> list[Person]:
    """People whose lives reach up to `now` (aware), so that whoever pays has a license that is valid today.

    The same `now` gives the same bytes, another one other identifiers. Raises ValueError for a naive `now`.
    """
    people = []
    for name, story, began, live in _PEOPLE:
        email = f"{name.split()[0].lower()}@example.com"
        seed = f"{name} {now.isoformat(timespec='seconds')}"
        account = Account(seed, start=(now - began).replace(microsecond=0), livemode=livemode)
        live(account, name, email, now)
        told = deliveries(account.happenings, account.merchant, shape)
        people.append(Person(name=name, email=email, story=story, account=account, deliveries=told))
    return people


def _renewed_until(account: Account, subscription: str, now: datetime) -> None:
    """All renewals that are paid by `now`: an invoice stays a draft for an hour."""
    while account.due(subscription) + 2 * HOURS <= now:
        account.renew(subscription)


def _after_a_trial(account: Account, name: str, email: str, now: datetime) -> None:
    subscription, _ = account.check_out_subscription(name, email, [(catalog.PRO_MONTHLY, 1)], trial_days=14)
    _renewed_until(account, subscription, now)


def _by_the_year(account: Account, name: str, email: str, _: datetime) -> None:
    account.check_out_subscription(name, email, [(catalog.PRO_YEARLY, 1)])


def _a_growing_team(account: Account, name: str, email: str, now: datetime) -> None:
    subscription = account.subscribe(account.customer(name, email), [(catalog.TEAM_MONTHLY, 2)])
    account.advance(9 * DAYS)
    account.change_quantity(subscription, 5)
    _renewed_until(account, subscription, now)
    account.advance(1 * DAYS)
    account.change_quantity(subscription, 3)


def _from_month_to_year(account: Account, name: str, email: str, now: datetime) -> None:
    subscription, _ = account.check_out_subscription(name, email, [(catalog.PRO_MONTHLY, 1)])
    _renewed_until(account, subscription, now)
    account.advance(1 * DAYS)
    account.change_plan(subscription, catalog.PRO_YEARLY)


def _to_another_product(account: Account, name: str, email: str, now: datetime) -> None:
    subscription, _ = account.check_out_subscription(name, email, [(catalog.PRO_MONTHLY, 1)])
    account.advance(12 * DAYS)
    account.change_plan(subscription, catalog.STUDIO_MONTHLY)
    _renewed_until(account, subscription, now)


def _past_due(account: Account, name: str, email: str, _: datetime) -> None:
    subscription, _customer = account.check_out_subscription(name, email, [(catalog.PRO_MONTHLY, 1)])
    account.fail_payment(subscription)


def _unpaid(account: Account, name: str, email: str, _: datetime) -> None:
    subscription, _customer = account.check_out_subscription(name, email, [(catalog.PRO_MONTHLY, 1)])
    for _attempt in range(3):
        account.fail_payment(subscription)
    account.become_unpaid(subscription)
    account.advance(3 * DAYS)
    account.cancel_now(subscription, "payment_failed")


def _recovered(account: Account, name: str, email: str, now: datetime) -> None:
    subscription, _ = account.check_out_subscription(name, email, [(catalog.PRO_MONTHLY, 1)], trial_days=14)
    account.renew(subscription)
    account.fail_payment(subscription)
    account.fail_payment(subscription)
    account.advance(26 * HOURS)
    account.recover(subscription)
    _renewed_until(account, subscription, now)


def _leaving(account: Account, name: str, email: str, now: datetime) -> None:
    subscription, _ = account.check_out_subscription(name, email, [(catalog.PRO_MONTHLY, 1)])
    _renewed_until(account, subscription, now)
    account.advance(2 * DAYS)
    account.cancel_at_period_end(subscription, "unused")


def _of_another_mind(account: Account, name: str, email: str, now: datetime) -> None:
    subscription, _ = account.check_out_subscription(name, email, [(catalog.STUDIO_MONTHLY, 1)])
    _renewed_until(account, subscription, now)
    account.advance(1 * DAYS)
    account.cancel_at_period_end(subscription, "too_expensive")
    account.advance(1 * DAYS)
    account.withdraw_cancellation(subscription)


def _gone(account: Account, name: str, email: str, _: datetime) -> None:
    subscription, _customer = account.check_out_subscription(name, email, [(catalog.PRO_MONTHLY, 1)])
    account.advance(5 * DAYS)
    account.cancel_at_period_end(subscription, "switched_service")
    account.reach_period_end(subscription)


def _in_trial(account: Account, name: str, email: str, _: datetime) -> None:
    account.check_out_subscription(name, email, [(catalog.STUDIO_MONTHLY, 1)], trial_days=14)


def _refunded(account: Account, name: str, email: str, _: datetime) -> None:
    subscription, _customer = account.check_out_subscription(name, email, [(catalog.PRO_MONTHLY, 1)])
    account.advance(2 * DAYS)
    account.refund(subscription)


def _disputed(account: Account, name: str, email: str, _: datetime) -> None:
    subscription, _customer = account.check_out_subscription(name, email, [(catalog.PRO_YEARLY, 1)])
    account.advance(6 * DAYS)
    dispute = account.open_dispute(subscription)
    account.advance(4 * DAYS)
    account.close_dispute(dispute, "won")


def _perpetual(account: Account, name: str, email: str, _: datetime) -> None:
    account.check_out_purchase(name, email, [(catalog.PERPETUAL, 1)], invoice=True)


def _a_company(account: Account, name: str, email: str, now: datetime) -> None:
    customer = account.customer(name, email)
    items = [(catalog.TEAM_MONTHLY, 4), (catalog.PRIORITY_SUPPORT_MONTHLY, 1)]
    subscription = account.subscribe(customer, items, collection="send_invoice")
    account.advance(6 * DAYS)
    account.pay_invoice(subscription)
    while account.due(subscription) + 8 * DAYS <= now:
        account.renew(subscription)
        account.advance(7 * DAYS)
        account.pay_invoice(subscription)
    account.change_email(customer, f"licenses.{email}")


_PEOPLE: tuple[tuple[str, str, timedelta, Callable[[Account, str, str, datetime], None]], ...] = (
    ("Ada Marlow", "tried for two weeks, pays by the month since", 80 * DAYS, _after_a_trial),
    ("Bruno Keller", "pays by the year", 120 * DAYS, _by_the_year),
    ("Chiara Voss", "a team of two, then five, then three", 45 * DAYS, _a_growing_team),
    ("Emil Ostrow", "went from monthly to yearly", 50 * DAYS, _from_month_to_year),
    ("Fatima Noor", "went from Falcon Pro to Falcon Studio", 40 * DAYS, _to_another_product),
    ("Gregor Hale", "the last payment failed, Stripe goes on trying", 33 * DAYS, _past_due),
    ("Hanna Brandt", "a trial, renewals; failed to pay twice, then paid", 80 * DAYS, _recovered),
    ("Igor Lund", "three payments failed; unpaid, then ended", 75 * DAYS, _unpaid),
    ("Iris Calder", "leaves at the end of the month", 45 * DAYS, _leaving),
    ("Ines Duarte", "wanted to leave and thought better of it", 50 * DAYS, _of_another_mind),
    ("Jonas Reed", "left a month ago", 60 * DAYS, _gone),
    ("Kira Stone", "is in a trial", 5 * DAYS, _in_trial),
    ("Lars Finch", "got the money back", 9 * DAYS, _refunded),
    ("Mira Holm", "disputed the payment; the vendor won", 12 * DAYS, _disputed),
    ("Nils Abbott", "bought a perpetual license", 3 * DAYS, _perpetual),
    ("Olga Prince", "four seats and support, pays by invoice, moved", 70 * DAYS, _a_company),
)
