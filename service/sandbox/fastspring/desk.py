"""The clock of a store and what every act on a subscription needs."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, assert_never

from msgspec.structs import replace

from service.sandbox.fastspring.book import Book
from service.sandbox.fastspring.calendar import HOUR, instant, midnight, milliseconds
from service.sandbox.fastspring.legality import allow
from service.sandbox.fastspring.model import (
    AccountTold,
    ChargeTold,
    FailureTold,
    GeneratorCall,
    Happening,
    Item,
    Order,
    OrderTold,
    PayoutTold,
    ReturnTold,
    State,
    Subscription,
    SubscriptionTold,
    Told,
)

NIGHTLY = 5 * HOUR
"""When on a day, after midnight UTC, what is due on it is charged or ended."""


class Desk:
    """Where the acts of a store meet: one book, one clock. The same seed and acts give the same events."""

    def __init__(
        self,
        seed: str,
        *,
        start: datetime,
        live: bool = False,
        lag: int = 100,
        trial_state: State = "trial",
        payouts: bool = True,
    ) -> None:
        """`lag` is how many milliseconds lie between an act's events; with 0 all carry the same instant.

        `trial_state`: what a subscription in trial calls itself; FastSpring's pages say `trial`, one of its samples
        says `active`. `payouts`: tell of payouts too, which have nothing to do with licenses.
        """
        self.live = live
        self.lag = lag
        self.trial_state: State = trial_state
        self.payouts = payouts
        self.book = Book(seed, milliseconds(start))

    @property
    def happenings(self) -> list[Happening]:
        """Everything that happened, in true order."""
        return self.book.happenings

    @property
    def calls(self) -> list[GeneratorCall]:
        """All that was asked from the license generator, in the order it was asked."""
        return list(self.book.calls)

    @property
    def now(self) -> datetime:
        return instant(self.book.now)

    @property
    def today(self) -> int:
        """Midnight (UTC) of the present day, in milliseconds."""
        return midnight(self.book.now)

    def due(self, subscription: str) -> datetime | None:
        """When the next charge, or the end in its place, takes place; None for a managed subscription."""
        day = self.book.subscriptions[subscription].next
        return None if day is None else instant(day + NIGHTLY)

    def advance(self, by: timedelta) -> None:
        self.advance_to(self.now + by)

    def advance_to(self, when: datetime) -> None:
        """Moves the clock, never back."""
        self.pass_to(milliseconds(when))

    def answer(self, call: GeneratorCall, keys: Sequence[str]) -> None:
        """What the license generator gave; it shows in the order from then on."""
        self.book.keys[call.reference, call.product.path] = tuple(keys)

    def resend(self, event_id: str, *, fresh: bool = True) -> str:
        """An event sent again by hand: a new event id, the same object, as it is now (`fresh`) or as it was then.

        Gives the new id. Raises LookupError.
        """
        for happening in self.happenings:
            if happening.id == event_id:
                before = {each.id for each in self.happenings}
                self.book.happened(happening.type, self.tick(), self._now(happening.told) if fresh else happening.told)
                return next(each.id for each in self.happenings if each.id not in before)
        raise LookupError(f"no event {event_id} happened here")

    # --- for the acts ---------------------------------------------------------------------------------------

    def allowed(self, act: str, identifier: str) -> Subscription:
        subscription = self.book.subscriptions[identifier]
        allow(act, subscription, self.book.now)
        return subscription

    def keep(self, before: Subscription, **changes: Any) -> Subscription:
        """The subscription with those changes; nothing is told yet."""
        after = replace(before, **changes)
        self.book.subscriptions[after.id] = after
        return after

    def tell(self, event: str, subscription: Subscription, *, new_card: bool = False) -> None:
        account = self.book.accounts[subscription.account]
        told = SubscriptionTold(subscription=subscription, account=account, new_card=new_card)
        self.book.happened(event, self.tick(), told)

    def charge(self, subscription: Subscription, items: Sequence[Item]) -> None:
        """A paid order for a subscription that exists; a proration may cost nothing, but never less."""
        order = Order(
            id=self.book.ids.new("order"),
            reference=self.book.ids.reference(self.book.now) + "B",
            account=subscription.account,
            items=tuple(items),
            total=max(0, sum(item.subtotal for item in items)),
            changed=self.book.now,
            state="completed",
            card=subscription.card,
        )
        self.book.orders[order.id] = order
        for item in items:
            if item.product.asks_again and not item.proration:
                self.ask_for_keys(order, item, subscription.reference + "S")
        account = self.book.accounts[subscription.account]
        told = ChargeTold(order=order, subscription=subscription, account=account)
        self.book.happened("subscription.charge.completed", self.tick(), told)
        self.pay_out(order)

    def ask_for_keys(self, order: Order, item: Item, subscription_reference: str | None) -> None:
        """Lists what the license generator is asked, if the product has one."""
        if item.product.generator is not None:
            self.book.calls.append(
                GeneratorCall(
                    order=order.id,
                    reference=order.reference,
                    subscription_reference=subscription_reference,
                    product=item.product,
                    quantity=item.quantity,
                    contact=self.book.accounts[order.account].contact,
                    tags=order.tags,
                    made=self.book.now,
                )
            )

    def period_items(self, subscription: Subscription) -> list[Item]:
        """What a period of the subscription is billed as."""
        own = Item(
            product=subscription.product,
            quantity=subscription.quantity,
            subtotal=subscription.price * subscription.quantity,
            subscription=subscription.id,
        )
        return [own] + [
            Item(
                product=each.product,
                quantity=each.quantity,
                subtotal=each.product.price * each.quantity,
                subscription=subscription.id,
                belongs_to=subscription.product.path,
                addon=True,
            )
            for each in subscription.addons
        ]

    def pay_out(self, order: Order) -> None:
        if self.payouts and order.total:
            told = PayoutTold(id=self.book.ids.new("payout"), order=order)
            self.book.happened("payoutEntry.created", self.tick(), told)

    def pass_to(self, millisecond: int) -> None:
        self.book.now = max(self.book.now, millisecond)

    def pass_to_night_of(self, day: int | None) -> None:
        """To when that day's charges are made, if it is not past already."""
        self.pass_to(self.book.now if day is None else day + NIGHTLY)

    def tick(self) -> int:
        self.book.now += self.lag
        return self.book.now

    def _now(self, told: Told) -> Told:
        """The same object as it stands now."""
        book = self.book
        match told:
            case SubscriptionTold(subscription=it):
                return SubscriptionTold(
                    subscription=book.subscriptions[it.id], account=book.accounts[it.account], new_card=told.new_card
                )
            case OrderTold(order=order):
                return book.order_told(book.orders[order.id])
            case ChargeTold(order=order, subscription=it):
                return ChargeTold(
                    order=book.orders[order.id],
                    subscription=book.subscriptions[it.id],
                    account=book.accounts[it.account],
                )
            case FailureTold(subscription=it):
                return FailureTold(
                    subscription=book.subscriptions[it.id], account=book.accounts[it.account], reason=told.reason
                )
            case ReturnTold() | PayoutTold():
                return told
            case AccountTold(account=account):
                return AccountTold(account=book.accounts[account.id])
            case _:
                assert_never(told)
