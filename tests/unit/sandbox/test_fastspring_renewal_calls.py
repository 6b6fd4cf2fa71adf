"""Keys are asked for at the checkout, and where a product is set up so at each renewal too."""

from datetime import timedelta

from msgspec.structs import replace

from service.sandbox.fastspring import Store, catalog
from service.sandbox.fastspring.lifecycle import START
from service.sandbox.fastspring.model import Product


def renewed(product: Product) -> Store:
    """A store in which two units were bought, became three at a price, and were paid for once more."""
    store = Store("renewed", start=START)
    [subscription] = store.subscriptions_of(store.buy(store.account("Ada", "ada@example.com"), [(product, 2)]))
    store.advance(timedelta(days=10))
    store.change_quantity(subscription, 3, prorate=True)
    store.renew(subscription)
    return store


def test_a_renewal_asks_for_its_quantity_and_names_the_subscription_and_its_own_order() -> None:
    first, again = renewed(replace(catalog.PRO, asks_again=True)).calls
    assert again.subscription_reference == first.subscription_reference == f"{first.reference}S"
    assert again.reference != first.reference
    assert (first.quantity, again.quantity) == (2, 3)


def test_a_product_whose_generator_is_for_first_orders_is_not_asked_again() -> None:
    assert len(renewed(catalog.PRO).calls) == 1
