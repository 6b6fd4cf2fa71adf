"""Lives of orders: of what is bought once, of several products, sent again by hand."""

from datetime import timedelta

from service.sandbox.fastspring import catalog
from service.sandbox.fastspring.lifecycle import DAYS, Lifecycle, buyer, subscribed
from service.sandbox.fastspring.model import Contact
from service.sandbox.fastspring.store import Store


@Lifecycle
def one_time_of_three(store: Store) -> None:
    store.buy(buyer(store, "Uma Wilder"), [(catalog.PERPETUAL, 3)])


@Lifecycle
def one_time_returned(store: Store) -> None:
    order = store.buy(buyer(store, "Vera Young"), [(catalog.YEAR_PASS, 2)])
    store.advance(5 * DAYS)
    store.refund(order)


@Lifecycle
def one_time_paid_by_wire(store: Store) -> None:
    order = store.check_out(buyer(store, "Wanda Zell"), [(catalog.PERPETUAL, 1)])
    store.wait_for_payment(order)
    store.advance(4 * DAYS)
    store.complete(order)


@Lifecycle
def one_time_never_paid(store: Store) -> None:
    order = store.check_out(buyer(store, "Xaver Amis"), [(catalog.PERPETUAL, 1)])
    store.wait_for_payment(order)
    store.advance(14 * DAYS)
    store.cancel_order(order)


@Lifecycle
def order_declined(store: Store) -> None:
    order = store.check_out(buyer(store, "Yara Birch"), [(catalog.PRO, 1)])
    store.wait_for_approval(order)
    store.advance(1 * DAYS)
    store.fail_order(order)


@Lifecycle
def gift(store: Store) -> None:
    """Bought by one, for another."""
    someone = Contact(first="Zeno", last="Cole", email="zeno@example.com")
    store.buy(buyer(store, "Anton Dray"), [(catalog.PERPETUAL, 1)], recipients=[someone])


@Lifecycle
def several_products(store: Store) -> None:
    """Two subscriptions, a set-up fee and a perpetual license in one order."""
    items = [(catalog.STUDIO, 1), (catalog.TEAM, 3), (catalog.PERPETUAL, 1)]
    order = store.buy(buyer(store, "Berit Eck"), items)
    for subscription in store.subscriptions_of(order):
        store.renew(subscription)


@Lifecycle
def resent_by_hand(store: Store) -> None:
    """The order and a charge once more, under new ids, long after."""
    subscription = subscribed(store, "Carl Frey", catalog.TEAM, 2)
    store.renew(subscription)
    store.advance(3 * DAYS)
    for happening in store.happenings:
        if happening.type in {"order.completed", "subscription.activated", "subscription.charge.completed"}:
            store.advance(timedelta(minutes=1))
            store.resend(happening.id, fresh=False)


@Lifecycle
def managed(store: Store) -> None:
    """Without a rhythm of its own: charged when the vendor likes, ended at once."""
    order = store.buy(buyer(store, "Dora Gil"), [(catalog.PRO_YEARLY, 1)], managed=True)
    [subscription] = store.subscriptions_of(order)
    store.advance(45 * DAYS)
    store.charge_managed(subscription)
    store.advance(45 * DAYS)
    store.deactivate_now(subscription)


PURCHASES = (
    one_time_of_three,
    one_time_returned,
    one_time_paid_by_wire,
    one_time_never_paid,
    order_declined,
    gift,
    several_products,
    resent_by_hand,
    managed,
)
