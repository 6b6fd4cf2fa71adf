"""How purchases begin: a checkout, keys asked meanwhile, and the order paid at once, later or never."""

from collections.abc import Sequence

from msgspec.structs import replace

from service.sandbox.fastspring import catalog
from service.sandbox.fastspring.calendar import DAY, following, midnight
from service.sandbox.fastspring.desk import Desk
from service.sandbox.fastspring.legality import IllegalAct
from service.sandbox.fastspring.model import (
    Account,
    AccountTold,
    Contact,
    Currency,
    Item,
    Language,
    Order,
    Product,
    Subscription,
    Trial,
)


class Beginnings(Desk):
    def account(
        self,
        name: str,
        email: str,
        *,
        company: str | None = None,
        country: str = "US",
        language: Language = "en",
        currency: Currency = "USD",
    ) -> str:
        """A new buyer; gives the id."""
        first, _, last = name.partition(" ")
        made = Account(
            id=self.book.ids.new("account"),
            lookup=self.book.ids.new("lookup"),
            contact=Contact(first=first, last=last, email=email, company=company),
            country=country,
            language=language,
            currency=currency,
        )
        self.book.accounts[made.id] = made
        return made.id

    def change_email(self, account: str, email: str) -> None:
        before = self.book.accounts[account]
        after = replace(before, contact=replace(before.contact, email=email))
        self.book.accounts[account] = after
        self.book.happened("account.updated", self.tick(), AccountTold(account=after))

    def buy(
        self,
        account: str,
        items: Sequence[tuple[Product, int]],
        *,
        recipients: Sequence[Contact] = (),
        managed: bool = False,
        tags: dict[str, str] | None = None,
    ) -> str:
        """A checkout that is paid at once; gives the order's id."""
        order = self.check_out(account, items, recipients=recipients, managed=managed, tags=tags)
        self.complete(order)
        return order

    def check_out(
        self,
        account: str,
        items: Sequence[tuple[Product, int]],
        *,
        recipients: Sequence[Contact] = (),
        managed: bool = False,
        tags: dict[str, str] | None = None,
    ) -> str:
        """The order is placed and keys are asked for (`calls`), but it is not complete; gives its id.

        Products with an interval become subscriptions, `managed` ones without a rhythm of their own.
        """
        reference = self.book.ids.reference(self.book.now)
        bought: list[Item] = []
        for product, quantity in items:
            bought += self._items(product, quantity)
        order = Order(
            id=self.book.ids.new("order"),
            reference=reference,
            account=account,
            items=tuple(bought),
            total=sum(item.subtotal for item in bought),
            changed=self.book.now,
            recipients=tuple(recipients),
            managed=managed,
            tags=tags or {},
        )
        self._put(order)
        for item in order.items:
            self.ask_for_keys(order, item, order.reference + "S" if item.subscription else None)
        return order.id

    def complete(self, order: str) -> None:
        """The order is paid and fulfilled: its subscriptions start, and it says so in one batch with them."""
        before = self._unfinished("complete", order)
        with self.book.batch():
            for item in before.items:
                if item.subscription is not None:
                    self.tell("subscription.activated", self._begin(before, item))
            after = self._put(replace(before, state="completed", changed=self.book.now))
            self.book.happened("order.completed", self.tick(), self.book.order_told(after))
            self.pay_out(after)

    def wait_for_payment(self, order: str) -> None:
        """Paid by wire or the like: nothing is delivered until the money is there."""
        before = self._unfinished("wait_for_payment", order)
        due = midnight(self.book.now) + 14 * DAY
        self._settle(before, "order.payment.pending", state="pending", payment_due=due, reason="PENDING_PAYMENT")

    def wait_for_approval(self, order: str) -> None:
        self._settle(self._unfinished("wait_for_approval", order), "order.approval.pending", state="pending")

    def fail_order(self, order: str, reason: str = "PAYMENT_DECLINED") -> None:
        self._settle(self._unfinished("fail_order", order), "order.failed", state="failed", reason=reason)

    def cancel_order(self, order: str) -> None:
        self._settle(self._unfinished("cancel_order", order), "order.canceled", state="canceled", reason="CANCELED")

    def subscriptions_of(self, order: str) -> list[str]:
        """The ids of the subscriptions that an order began, in the order of its items."""
        return [item.subscription for item in self.book.orders[order].items if item.subscription is not None]

    def _items(self, product: Product, quantity: int) -> list[Item]:
        recurring = product.interval is not None
        own = Item(
            product=product,
            quantity=quantity,
            subtotal=0 if product.trial_days else product.price * quantity,
            subscription=self.book.ids.new("subscription") if recurring else None,
        )
        fees = [each for each in catalog.ALL if each.path == product.fee]
        return [own] + [Item(product=fee, quantity=1, subtotal=fee.price, belongs_to=product.path) for fee in fees]

    def _begin(self, order: Order, item: Item) -> Subscription:
        product, today = item.product, midnight(self.book.now)
        trial = Trial(start=today, end=today + product.trial_days * DAY) if product.trial_days else None
        ordinary = trial.end if trial else following(today, product.every, product.interval_length, today)
        begun = Subscription(
            id=str(item.subscription),
            account=order.account,
            product=product,
            quantity=item.quantity,
            state="trial" if trial else "active",
            begin=today,
            anchor=trial.end if trial else today,
            next=None if order.managed else ordinary,
            changed=self.book.now,
            managed=order.managed,
            trial=trial,
            order=order.id,
            reference=order.reference,
            card=order.card,
        )
        self.book.subscriptions[begun.id] = begun
        return begun

    def _put(self, order: Order) -> Order:
        self.book.orders[order.id] = order
        for item in order.items:
            self.book.products[item.product.path] = item.product
        return order

    def _unfinished(self, act: str, identifier: str) -> Order:
        order = self.book.orders[identifier]
        if order.state not in {"open", "pending"}:
            raise IllegalAct(f"{act}: {order.reference} is {order.state}; place a new order")
        return order

    def _settle(self, before: Order, event: str, **changes: object) -> None:
        after = self._put(replace(before, changed=self.book.now, **changes))
        self.book.happened(event, self.tick(), self.book.order_told(after))
