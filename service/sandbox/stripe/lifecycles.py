"""Whole lives of subscriptions and purchases, by name: what happened, told by the events Stripe sends."""

from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta

from service.sandbox.stripe import catalog
from service.sandbox.stripe.account import Account
from service.sandbox.stripe.delivery import Delivery, deliveries
from service.sandbox.stripe.shapes import Shape

START = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
"""The 31st, so that months of 28 and 30 days are met."""

DAYS = timedelta(days=1)


class Lifecycle:
    """A story that an account can live through; calling it gives the deliveries in true order."""

    def __init__(self, story: Callable[[Account], object]) -> None:
        self._story = story
        self.name = story.__name__
        self.__doc__ = story.__doc__

    def account(self, *, start: datetime = START, seed: str | None = None, livemode: bool = False) -> Account:
        """The account after the story. The seed (by default the name) decides all identifiers."""
        account = Account(seed or self.name, start=start, livemode=livemode)
        self._story(account)
        return account

    def __call__(
        self,
        shape: Shape | Callable[[int], Shape] = Shape.CLOVER,
        *,
        start: datetime = START,
        seed: str | None = None,
        livemode: bool = False,
        types: Collection[str] | None = None,
    ) -> list[Delivery]:
        account = self.account(start=start, seed=seed, livemode=livemode)
        return deliveries(account.happenings, account.merchant, shape, types=types)


@Lifecycle
def trial_to_active_to_renewals(account: Account) -> None:
    subscription, _ = account.check_out_subscription(
        "Ada Marlow", "ada@example.com", [(catalog.PRO_MONTHLY, 1)], trial_days=14
    )
    for _ in range(3):
        account.renew(subscription)


@Lifecycle
def past_due_recovered(account: Account) -> None:
    subscription = _monthly(account, "Bruno Keller", "bruno@example.com")
    account.fail_payment(subscription)
    account.fail_payment(subscription)
    account.advance(2 * DAYS)
    account.recover(subscription)
    account.renew(subscription)


@Lifecycle
def past_due_unpaid_canceled(account: Account) -> None:
    subscription = _monthly(account, "Chiara Voss", "chiara@example.com")
    account.renew(subscription)
    for _ in range(3):
        account.fail_payment(subscription)
    account.become_unpaid(subscription)
    account.advance(5 * DAYS)
    account.cancel_now(subscription, "payment_failed")


@Lifecycle
def past_due_lapsed(account: Account) -> None:
    """The account's settings cancel after the last attempt, without a detour over `unpaid`."""
    subscription = _monthly(account, "Cosmo Lind", "cosmo@example.com")
    for _ in range(3):
        account.fail_payment(subscription)
    account.lapse(subscription)


@Lifecycle
def unpaid_recovered(account: Account) -> None:
    """Unpaid over the turn of a period, whose bill stays a draft; then the customer pays."""
    subscription = _monthly(account, "Delia Sand", "delia@example.com")
    account.fail_payment(subscription)
    account.become_unpaid(subscription)
    account.renew(subscription)
    account.advance(3 * DAYS)
    account.recover(subscription)


@Lifecycle
def upgrade_to_yearly(account: Account) -> None:
    """The same product by the year: the anchor moves and a new period begins."""
    subscription = _monthly(account, "Emil Ostrow", "emil@example.com")
    account.advance(14 * DAYS)
    account.change_plan(subscription, catalog.PRO_YEARLY)
    account.renew(subscription)


@Lifecycle
def upgrade_to_other_product(account: Account) -> None:
    """Another product on the same item: the period stays, the license does not."""
    subscription = _monthly(account, "Fatima Noor", "fatima@example.com")
    account.advance(10 * DAYS)
    account.change_plan(subscription, catalog.STUDIO_MONTHLY)
    account.renew(subscription)


@Lifecycle
def downgrade(account: Account) -> None:
    """What is given back exceeds what is owed: an invoice paid with nothing, and a balance that pays later."""
    subscription = account.subscribe(
        account.customer("Gregor Hale", "gregor@example.com"), [(catalog.STUDIO_MONTHLY, 1)]
    )
    account.advance(5 * DAYS)
    account.change_plan(subscription, catalog.PRO_MONTHLY)
    account.renew(subscription)


@Lifecycle
def quantity_change(account: Account) -> None:
    """Two, then five, then three."""
    subscription = account.subscribe(account.customer("Hanna Brandt", "hanna@example.com"), [(catalog.TEAM_MONTHLY, 2)])
    account.advance(9 * DAYS)
    account.change_quantity(subscription, 5)
    account.advance(9 * DAYS)
    account.change_quantity(subscription, 3)
    account.renew(subscription)


@Lifecycle
def cancel_at_period_end_and_change_of_mind(account: Account) -> None:
    subscription = _monthly(account, "Iris Calder", "iris@example.com")
    account.advance(12 * DAYS)
    account.cancel_at_period_end(subscription, "too_expensive")
    account.advance(1 * DAYS)
    account.withdraw_cancellation(subscription)
    account.renew(subscription)


@Lifecycle
def cancel_at_period_end(account: Account) -> None:
    subscription = _monthly(account, "Jonas Reed", "jonas@example.com")
    account.renew(subscription)
    account.advance(3 * DAYS)
    account.cancel_at_period_end(subscription, "unused")
    account.reach_period_end(subscription)


@Lifecycle
def canceled_at_once(account: Account) -> None:
    subscription = _monthly(account, "Kira Stone", "kira@example.com")
    account.advance(20 * DAYS)
    account.cancel_now(subscription)


@Lifecycle
def refund_full(account: Account) -> None:
    subscription = _monthly(account, "Lars Finch", "lars@example.com")
    account.advance(2 * DAYS)
    account.refund(subscription)


@Lifecycle
def refund_partial(account: Account) -> None:
    """In two steps, so that the cumulative amount matters."""
    subscription = _monthly(account, "Mira Holm", "mira@example.com")
    account.advance(2 * DAYS)
    account.refund(subscription, 5_00)
    account.advance(1 * DAYS)
    account.refund(subscription, 7_00)
    account.renew(subscription)


@Lifecycle
def dispute_won(account: Account) -> None:
    subscription = _monthly(account, "Nils Abbott", "nils@example.com")
    account.advance(4 * DAYS)
    dispute = account.open_dispute(subscription)
    account.advance(16 * DAYS)
    account.close_dispute(dispute, "won")
    account.renew(subscription)


@Lifecycle
def dispute_lost(account: Account) -> None:
    subscription = _monthly(account, "Olga Prince", "olga@example.com")
    account.advance(4 * DAYS)
    dispute = account.open_dispute(subscription, "product_not_received")
    account.advance(16 * DAYS)
    account.close_dispute(dispute, "lost")
    account.cancel_now(subscription, "payment_disputed")


@Lifecycle
def incomplete_expired(account: Account) -> None:
    customer = account.customer("Pavel Quist", "pavel@example.com")
    account.expire(account.subscribe(customer, [(catalog.PRO_MONTHLY, 1)], payment="fails"))


@Lifecycle
def first_payment_after_authentication(account: Account) -> None:
    """3-D Secure: incomplete until the customer has answered the bank."""
    customer = account.customer("Rosa Tamm", "rosa@example.com")
    subscription = account.subscribe(customer, [(catalog.PRO_MONTHLY, 1)], payment="needs_authentication")
    account.advance(timedelta(minutes=7))
    account.confirm(subscription)
    account.renew(subscription)


@Lifecycle
def two_lines(account: Account) -> None:
    """One line is a license, the other a service whose price names no product of the license server."""
    customer = account.customer("Selma Ubright", "selma@example.com")
    subscription = account.subscribe(customer, [(catalog.TEAM_MONTHLY, 2), (catalog.PRIORITY_SUPPORT_MONTHLY, 1)])
    account.renew(subscription)
    account.advance(6 * DAYS)
    line = account.add_item(subscription, catalog.PRO_MONTHLY)
    account.advance(6 * DAYS)
    account.remove_item(subscription, line)
    account.renew(subscription)


@Lifecycle
def send_invoice(account: Account) -> None:
    """Bills by mail: active before the money is there, once paid late."""
    customer = account.customer("Theo Vane", "theo@example.com")
    subscription = account.subscribe(customer, [(catalog.TEAM_MONTHLY, 4)], collection="send_invoice")
    account.advance(11 * DAYS)
    account.pay_invoice(subscription)
    account.renew(subscription)
    account.fall_overdue(subscription)
    account.advance(3 * DAYS)
    account.recover(subscription)


@Lifecycle
def pause_and_resume_collection(account: Account) -> None:
    """A month whose bill is voided; the status stays active all the time."""
    subscription = _monthly(account, "Uma Wilder", "uma@example.com")
    account.advance(8 * DAYS)
    account.pause_collection(subscription, "void", resumes_at=account.now + 45 * DAYS)
    account.renew(subscription)
    account.advance(10 * DAYS)
    account.resume_collection(subscription)
    account.renew(subscription)


@Lifecycle
def trial_paused_and_resumed(account: Account) -> None:
    """A trial without a card pauses at its end, until the customer comes back with one."""
    customer = account.customer("Vera Young", "vera@example.com")
    subscription = account.subscribe(customer, [(catalog.PRO_MONTHLY, 1)], trial_days=7, card=False)
    account.pause(subscription)
    account.advance(5 * DAYS)
    account.resume(subscription)
    account.renew(subscription)


@Lifecycle
def customer_changes_email(account: Account) -> None:
    customer = account.customer("Wanda Zell", "wanda@example.com")
    subscription = account.subscribe(customer, [(catalog.PRO_MONTHLY, 1)])
    account.advance(6 * DAYS)
    account.change_email(customer, "wanda.zell@example.com")
    account.renew(subscription)


@Lifecycle
def mixed_intervals(account: Account) -> None:
    """A yearly and a monthly line in one subscription: only basil and later can say so."""
    customer = account.customer("Xaver Amis", "xaver@example.com")
    subscription = account.subscribe(customer, [(catalog.PRO_YEARLY, 1), (catalog.FLOATING_MONTHLY, 10)])
    account.renew(subscription)
    account.renew(subscription)


@Lifecycle
def one_time_purchase(account: Account) -> None:
    """Bought by a guest: no customer, no invoice, and the event does not say what was bought."""
    account.check_out_purchase("Yara Birch", "yara@example.com", [(catalog.PERPETUAL, 1)], guest=True)


@Lifecycle
def one_time_purchase_with_invoice_refunded(account: Account) -> None:
    session = account.check_out_purchase("Zeno Cole", "zeno@example.com", [(catalog.PERPETUAL, 2)], invoice=True)
    account.advance(3 * DAYS)
    account.refund(session)


@Lifecycle
def one_time_purchase_paid_later(account: Account) -> None:
    """A bank debit: `unpaid` first, and the money comes after four days."""
    session = account.check_out_purchase("Anton Dray", "anton@example.com", [(catalog.YEAR_PASS, 1)], delayed=True)
    account.advance(4 * DAYS)
    account.clear(session, succeeds=True)


@Lifecycle
def one_time_purchase_never_paid(account: Account) -> None:
    session = account.check_out_purchase("Berit Eck", "berit@example.com", [(catalog.YEAR_PASS, 1)], delayed=True)
    account.advance(4 * DAYS)
    account.clear(session, succeeds=False)


@Lifecycle
def one_time_purchase_with_invoice_paid_later(account: Account) -> None:
    """A bank debit, with an invoice: that one is made, and named, only when the money came."""
    bought = [(catalog.YEAR_PASS, 1), (catalog.PERPETUAL, 2)]
    session = account.check_out_purchase("Cilla Frost", "cilla@example.com", bought, delayed=True, invoice=True)
    account.advance(4 * DAYS)
    account.clear(session, succeeds=True)


@Lifecycle
def one_time_purchase_with_invoice_not_named(account: Account) -> None:
    """The checkout tells of the purchase before it knows its invoice."""
    bought = [(catalog.PERPETUAL, 2)]
    account.check_out_purchase("Dario Glen", "dario@example.com", bought, invoice=True, names_invoice=False)


def _monthly(account: Account, name: str, email: str) -> str:
    return account.subscribe(account.customer(name, email), [(catalog.PRO_MONTHLY, 1)])


LIFECYCLES = {
    each.name: each
    for each in (
        trial_to_active_to_renewals,
        past_due_recovered,
        past_due_unpaid_canceled,
        past_due_lapsed,
        unpaid_recovered,
        upgrade_to_yearly,
        upgrade_to_other_product,
        downgrade,
        quantity_change,
        cancel_at_period_end_and_change_of_mind,
        cancel_at_period_end,
        canceled_at_once,
        refund_full,
        refund_partial,
        dispute_won,
        dispute_lost,
        incomplete_expired,
        first_payment_after_authentication,
        two_lines,
        send_invoice,
        pause_and_resume_collection,
        trial_paused_and_resumed,
        customer_changes_email,
        mixed_intervals,
        one_time_purchase,
        one_time_purchase_with_invoice_refunded,
        one_time_purchase_paid_later,
        one_time_purchase_never_paid,
        one_time_purchase_with_invoice_paid_later,
        one_time_purchase_with_invoice_not_named,
    )
}

NEEDS_BASIL = frozenset({mixed_intervals.name})
"""Stories that acacia has no words for."""


def lifecycles(shape: Shape) -> dict[str, Lifecycle]:
    """The stories that can be told in that API version."""
    return {name: each for name, each in LIFECYCLES.items() if shape is not Shape.ACACIA or name not in NEEDS_BASIL}
