"""Money goes back: returned by the vendor, or taken back by the buyer's bank."""

from msgspec.structs import replace

from service.sandbox.fastspring.desk import Desk
from service.sandbox.fastspring.legality import IllegalAct
from service.sandbox.fastspring.model import Order, Returned, ReturnTold


class Returns(Desk):
    def returnable(self, order: str) -> int:
        """How much of an order, or of a subscription's last charge, has not been given back."""
        found = self._order(order)
        return found.total - found.returned if found.state == "completed" else 0

    def refund(self, order: str, amount: int | None = None, *, ends: bool = False) -> str:
        """Gives an order's money back, or an amount of it; gives the return's id.

        `order` may also be a subscription: then its last charge. `ends`: its living subscriptions are deactivated in
        the same batch, and the batch says so first.
        """
        paid, left = self._order(order), self.returnable(order)
        returning = left if amount is None else amount
        if not 0 < returning <= left:
            raise IllegalAct(f"refund: {paid.reference} has {left} to give back, not {returning}")
        return self._give_back(replace(paid, returned=paid.returned + returning), returning, ends=ends)

    def refund_item(self, order: str, place: int) -> str:
        """Takes all units of one item back and gives its price; gives the return's id."""
        paid = self._order(order)
        price = paid.items[place].subtotal
        if place in paid.taken or not 0 < price <= self.returnable(order):
            raise IllegalAct(f"refund_item: item {place} of {paid.reference} was given back, or cost nothing")
        paid = replace(paid, returned=paid.returned + price, taken=(*paid.taken, place))
        return self._give_back(paid, price, item=place)

    def _give_back(self, paid: Order, returning: int, *, ends: bool = False, item: int | None = None) -> str:
        self.book.orders[paid.id] = paid
        given = Returned(
            id=self.book.ids.new("return"),
            reference=self.book.ids.reference(self.book.now) + "X",
            order=paid,
            amount=returning,
            full=returning == paid.total,
            reason="Other",
            changed=self.book.now,
            item=item,
        )
        self.book.returns[given.id] = given
        with self.book.batch():
            if ends:
                self._end(paid)
            told = ReturnTold(returned=given, account=self.book.accounts[paid.account])
            self.book.happened("return.created", self.tick(), told)
        return given.id

    def charge_back(self, order: str) -> None:
        """The buyer's bank took the money back."""
        paid = self._order(order)
        if paid.state != "completed" or paid.id in self.book.chargebacks:
            raise IllegalAct(f"charge_back: {paid.reference} is {paid.state}, or was charged back before")
        self.book.chargebacks.add(paid.id)
        self.book.happened("order.chargeback", self.tick(), self.book.order_told(paid))

    def _order(self, identifier: str) -> Order:
        if identifier in self.book.orders:
            return self.book.orders[identifier]
        for order in reversed(self.book.orders.values()):
            if order.total and any(item.subscription == identifier for item in order.items):
                return order
        raise IllegalAct(f"nothing was paid for {identifier}")

    def _end(self, order: Order) -> None:
        for item in order.items:
            subscription = self.book.subscriptions.get(item.subscription or "")
            if subscription is not None and subscription.state != "deactivated":
                ended = self.keep(subscription, state="deactivated", end=self.today, canceled=self.today)
                self.tell("subscription.deactivated", ended)
