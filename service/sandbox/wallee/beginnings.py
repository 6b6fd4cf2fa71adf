"""How subscriptions begin: created, and paid for at once, later or never."""

from collections.abc import Mapping

from service.sandbox.wallee.billing import Billing
from service.sandbox.wallee.legality import IllegalAct
from service.sandbox.wallee.model import Configured, ProductVersion, Subscriber, Subscription, Version


class Beginnings(Billing):
    def subscriber(
        self,
        name: str,
        email: str,
        *,
        company: str | None = None,
        reference: str | None = None,
        metadata: dict[str, str] | None = None,
    ) -> int:
        """A new subscriber; gives the id."""
        made = Subscriber(
            id=self.book.ids.new(),
            name=name,
            email=email,
            company=company,
            reference=reference,
            external_id=reference,
            metadata=metadata or {},
        )
        return self.book.add(made).id

    def begin(self, subscriber: int, product: ProductVersion, quantities: Mapping[str, float] | float = 1) -> int:
        """Subscribes and pays at once; gives the subscription's id."""
        subscription = self.subscribe(subscriber, product, quantities)
        self.initialize(subscription)
        self.confirm(subscription)
        return subscription

    def subscribe(self, subscriber: int, product: ProductVersion, quantities: Mapping[str, float] | float = 1) -> int:
        """A subscription that waits for its beginning; gives its id.

        A number is the quantity of the product's first component, and the others are not chosen.
        """
        book = self.book
        with book.act():
            identifier = book.ids.new()
            subscription = Subscription(
                id=identifier,
                subscriber=subscriber,
                state="PENDING",
                product_version=product,
                reference=f"falcon-{identifier}",
                created=book.now,
            )
            book.add(subscription)
            self._version(subscription, product, quantities)
        return identifier

    def initialize(self, subscription: int) -> None:
        """The first payment begins, the subscriber being there."""
        it = self.allowed("initialize", subscription)
        with self.book.act():
            self.book.change(it.version, state="INITIALIZING")
            self.set_state(it.subscription, "INITIALIZING", initialized=self.book.now)
            self.begin_charge(it.version, it.version.price)

    def confirm(self, subscription: int) -> None:
        """The first payment is there: the first period begins."""
        it = self.allowed("confirm", subscription)
        with self.book.act():
            if it.charge is not None:
                self.succeed(it.charge)
            now = self.book.now
            version = self.book.change(it.version, state="ACTIVE", activated=now)
            self.open_bill(version, now)
            self.set_state(it.subscription, "ACTIVE", activated=now)

    def fail_initialization(self, subscription: int) -> None:
        """The first payment fails, and there will be no other."""
        it = self.allowed("fail_initialization", subscription)
        with self.book.act():
            if it.charge is not None:
                self.fail(it.charge)
            self.book.change(it.version, state="FAILED", failed=self.book.now)
            self.set_state(it.subscription, "FAILED")

    def _version(self, of: Subscription, product: ProductVersion, quantities: Mapping[str, float] | float) -> Version:
        return self.book.add(self.version_for(of.id, product, quantities))

    def version_for(
        self, subscription: int, product: ProductVersion, quantities: Mapping[str, float] | float
    ) -> Version:
        """A version that is not kept yet. Raises IllegalAct for a component that the product has not."""
        skus = [each.reference.sku for each in product.components]
        chosen = quantities if isinstance(quantities, Mapping) else {skus[0]: quantities}
        if not chosen or not chosen.keys() <= set(skus) or any(each <= 0 for each in chosen.values()):
            raise IllegalAct(f"{product.product.reference} has {', '.join(skus)}; choose some of them, above 0")
        return Version(
            id=self.book.ids.new(),
            subscription=subscription,
            state="PENDING",
            product_version=product,
            configured=tuple(
                Configured(id=self.book.ids.new(), component=each, quantity=chosen[each.reference.sku])
                for each in product.components
                if each.reference.sku in chosen
            ),
            created=self.book.now,
        )
