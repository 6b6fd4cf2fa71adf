"""Whole lives of subscriptions and purchases, by name."""

from datetime import timedelta

from service.sandbox.wallee import catalog
from service.sandbox.wallee.lifecycle import DAYS, Lifecycle, subscriber
from service.sandbox.wallee.space import Space


@Lifecycle
def renewed(space: Space) -> None:
    subscription = space.begin(subscriber(space, "Ada Marlow"), catalog.TEAM, 2)
    for _ in range(3):
        space.renew(subscription)


@Lifecycle
def failed_then_paid(space: Space) -> None:
    subscription = space.begin(subscriber(space, "Bruno Keller"), catalog.PRO)
    space.fail_charge(subscription)
    space.advance(2 * DAYS)
    space.pay(subscription)
    space.renew(subscription)


@Lifecycle
def declined_then_charged_again(space: Space) -> None:
    """No charge flow: it stays active and unpaid until the vendor charges by hand."""
    subscription = space.begin(subscriber(space, "Chiara Voss"), catalog.PRO)
    space.decline(subscription)
    space.advance(4 * DAYS)
    space.charge_again(subscription)


@Lifecycle
def suspended_and_back(space: Space) -> None:
    """The vendor pauses it and lets it go on within the same period; later for more than a period."""
    subscription = space.begin(subscriber(space, "Delia Sand"), catalog.PRO)
    space.advance(5 * DAYS)
    space.suspend(subscription, note="asked by mail")
    space.advance(4 * DAYS)
    space.reactivate(subscription)
    space.renew(subscription)
    space.advance(3 * DAYS)
    space.suspend(subscription, until=space.now + 40 * DAYS)
    space.reach_suspension_end(subscription)


@Lifecycle
def suspended_until_paid(space: Space) -> None:
    """The charge flow goes unanswered; a payment brings it back before the suspension ends it."""
    subscription = space.begin(subscriber(space, "Emil Ostrow"), catalog.TEAM, 3)
    _unanswered(space, subscription)
    space.advance(5 * DAYS)
    space.charge_again(subscription)
    space.renew(subscription)


@Lifecycle
def let_go_on_unpaid(space: Space) -> None:
    """The vendor pauses one whose charge failed, lets it go on, and claims no more of that."""
    subscription = space.begin(subscriber(space, "Egon Pohl"), catalog.TEAM, 2)
    space.decline(subscription)
    space.advance(3 * DAYS)
    space.suspend(subscription)
    space.advance(2 * DAYS)
    space.reactivate(subscription)
    space.renew(subscription)


@Lifecycle
def suspended_to_the_end(space: Space) -> None:
    """The charge flow goes unanswered, the suspension too."""
    subscription = space.begin(subscriber(space, "Fatima Noor"), catalog.PRO)
    space.renew(subscription)
    _unanswered(space, subscription)
    space.reach_suspension_end(subscription)


@Lifecycle
def termination_scheduled(space: Space) -> None:
    subscription = space.begin(subscriber(space, "Gregor Hale"), catalog.PRO)
    space.renew(subscription)
    space.advance(3 * DAYS)
    space.schedule_termination(subscription)


@Lifecycle
def terminated_as_scheduled(space: Space) -> None:
    """One more period after the one in which it was asked for."""
    subscription = space.begin(subscriber(space, "Hanna Brandt"), catalog.STUDIO)
    space.advance(3 * DAYS)
    space.schedule_termination(subscription, periods=1)
    space.renew(subscription)
    space.reach_termination(subscription)


@Lifecycle
def terminated_at_once(space: Space) -> None:
    subscription = space.begin(subscriber(space, "Ivo Lang"), catalog.TEAM, 2)
    space.advance(10 * DAYS)
    space.terminate_now(subscription)


@Lifecycle
def terminated_lingering(space: Space) -> None:
    """Something is open for two days more."""
    subscription = space.begin(subscriber(space, "Jana Moor"), catalog.PRO)
    space.fail_charge(subscription)
    space.terminate_now(subscription, lingers=True)
    space.advance(2 * DAYS)
    space.finish_termination(subscription)


@Lifecycle
def upgraded(space: Space) -> None:
    """Another product at once, and one of another cycle with the next period."""
    subscription = space.begin(subscriber(space, "Karl Noth"), catalog.PRO)
    space.advance(9 * DAYS)
    space.change_product(subscription, catalog.STUDIO)
    space.advance(2 * DAYS)
    space.change_product(subscription, catalog.PRO_YEARLY, at_period_end=True)
    space.renew(subscription)


@Lifecycle
def more_seats(space: Space) -> None:
    """Two, then five, then three from the next period on, then three and a half, which are four."""
    subscription = space.begin(subscriber(space, "Lena Ott"), catalog.TEAM, 2)
    space.advance(9 * DAYS)
    space.change_quantity(subscription, 5)
    space.advance(9 * DAYS)
    space.change_quantity(subscription, 3, at_period_end=True)
    space.renew(subscription)
    space.advance(1 * DAYS)
    space.change_quantity(subscription, 3.5, charged=False)


@Lifecycle
def parts_by_themselves(space: Space) -> None:
    """A product whose components are licensed each by itself."""
    subscription = space.begin(subscriber(space, "Mira Post"), catalog.DUO, {"duo-pro": 1, "duo-team": 4})
    space.advance(6 * DAYS)
    space.change_quantity(subscription, {"duo-team": 6})
    space.renew(subscription)


@Lifecycle
def more_users(space: Space) -> None:
    """One floating license: ten users, then 25."""
    subscription = space.begin(subscriber(space, "Nils Quast"), catalog.FLOATING, 10)
    space.advance(12 * DAYS)
    space.change_quantity(subscription, 25)


@Lifecycle
def refunded(space: Space) -> None:
    subscription = space.begin(subscriber(space, "Olga Reiss"), catalog.PRO)
    space.renew(subscription)
    space.advance(2 * DAYS)
    space.refund(subscription)


@Lifecycle
def refunded_in_part(space: Space) -> None:
    subscription = space.begin(subscriber(space, "Paul Stein"), catalog.PRO)
    space.advance(2 * DAYS)
    space.refund(subscription, 5_00)
    space.advance(1 * DAYS)
    space.fail_refund(subscription)
    space.refund(subscription, 7_00)


@Lifecycle
def bought_once(space: Space) -> None:
    """Two licenses and a book, after the money had been reserved for a day."""
    two = catalog.in_units(catalog.PERPETUAL, 2)
    transaction = space.check_out(subscriber(space, "Rosa Thal"), [two, catalog.HANDBOOK])
    space.authorize(transaction)
    space.advance(1 * DAYS)
    space.fulfill(transaction)


@Lifecycle
def bought_once_and_refunded(space: Space) -> None:
    transaction = space.buy(subscriber(space, "Sven Uhl"), [catalog.YEAR_PASS])
    space.advance(5 * DAYS)
    space.refund(transaction, 49_00)
    space.advance(1 * DAYS)
    space.refund(transaction)


@Lifecycle
def bought_and_never_paid(space: Space) -> None:
    transaction = space.check_out(subscriber(space, "Tina Voigt"), [catalog.PERPETUAL])
    space.advance(timedelta(minutes=3))
    space.fail_payment(transaction)


@Lifecycle
def never_began(space: Space) -> None:
    """The first payment fails."""
    subscription = space.subscribe(subscriber(space, "Ulf Weber"), catalog.TEAM, 2)
    space.advance(timedelta(minutes=2))
    space.initialize(subscription)
    space.advance(timedelta(minutes=5))
    space.fail_initialization(subscription)


@Lifecycle
def left_again(space: Space) -> None:
    """Active, suspended, active again, terminated."""
    subscription = space.begin(subscriber(space, "Vera Zand"), catalog.PRO)
    _unanswered(space, subscription)
    space.advance(2 * DAYS)
    space.charge_again(subscription)
    space.advance(8 * DAYS)
    space.terminate_now(subscription)


def _unanswered(space: Space, subscription: int) -> None:
    """A charge fails, and all levels of the flow that asks for it."""
    space.fail_charge(subscription)
    space.fail_level(subscription)
    space.give_up(subscription)


LIFECYCLES: dict[str, Lifecycle] = {
    each.name: each
    for each in (
        renewed,
        failed_then_paid,
        declined_then_charged_again,
        suspended_and_back,
        suspended_until_paid,
        let_go_on_unpaid,
        suspended_to_the_end,
        termination_scheduled,
        terminated_as_scheduled,
        terminated_at_once,
        terminated_lingering,
        upgraded,
        more_seats,
        parts_by_themselves,
        more_users,
        refunded,
        refunded_in_part,
        bought_once,
        bought_once_and_refunded,
        bought_and_never_paid,
        never_began,
        left_again,
    )
}
