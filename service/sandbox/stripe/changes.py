"""What is subscribed to changes: more, fewer, another plan, a further line."""

from collections.abc import Mapping

from msgspec.structs import replace

from service.sandbox.stripe.calendar import period_end, period_start
from service.sandbox.stripe.desk import Desk
from service.sandbox.stripe.legality import IllegalAct
from service.sandbox.stripe.model import Item, Line, Price, Subscription


class Changes(Desk):
    """The difference is billed, or credited, at once; in a trial nothing is."""

    def change_quantity(self, subscription: str, quantity: int, *, item: str | None = None) -> None:
        before = self.allowed("change_quantity", subscription)
        old = before.item(item)
        if quantity == old.quantity:
            raise IllegalAct(f"change_quantity: {old.id} has the quantity {quantity} already")
        self._swap(before, old, replace(old, quantity=quantity))

    def change_plan(self, subscription: str, price: Price, *, item: str | None = None) -> None:
        """Another price on the same item. Another interval begins a new period now and moves the anchor."""
        before, now = self.allowed("change_plan", subscription), self.book.now
        old = before.item(item)
        if price == old.price:
            raise IllegalAct(f"change_plan: {old.id} has the price {price.lookup_key or price.id} already")
        new = replace(old, price=price)
        same = (price.interval, price.interval_count) == (old.price.interval, old.price.interval_count)
        if same or before.status == "trialing":
            self._swap(before, old, new)
            return
        if len(before.items) > 1:
            raise IllegalAct(f"change_plan: {subscription} has several items; give it a price of the same interval")
        new = replace(new, start=now, end=period_end(now, price.every, price.interval_count, now))
        self._swap(before, old, new, {"anchor": now})

    def add_item(self, subscription: str, price: Price, quantity: int = 1) -> str:
        """A further line, aligned with the subscription's billing dates; gives the item's id."""
        before, now = self.allowed("add_item", subscription), self.book.now
        first, anchor = before.items[0], before.anchor
        in_trial = before.status == "trialing"
        new = Item(
            id=self.book.ids.new("si"),
            price=price,
            quantity=quantity,
            start=first.start if in_trial else period_start(anchor, price.every, price.interval_count, now),
            end=first.end if in_trial else period_end(anchor, price.every, price.interval_count, now),
            created=now,
        )
        self._swap(before, None, new)
        return new.id

    def remove_item(self, subscription: str, item: str) -> None:
        before = self.allowed("remove_item", subscription)
        self._swap(before, before.item(item), None)

    def _swap(
        self, before: Subscription, old: Item | None, new: Item | None, moved: Mapping[str, int] | None = None
    ) -> None:
        """Replaces, adds or removes an item, and settles the difference for the rest of the period."""
        now = self.book.now
        items = [new if item is old else item for item in before.items] + [new if old is None else None]
        after = replace(before, items=tuple(item for item in items if item is not None), **(moved or {}))
        if after.cancel_at_period_end:
            after = replace(after, cancel_at=after.due)
        with self.book.request():
            if before.status == "trialing":
                self.book.happened("customer.subscription.updated", now, after, before)
                return
            lines: list[Line] = []
            if old is not None:
                lines.append(self.invoicing.prorated(before, old, now, credit=True))
            if new is not None and new.start == now:
                lines.append(self.invoicing.period_line(after, new))
            elif new is not None:
                lines.append(self.invoicing.prorated(after, new, now, credit=False))
            after = replace(after, latest_invoice=self.book.ids.new("in"))
            self.book.happened("customer.subscription.updated", now, after, before)
            self.bill_now(after, lines)
