"""Random but legal lives in FastSpring stores, told by their webhooks.

An act is drawn from those that the simulated store allows at that moment, so a sequence is never refused. Before the
clock passes the day of a subscription's charge, what FastSpring would do by itself (renew, fail, end, pause) is drawn
and done first.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from service.sandbox.fastspring import Delivery, Shape, Store, calendar, catalog, deliveries
from service.sandbox.fastspring.legality import legal_acts
from service.sandbox.fastspring.model import Contact, Product, Subscription

DAY = timedelta(days=1)
MOMENT = timedelta(milliseconds=1)
NEVER = datetime.max.replace(tzinfo=UTC)
STARTS = (datetime(2026, 1, 31, 9, 30, tzinfo=UTC), datetime(2025, 12, 1, tzinfo=UTC))
BOUGHT = (*catalog.RECURRING, catalog.PRO_TRIAL, *catalog.ONE_TIME)
CHANGED_TO = (catalog.PRO, catalog.TEAM, catalog.STUDIO, catalog.FLOATING)

# What the customer or the vendor does when they like, by kind so that none is rare; the rest comes with the day of a
# charge.
CHOSEN = (
    ("change_quantity", "change_product", "add_addon", "remove_addon", "change_card", "set_end", "change_email"),
    ("cancel", "uncancel", "deactivate_now", "schedule_pause", "resume", "reactivate"),
    ("charge_managed", "recover", "refund", "refund_item", "refund_item", "charge_back"),
    ("resend", "resend", "remind"),
)
TURNS = ("renew", "renew", "fail_charge", "fail_charge", "reach_end", "begin_pause")
AFTER_A_FAILURE = ("recover", "notify_overdue", "give_up", "fail_charge")


@st.composite
def stores(draw: st.DrawFn, *, most_orders: int = 2, most_acts: int = 10, orderly: bool = False) -> Store:
    """A store in which one or more orders were led through random lives.

    `orderly`: acts lie a millisecond apart at least, and an event sent again by hand shows the object as it is by then.
    """
    store = Store(
        f"drawn-{draw(st.integers(0, 9999))}",
        start=draw(st.sampled_from(STARTS)),
        lag=draw(st.sampled_from([0, 1, 100])),
        trial_state=draw(st.sampled_from(["trial", "active"])),
    )
    life = _Life(draw, store, orderly=orderly)
    for _ in range(draw(st.integers(1, most_orders))):
        life.begin()
    for _ in range(draw(st.integers(most_acts // 2, most_acts))):
        life.go_on()
    return store


@st.composite
def told(draw: st.DrawFn, store: Store, *, shapes: Sequence[Shape] = tuple(Shape)) -> list[Delivery]:
    """What a webhook gets of the store, each event by itself and in true order, in one of the shapes."""
    return deliveries(store, draw(st.sampled_from(shapes)), most=1)


@st.composite
def shuffled_and_doubled(draw: st.DrawFn, sent: Sequence[Delivery], *, most_repeats: int = 10) -> list[Delivery]:
    """The same events in any order and in batches of any size, some of them more than once, none of them missing."""
    if not sent:
        return []
    events = [event for delivery in sent for event in delivery.events]
    repeats = draw(st.lists(st.sampled_from(events), max_size=most_repeats))
    mixed = draw(st.permutations([*events, *repeats]))
    size = draw(st.integers(1, 4))
    return [Delivery(tuple(mixed[start : start + size])) for start in range(0, len(mixed), size)]


class _Life:
    """One store on its way, with the choices that Hypothesis makes."""

    def __init__(self, draw: st.DrawFn, store: Store, *, orderly: bool) -> None:
        self.draw = draw
        self.orderly = orderly
        self.store = store

    @property
    def subscriptions(self) -> list[Subscription]:
        return list(self.store.book.subscriptions.values())

    def begin(self) -> None:
        draw, store = self.draw, self.store
        self._pass(timedelta())
        number = len(store.book.accounts) + 1
        account = store.account(f"Buyer {number}", f"buyer{number}@example.com")
        chosen = draw(st.lists(st.sampled_from(BOUGHT), min_size=1, max_size=2, unique_by=lambda it: it.path))
        items = [(product, draw(st.integers(1, 4))) for product in chosen]
        someone = Contact(first="Some", last="Body", email="somebody@example.com")
        ordinary = all(not product.trial_days for product in chosen)
        order = store.check_out(
            account,
            items,
            recipients=draw(st.sampled_from([(), (), (someone,)])),
            managed=ordinary and draw(st.sampled_from([False, False, True])),
        )
        way = draw(st.sampled_from(["paid"] * 5 + ["paid late", "declined", "canceled"]))
        if way != "paid":
            store.wait_for_payment(order)
            self._pass(draw(st.integers(0, 3)) * DAY)
        if way == "declined":
            store.fail_order(order)
        elif way == "canceled":
            store.cancel_order(order)
        else:
            store.complete(order)

    def go_on(self) -> None:
        """Some time passes, then somebody does something, if anything can be done."""
        self._pass(self.draw(st.sampled_from([0, 1, 5, 8, 20, 31])) * DAY)
        if not self.subscriptions:
            return
        subscription = self.draw(st.sampled_from(self.subscriptions))
        kinds = [[act for act in kind if self._possible(act, subscription)] for kind in CHOSEN]
        if any(kinds):
            acts = self.draw(st.sampled_from([kind for kind in kinds if kind]))
            self._do(self.draw(st.sampled_from(acts)), subscription)

    def _pass(self, span: timedelta) -> None:
        self._breathe()
        until = self.store.now + span
        while due := [it for it in self.subscriptions if self._turn(it) <= until]:
            self._settle(min(due, key=self._turn))
            self._breathe()
        self.store.advance_to(max(until, self.store.now))

    def _breathe(self) -> None:
        if self.orderly:
            self.store.advance(MOMENT)

    def _turn(self, subscription: Subscription) -> datetime:
        """When FastSpring does something by itself; what failed is settled before anything else."""
        if subscription.state in {"deactivated", "paused"}:
            return NEVER
        if subscription.state == "overdue":
            return self.store.now
        return self.store.due(subscription.id) or NEVER

    def _settle(self, subscription: Subscription) -> None:
        legal = legal_acts(subscription, self.store.book.now)
        wanted = AFTER_A_FAILURE if subscription.state == "overdue" else TURNS
        acts = [act for act in wanted if act in legal]
        if subscription.state == "overdue" and subscription.notices:
            acts = [act for act in acts if act != "fail_charge"]
        getattr(self.store, self.draw(st.sampled_from(acts)))(subscription.id)

    def _possible(self, act: str, subscription: Subscription) -> bool:
        extra: dict[str, Callable[[], bool]] = {
            "refund": lambda: self._returnable(subscription) > 0,
            "refund_item": lambda: bool(self._items_left(subscription)),
            "charge_back": lambda: (
                subscription.order not in self.store.book.chargebacks and self.store.returnable(subscription.order) > 0
            ),
            "change_email": lambda: True,
            "resend": lambda: bool(self.store.happenings),
        }
        if act in extra:
            return extra[act]()
        sensible: dict[str, Callable[[], bool]] = {
            "add_addon": lambda: not subscription.addons,
            "change_product": lambda: bool(self._other_products(subscription)),
            # In its first days an activation looks the same whether it is the first or the second.
            "reactivate": lambda: not self.orderly or self.store.today > subscription.begin + 3 * calendar.DAY,
        }
        possible = sensible.get(act, lambda: True)()
        return possible and act in legal_acts(subscription, self.store.book.now)

    def _returnable(self, subscription: Subscription) -> int:
        orders = [it for it in self.store.book.orders.values() if it.total]
        mine = [it for it in orders if any(item.subscription == subscription.id for item in it.items)]
        return self.store.returnable(mine[-1].id) if mine else 0

    def _items_left(self, subscription: Subscription) -> list[int]:
        """The items of its first order that can be taken back; some of their money may be gone."""
        order = self.store.book.orders[subscription.order]
        most = self.store.returnable(order.id)
        return [
            place
            for place, item in enumerate(order.items)
            if place not in order.taken and 0 < item.subtotal <= most and item.subscription in {subscription.id, None}
        ]

    def _other_products(self, subscription: Subscription) -> list[Product]:
        return [each for each in CHANGED_TO if each != subscription.product]

    def _do(self, act: str, subscription: Subscription) -> None:
        draw, store, identifier = self.draw, self.store, subscription.id
        special: dict[str, Callable[[], object]] = {
            "change_quantity": lambda: store.change_quantity(
                identifier,
                draw(st.integers(1, 6).filter(lambda it: it != subscription.quantity)),
                prorate=self._prorates(subscription),
            ),
            "change_product": lambda: store.change_product(
                identifier,
                draw(st.sampled_from(self._other_products(subscription))),
                prorate=self._prorates(subscription),
            ),
            "add_addon": lambda: store.add_addon(identifier, catalog.EXPORT, prorate=self._prorates(subscription)),
            "remove_addon": lambda: store.remove_addon(identifier, catalog.EXPORT),
            "set_end": lambda: store.set_end(
                identifier, draw(st.sampled_from([None, store.now + 20 * DAY, store.now + 45 * DAY]))
            ),
            "refund": lambda: self._refund(subscription),
            "refund_item": lambda: store.refund_item(
                subscription.order, draw(st.sampled_from(self._items_left(subscription)))
            ),
            "charge_back": lambda: store.charge_back(subscription.order),
            "change_email": lambda: store.change_email(
                subscription.account, f"moved{len(store.happenings)}@example.com"
            ),
            "resend": lambda: store.resend(self._told_before(), fresh=self.orderly or draw(st.booleans())),
        }
        if act in special:
            special[act]()
        else:
            getattr(store, act)(identifier)

    def _told_before(self) -> str:
        """Any event, whatever is told rarely as likely as what is told often."""
        types = sorted({it.type for it in self.store.happenings})
        chosen = self.draw(st.sampled_from(types))
        return self.draw(st.sampled_from([it.id for it in self.store.happenings if it.type == chosen]))

    def _prorates(self, subscription: Subscription) -> bool:
        """On its first days a period differs from a change of it in the amount alone; on its last none is left."""
        due, month = self.store.due(subscription.id), subscription.product.every == "month"
        left = timedelta.max if due is None else due - self.store.now
        amid = due is None or DAY < left <= (26 * DAY if month else 360 * DAY)
        return (amid or not self.orderly) and self.draw(st.booleans())

    def _refund(self, subscription: Subscription) -> None:
        most = self._returnable(subscription)
        amount = self.draw(st.sampled_from([most, max(1, most // 3)]))
        self.store.refund(subscription.id, amount, ends=self.draw(st.booleans()))
