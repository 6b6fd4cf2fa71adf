"""What is subscribed to changes: more, fewer, another product, another reference."""

from collections.abc import Mapping

from service.sandbox.wallee.beginnings import Beginnings
from service.sandbox.wallee.calendar import DAY
from service.sandbox.wallee.legality import IllegalAct, Standing
from service.sandbox.wallee.model import ProductVersion, Version


class Changes(Beginnings):
    """`at_period_end`: the change waits for the next period. `charged`: the difference is charged at once."""

    def change_quantity(
        self,
        subscription: int,
        quantities: Mapping[str, float] | float,
        *,
        at_period_end: bool = False,
        charged: bool = True,
    ) -> None:
        it = self.allowed("change_quantity", subscription)
        after = self.version_for(subscription, it.version.product_version, quantities)
        if _chosen(after) == _chosen(it.version):
            raise IllegalAct(f"change_quantity: {subscription} has these quantities already")
        self._change(it, after, at_period_end=at_period_end, charged=charged)

    def change_product(
        self,
        subscription: int,
        product: ProductVersion,
        quantities: Mapping[str, float] | float = 1,
        *,
        at_period_end: bool = False,
        charged: bool = True,
    ) -> None:
        """Another product. The end of the period stays, unless the other has another cycle and begins at once."""
        it = self.allowed("change_product", subscription)
        if product == it.version.product_version:
            raise IllegalAct(f"change_product: {subscription} is of {product.product.reference} already")
        after = self.version_for(subscription, product, quantities)
        self._change(it, after, at_period_end=at_period_end, charged=charged)

    def change_reference(self, subscription: int, reference: str) -> None:
        """Nothing that is licensed changes, and still the version rises."""
        it = self.allowed("change_reference", subscription)
        with self.book.act():
            self.book.change(it.subscription, reference=reference)

    def _change(self, it: Standing, after: Version, *, at_period_end: bool, charged: bool) -> None:
        with self.book.act():
            after = self.book.add(after)
            if at_period_end:
                issued, end = self.book.now, it.due
                self.book.change(it.version, termination_issued=issued, planned_termination=end, last_period_end=end)
                return
            self.switch(it.version, after)
            anew = after.product_version.cycle != it.version.product_version.cycle
            if it.bill is not None:
                self.close_bill(it.bill, self.book.now)
                if anew:
                    self.open_bill(after, self.book.now)
                else:
                    self.open_bill(after, self.book.now, anchor=it.bill.anchor, ends=it.bill.planned_end)
            amount = after.price if anew else _difference(it, after, self.book.now)
            if anew or (charged and amount > 0):
                self.succeed(self.begin_charge(after, amount, manual=True))


def _chosen(version: Version) -> Mapping[str, float]:
    return {each.component.reference.sku: each.quantity for each in version.configured}


def _difference(it: Standing, after: Version, now: int) -> int:
    """The difference for the days that are left, of a period of thirty."""
    days = 0 if it.due is None else max(0, (it.due - now) // DAY)
    return (after.price - it.version.price) * min(days, 30) // 30
