"""Lives of single subscriptions."""

from service.sandbox.fastspring import catalog
from service.sandbox.fastspring.lifecycle import DAYS, Lifecycle, buyer, subscribed
from service.sandbox.fastspring.store import Store


@Lifecycle
def trial_to_full(store: Store) -> None:
    subscription = subscribed(store, "Ada Marlow", catalog.PRO_TRIAL)
    store.advance(11 * DAYS)
    store.remind(subscription)
    store.renew(subscription)
    store.renew(subscription)


@Lifecycle
def trial_never_paid(store: Store) -> None:
    subscription = subscribed(store, "Bruno Keller", catalog.PRO_TRIAL)
    store.fail_charge(subscription, "EXPIRED_CARD")
    _dun(store, subscription)


@Lifecycle
def monthly_renewals(store: Store) -> None:
    subscription = subscribed(store, "Chiara Voss", catalog.TEAM, 2)
    for _ in range(3):
        store.renew(subscription)


@Lifecycle
def overdue_and_recovered(store: Store) -> None:
    subscription = subscribed(store, "Delia Sand", catalog.PRO)
    store.fail_charge(subscription)
    store.fail_charge(subscription)
    store.notify_overdue(subscription)
    store.advance(2 * DAYS)
    store.change_card(subscription)
    store.recover(subscription)
    store.renew(subscription)


@Lifecycle
def dunning_to_deactivation(store: Store) -> None:
    subscription = subscribed(store, "Emil Ostrow", catalog.PRO)
    store.renew(subscription)
    store.fail_charge(subscription)
    _dun(store, subscription)


@Lifecycle
def canceled_and_uncanceled(store: Store) -> None:
    subscription = subscribed(store, "Fatima Noor", catalog.PRO)
    store.advance(12 * DAYS)
    store.cancel(subscription)
    store.advance(1 * DAYS)
    store.uncancel(subscription)
    store.renew(subscription)


@Lifecycle
def canceled_to_the_end(store: Store) -> None:
    subscription = subscribed(store, "Gregor Hale", catalog.PRO)
    store.renew(subscription)
    store.advance(3 * DAYS)
    store.cancel(subscription)
    store.reach_end(subscription)


@Lifecycle
def quantity_up_and_down(store: Store) -> None:
    """Two, then five, then three."""
    subscription = subscribed(store, "Hanna Brandt", catalog.TEAM, 2)
    store.advance(9 * DAYS)
    store.change_quantity(subscription, 5, prorate=True)
    store.advance(9 * DAYS)
    store.change_quantity(subscription, 3)
    store.renew(subscription)


@Lifecycle
def floating_users_follow_the_quantity(store: Store) -> None:
    """One license whose users are the quantity."""
    subscription = subscribed(store, "Iris Calder", catalog.FLOATING, 10)
    store.advance(5 * DAYS)
    store.change_quantity(subscription, 25, prorate=True)
    store.renew(subscription)
    store.advance(5 * DAYS)
    store.change_quantity(subscription, 12)


@Lifecycle
def upgrade_with_proration(store: Store) -> None:
    subscription = subscribed(store, "Jonas Reed", catalog.PRO)
    store.advance(10 * DAYS)
    store.change_product(subscription, catalog.STUDIO, prorate=True)
    store.renew(subscription)


@Lifecycle
def downgrade_with_credit(store: Store) -> None:
    """The difference is less than nothing: a charge of nothing."""
    subscription = subscribed(store, "Kira Stone", catalog.BUNDLE)
    store.advance(10 * DAYS)
    store.change_product(subscription, catalog.PRO, prorate=True)
    store.renew(subscription)


@Lifecycle
def addon_added_and_removed(store: Store) -> None:
    subscription = subscribed(store, "Lars Finch", catalog.PRO)
    store.advance(4 * DAYS)
    store.add_addon(subscription, catalog.EXPORT, prorate=True)
    store.renew(subscription)
    store.advance(4 * DAYS)
    store.remove_addon(subscription, catalog.EXPORT)
    store.renew(subscription)


@Lifecycle
def refund_full(store: Store) -> None:
    """All money back; the subscription is left as it is."""
    subscription = subscribed(store, "Mira Holm", catalog.PRO)
    store.advance(2 * DAYS)
    store.refund(subscription)


@Lifecycle
def refund_full_and_ended(store: Store) -> None:
    """All money back, and the end of the subscription before it in the same request."""
    subscription = subscribed(store, "Nils Abbott", catalog.PRO)
    store.advance(2 * DAYS)
    store.refund(subscription, ends=True)


@Lifecycle
def refund_partial(store: Store) -> None:
    """In two steps, which only together are a part."""
    subscription = subscribed(store, "Olga Prince", catalog.PRO)
    store.advance(2 * DAYS)
    store.refund(subscription, 5_00)
    store.advance(1 * DAYS)
    store.refund(subscription, 7_00)
    store.renew(subscription)


@Lifecycle
def charged_back(store: Store) -> None:
    order = store.buy(buyer(store, "Pavel Quist"), [(catalog.PRO, 1)])
    store.advance(20 * DAYS)
    store.charge_back(order)


@Lifecycle
def paused_and_resumed(store: Store) -> None:
    subscription = subscribed(store, "Rosa Tamm", catalog.PRO)
    store.advance(8 * DAYS)
    store.schedule_pause(subscription)
    store.begin_pause(subscription)
    store.advance(40 * DAYS)
    store.resume(subscription)
    store.renew(subscription)


@Lifecycle
def deactivated_now_and_activated_again(store: Store) -> None:
    subscription = subscribed(store, "Selma Ubright", catalog.PRO)
    store.advance(6 * DAYS)
    store.deactivate_now(subscription)
    store.advance(3 * DAYS)
    store.reactivate(subscription)
    store.renew(subscription)


@Lifecycle
def deactivated_now(store: Store) -> None:
    subscription = subscribed(store, "Theo Vane", catalog.PRO_YEARLY)
    store.advance(60 * DAYS)
    store.deactivate_now(subscription)


@Lifecycle
def fixed_end(store: Store) -> None:
    subscription = subscribed(store, "Egon Hart", catalog.PRO)
    store.set_end(subscription, store.now + 80 * DAYS)
    store.renew(subscription)
    store.renew(subscription)
    store.reach_end(subscription)


@Lifecycle
def consumption_renewed(store: Store) -> None:
    subscription = subscribed(store, "Flora Ito", catalog.METERED)
    store.renew(subscription)
    store.renew(subscription)


@Lifecycle
def user_moves(store: Store) -> None:
    """A license for a named user, whose address changes."""
    account = buyer(store, "Gina Jost")
    order = store.buy(account, [(catalog.NAMED, 1)])
    [subscription] = store.subscriptions_of(order)
    store.advance(6 * DAYS)
    store.change_email(account, "gina.jost@example.com")
    store.renew(subscription)


def _dun(store: Store, subscription: str) -> None:
    """All notices, then the end."""
    for _ in range(store.book.subscriptions[subscription].notices_total):
        store.notify_overdue(subscription)
    store.give_up(subscription)


LIVES = (
    trial_to_full,
    trial_never_paid,
    monthly_renewals,
    overdue_and_recovered,
    dunning_to_deactivation,
    canceled_and_uncanceled,
    canceled_to_the_end,
    quantity_up_and_down,
    floating_users_follow_the_quantity,
    upgrade_with_proration,
    downgrade_with_credit,
    addon_added_and_removed,
    refund_full,
    refund_full_and_ended,
    refund_partial,
    charged_back,
    paused_and_resumed,
    deactivated_now_and_activated_again,
    deactivated_now,
    fixed_end,
    consumption_renewed,
    user_moves,
)
