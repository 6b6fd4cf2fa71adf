"""What is subscribed to changes: more, fewer, another product, an add-on, a fixed end, another card."""

from datetime import datetime

from service.sandbox.fastspring.calendar import DAY, following, midnight, milliseconds
from service.sandbox.fastspring.desk import Desk
from service.sandbox.fastspring.legality import IllegalAct
from service.sandbox.fastspring.model import AddOn, Item, Product, Subscription


class Changes(Desk):
    """`prorate`: the difference for the days that are left is charged at once; in a trial nothing is."""

    def change_quantity(self, subscription: str, quantity: int, *, prorate: bool = False) -> None:
        before = self.allowed("change_quantity", subscription)
        if quantity == before.quantity:
            raise IllegalAct(f"change_quantity: {subscription} has the quantity {quantity} already")
        self._change(before, self.keep(before, quantity=quantity), prorate=prorate)

    def change_product(self, subscription: str, product: Product, *, prorate: bool = False) -> None:
        """Another product. The day of the next charge stays, unless another interval is charged for at once."""
        before = self.allowed("change_product", subscription)
        if product == before.product:
            raise IllegalAct(f"change_product: {subscription} is of {product.path} already")
        if product.interval is None:
            raise IllegalAct(f"change_product: {product.path} is bought once; choose one with an interval")
        self.book.products[product.path] = product
        at_once = prorate and before.state == "active" and not before.managed
        if at_once and _rhythm(product) != _rhythm(before.product):
            self._begin_anew(before, product)
        else:
            self._change(before, self.keep(before, product=product), prorate=prorate)

    def add_addon(self, subscription: str, product: Product, quantity: int = 1, *, prorate: bool = False) -> None:
        before = self.allowed("add_addon", subscription)
        if any(each.product == product for each in before.addons):
            raise IllegalAct(f"add_addon: {subscription} has {product.path} already")
        self.book.products[product.path] = product
        added = (*before.addons, AddOn(product=product, quantity=quantity))
        self._change(before, self.keep(before, addons=added), prorate=prorate)

    def remove_addon(self, subscription: str, product: Product) -> None:
        before = self.allowed("remove_addon", subscription)
        left = tuple(each for each in before.addons if each.product != product)
        if left == before.addons:
            raise IllegalAct(f"remove_addon: {subscription} has no {product.path}")
        self._change(before, self.keep(before, addons=left), prorate=False)

    def change_card(self, subscription: str) -> None:
        """`updated`, though nothing that is licensed changed."""
        before = self.allowed("change_card", subscription)
        self.tell("subscription.updated", self.keep(before, card=before.card % 9000 + 1000), new_card=True)

    def set_end(self, subscription: str, end: datetime | None) -> None:
        """A fixed last day (at midnight UTC), or none any more."""
        before = self.allowed("set_end", subscription)
        day = None if end is None else midnight(milliseconds(end))
        self.tell("subscription.updated", self.keep(before, end=day))

    def _change(self, before: Subscription, after: Subscription, *, prorate: bool) -> None:
        with self.book.batch():
            self.tell("subscription.updated", after)
            if prorate and after.state == "active" and after.next is not None:
                self._charge_difference(before, after, after.next)

    def _begin_anew(self, before: Subscription, product: Product) -> None:
        """A whole period of another length begins today, and is charged."""
        turn = following(self.today, product.every, product.interval_length, self.today)
        with self.book.batch():
            after = self.keep(before, product=product, anchor=self.today, next=turn, sequence=before.sequence + 1)
            self.tell("subscription.updated", after)
            self.charge(after, self.period_items(after))

    def _charge_difference(self, before: Subscription, after: Subscription, until: int) -> None:
        length = {"day": 1, "week": 7, "month": 30, "year": 365}[after.product.every] * after.product.interval_length
        days = max(0, (until - self.today) // DAY)
        difference = (after.period_price - before.period_price) * min(days, length) // length
        charged = self.keep(after, sequence=after.sequence + 1)
        item = Item(
            product=after.product,
            quantity=after.quantity,
            subtotal=difference,
            subscription=after.id,
            proration=True,
        )
        self.charge(charged, [item])


def _rhythm(product: Product) -> tuple[str, int]:
    return product.every, product.interval_length
