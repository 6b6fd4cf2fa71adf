"""Random but legal lives of Stripe subscriptions, told by their webhooks.

An act is drawn from those that the simulated account allows at that moment, so a sequence is never refused. Before
the clock passes the end of a subscription's period, what Stripe would do by itself (renew, fail, end, pause) is drawn
and done first.
"""

from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from service.sandbox.stripe import Account, Delivery, Shape, catalog, deliveries
from service.sandbox.stripe.legality import legal_acts
from service.sandbox.stripe.model import Price, Subscription

DAY = timedelta(days=1)
MARGIN = timedelta(hours=3)
"""A renewal is paid more than an hour after its period began."""

STARTS = (datetime(2026, 1, 31, 9, 30, tzinfo=UTC), datetime(2025, 12, 1, tzinfo=UTC))
MONTHLY = tuple(price for price in catalog.RECURRING if price.interval == "month")
FINAL = frozenset({"canceled", "incomplete_expired"})
MOST_ITEMS = 3

# What the customer or the merchant does when they like; the rest comes with the turn of a period.
CHOSEN = (
    "cancel_at_period_end", "withdraw_cancellation", "cancel_now", "change_quantity", "change_plan", "add_item",
    "remove_item", "pause_collection", "resume_collection", "resume", "recover", "pay_invoice", "confirm", "refund",
    "dispute", "close_dispute", "change_email", "fail_payment", "fall_overdue",
)  # fmt: skip
TURNS = ("renew", "renew", "renew", "fail_payment", "reach_period_end", "pause")
AFTER_A_FAILURE = ("recover", "recover", "become_unpaid", "lapse")


@st.composite
def accounts(
    draw: st.DrawFn, *, most_subscriptions: int = 3, most_acts: int = 8, single_interval: bool = False
) -> Account:
    """An account in which one to three subscriptions were led through random lives.

    `single_interval`: all items of a subscription keep one common period, as acacia needs it.
    """
    account = Account(
        f"drawn-{draw(st.integers(0, 9999))}", start=draw(st.sampled_from(STARTS)), lag=draw(st.integers(0, 2))
    )
    life = _Life(draw, account, single_interval=single_interval)
    for _ in range(draw(st.integers(1, most_subscriptions))):
        life.begin()
    for _ in range(draw(st.integers(0, most_acts))):
        life.go_on()
    return account


@st.composite
def lifecycles(
    draw: st.DrawFn,
    *,
    shapes: Sequence[Shape] = tuple(Shape),
    most_subscriptions: int = 3,
    most_acts: int = 8,
    types: Collection[str] | None = None,
) -> list[Delivery]:
    """The deliveries of such an account in true order, in one of the shapes."""
    shape = draw(st.sampled_from(shapes))
    account = draw(
        accounts(most_subscriptions=most_subscriptions, most_acts=most_acts, single_interval=shape is Shape.ACACIA)
    )
    return deliveries(account.happenings, account.merchant, shape, types=types)


@st.composite
def shuffled_and_doubled(draw: st.DrawFn, told: Sequence[Delivery], *, most_repeats: int = 10) -> list[Delivery]:
    """The same deliveries in any order, some of them more than once, none of them missing."""
    if not told:
        return []
    repeats = draw(st.lists(st.sampled_from(list(told)), max_size=most_repeats))
    return draw(st.permutations([*told, *repeats]))


class _Life:
    """One account on its way, with the choices that Hypothesis makes."""

    def __init__(self, draw: st.DrawFn, account: Account, *, single_interval: bool) -> None:
        self.draw = draw
        self.account = account
        self.prices = MONTHLY if single_interval else catalog.RECURRING
        self.single_interval = single_interval
        self.disputes: dict[str, str] = {}

    @property
    def alive(self) -> list[Subscription]:
        return [it for it in self.account.book.subscriptions.values() if it.status not in FINAL]

    def begin(self) -> None:
        draw, account = self.draw, self.account
        chosen = draw(st.lists(st.sampled_from(self.prices), min_size=1, max_size=2, unique_by=lambda it: it.id))
        items = [(price, draw(st.integers(1, 5))) for price in chosen]
        trial_days = draw(st.sampled_from([0, 0, 2, 14]))
        known = sorted(account.book.customers)
        number = len(known) + 1
        if draw(st.booleans()):
            account.check_out_subscription(
                f"Buyer {number}", f"buyer{number}@example.com", items, trial_days=trial_days
            )
            return
        customer = draw(st.sampled_from(["", *known])) or account.customer(
            f"Customer {number}", f"customer{number}@example.com"
        )
        account.subscribe(
            customer,
            items,
            trial_days=trial_days,
            payment=draw(st.sampled_from(["succeeds", "succeeds", "fails", "needs_authentication"])),
            collection=draw(st.sampled_from(["charge_automatically", "charge_automatically", "send_invoice"])),
            card=not trial_days or draw(st.booleans()),
        )

    def go_on(self) -> None:
        """Some time passes, then somebody does something, if anything can be done."""
        self._pass(self.draw(st.sampled_from([0, 0, 1, 6, 20, 31])) * DAY)
        if not self.alive:
            return
        subscription = self.draw(st.sampled_from(self.alive))
        acts = [act for act in CHOSEN if self._possible(act, subscription)]
        if acts:
            self._do(self.draw(st.sampled_from(acts)), subscription)

    def _pass(self, span: timedelta) -> None:
        until = self.account.now + span
        while due := [it for it in self.alive if self._turn(it) <= until]:
            subscription = min(due, key=self._turn)
            self._settle(subscription)
        self.account.advance_to(max(until, self.account.now))

    def _turn(self, subscription: Subscription) -> datetime:
        if subscription.status == "paused":
            return datetime.max.replace(tzinfo=UTC)
        if subscription.status == "incomplete":
            return self.account.now if self._older_than_a_day(subscription) else self._created(subscription) + DAY
        # What failed is settled before any other subscription's renewal can carry the clock past its due time.
        margins = 2 if subscription.status == "past_due" else 1
        return self.account.due(subscription.id) - margins * MARGIN

    def _settle(self, subscription: Subscription) -> None:
        """What Stripe does by itself, before anybody else can do anything."""
        legal = legal_acts(subscription, self.account.book.now)
        wanted = {"past_due": AFTER_A_FAILURE, "incomplete": ("confirm", "expire")}.get(subscription.status, TURNS)
        acts = [act for act in wanted if act in legal]
        getattr(self.account, self.draw(st.sampled_from(acts)))(subscription.id)

    def _possible(self, act: str, subscription: Subscription) -> bool:
        refundable = self.account.refundable(subscription.id) > 0
        bills = self.account.open_invoices(subscription)
        extra: dict[str, bool] = {
            "refund": refundable,
            "dispute": refundable and subscription.id not in self.disputes,
            "close_dispute": subscription.id in self.disputes,
            "change_email": True,
        }
        if act in extra:
            return extra[act]
        sensible: dict[str, bool] = {
            "add_item": len(subscription.items) < MOST_ITEMS,
            "change_plan": bool(self._other_prices(subscription)),
            "pay_invoice": bool(bills),
            "fall_overdue": bool(bills) and self._undisturbed(bills[0].due_date),
            "fail_payment": subscription.status == "past_due"
            and bool(bills)
            and self._undisturbed(bills[-1].next_payment_attempt),
        }
        return sensible.get(act, True) and act in legal_acts(subscription, self.account.book.now)

    def _undisturbed(self, until: int | None) -> bool:
        """No subscription turns a period before then."""
        moment = self.account.now if until is None else datetime.fromtimestamp(until, UTC)
        return all(moment < self._turn(it) for it in self.alive)

    def _other_prices(self, subscription: Subscription) -> list[Price]:
        """What the first item could change to: with several items only the same interval."""
        current = subscription.items[0].price
        return [
            price
            for price in self.prices
            if price != current and (len(subscription.items) == 1 or price.interval == current.interval)
        ]

    def _do(self, act: str, subscription: Subscription) -> None:
        draw, account, identifier = self.draw, self.account, subscription.id
        first = subscription.items[0]
        special: dict[str, Callable[[], object]] = {
            "change_quantity": lambda: account.change_quantity(
                identifier, draw(st.integers(1, 9).filter(lambda it: it != first.quantity))
            ),
            "change_plan": lambda: account.change_plan(
                identifier, draw(st.sampled_from(self._other_prices(subscription)))
            ),
            "add_item": lambda: account.add_item(identifier, draw(st.sampled_from(self.prices))),
            "remove_item": lambda: account.remove_item(identifier, draw(st.sampled_from(subscription.items)).id),
            "pause_collection": lambda: account.pause_collection(
                identifier, draw(st.sampled_from(["void", "keep_as_draft", "mark_uncollectible"]))
            ),
            "refund": lambda: account.refund(identifier, draw(st.integers(1, account.refundable(identifier)))),
            "dispute": lambda: self.disputes.update({identifier: account.open_dispute(identifier)}),
            "close_dispute": lambda: account.close_dispute(
                self.disputes.pop(identifier), draw(st.sampled_from(["won", "lost"]))
            ),
            "change_email": lambda: account.change_email(
                subscription.customer, f"moved{len(account.happenings)}@example.com"
            ),
        }
        if act in special:
            special[act]()
        else:
            getattr(account, act)(identifier)

    def _created(self, subscription: Subscription) -> datetime:
        return datetime.fromtimestamp(subscription.created, UTC)

    def _older_than_a_day(self, subscription: Subscription) -> bool:
        return self._created(subscription) + DAY <= self.account.now
