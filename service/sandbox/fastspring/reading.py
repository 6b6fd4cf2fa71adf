"""What FastSpring's API answers when something is read: as it stands now, whatever was told of it before.

Inside its objects others are strings, as in a webhook without expansion. How errors look is documented for events
and taken to be the same everywhere: `action`, `result`, `error` by field. A batch answers each id by itself.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from service.sandbox.fastspring import objects, orders
from service.sandbox.fastspring.catalog import ALL
from service.sandbox.fastspring.fields import writing_for
from service.sandbox.fastspring.model import Product
from service.sandbox.fastspring.shapes import Shape, shaped
from service.sandbox.fastspring.store import Store

Json = dict[str, Any]

MOST_AT_ONCE = 50


def read(stores: Sequence[Store], kind: str, identifiers: Sequence[str]) -> tuple[int, Json] | None:
    """Status and answer to `GET /{kind}/{ids}`: one thing by itself, several in a list, products always in a list.

    400 when none of them is there. Knows `products` (by path), `accounts`, `subscriptions` and `orders`; None for
    another kind.
    """
    if kind not in _READERS:
        return None
    one, find = _READERS[kind]
    answers = [_answer(one, each, (find(store, each) for store in stores)) for each in identifiers]
    status = 200 if any(each["result"] == "success" for each in answers) else 400
    return status, answers[0] if len(answers) == 1 and kind != "products" else {kind: answers}


def all_products(stores: Sequence[Store]) -> Json:
    """The answer to `GET /products`: the paths of the whole catalog."""
    paths = sorted({*(each.path for each in ALL), *(path for store in stores for path in store.book.products)})
    return {"action": "products.getall", "result": "success", "page": 1, "limit": None, "products": paths}


def _answer(one: str, identifier: str, found: Iterable[Json | None]) -> Json:
    for thing in found:
        if thing is not None:
            return {**shaped(thing, Shape.PLAIN), "action": f"{one}.get", "result": "success"}
    return {one: identifier, "action": f"{one}.get", "result": "error", "error": {one: "Not found"}}


def _product(store: Store, path: str) -> Json | None:
    catalog: dict[str, Product] = {each.path: each for each in ALL} | store.book.products
    return objects.product(catalog[path]) if path in catalog else None


def _account(store: Store, identifier: str) -> Json | None:
    book = store.book
    if identifier not in book.accounts:
        return None
    return objects.account(book.accounts[identifier]) | {
        "orders": [each.id for each in book.orders.values() if each.account == identifier],
        "subscriptions": [each.id for each in book.subscriptions.values() if each.account == identifier],
    }


def _subscription(store: Store, identifier: str) -> Json | None:
    found = store.book.subscriptions.get(identifier)
    if found is None:
        return None
    holder = store.book.accounts[found.account]
    return objects.subscription(found, holder, writing_for(holder, of_2019=False), live=store.live)


def _order(store: Store, identifier: str) -> Json | None:
    found = store.book.orders.get(identifier)
    if found is None:
        return None
    buyer = store.book.accounts[found.account]
    return orders.order(found, buyer, writing_for(buyer, of_2019=False), {}, store.book.keys, live=store.live)


_READERS: dict[str, tuple[str, Callable[[Store, str], Json | None]]] = {
    "products": ("product", _product),
    "accounts": ("account", _account),
    "subscriptions": ("subscription", _subscription),
    "orders": ("order", _order),
}
