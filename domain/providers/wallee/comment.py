"""License terms in the comment of a product version: Tenure's own convention, for wallee's products hold no metadata.

The vendor writes one attribute a line, `name = value`. `{SKU}.{name} = value` is for the component of that SKU, and
`quantity = {SKU}` names the component that counts the product's units. Lines of another form are prose. The comment is
not shown to subscribers.
"""

import re

from msgspec import Struct

from domain.attributes import CUSTOM_FIELD

QUANTITY = "quantity"

_LINE = re.compile(r"\s*(?P<name>[^\s=]+)\s*=\s*(?P<value>.*?)\s*")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


class Said(Struct, frozen=True):
    """The attributes of the product, those of components by their SKU, and the SKU that counts the product's units."""

    product: dict[str, str]
    components: dict[str, dict[str, str]]
    counted_by: str = ""


def read_comment(comment: str) -> Said:
    """What a comment says; an attribute that stands there twice is as it stands last."""
    product: dict[str, str] = {}
    components: dict[str, dict[str, str]] = {}
    for line in comment.splitlines():
        found = _LINE.fullmatch(line)
        if found is None:
            continue
        name, value = found["name"], found["value"]
        sku, dot, own = ("", "", name) if name.startswith(CUSTOM_FIELD) else name.rpartition(".")
        if not own.startswith(CUSTOM_FIELD) and not _NAME.fullmatch(own):
            continue
        if dot and sku:
            components.setdefault(sku, {})[own] = value
        elif not dot:
            product[own] = value
    return Said(product, components, product.pop(QUANTITY, ""))


def sold(name: str, comment: str) -> list[tuple[str, str, dict[str, str]]]:
    """What a product version of that name and comment sells: name, product and attributes of each.

    The product itself, then the components that have attributes of their own.
    """
    said = read_comment(comment)
    return [(name, name, said.product), *((f"{name}/{sku}", sku, of) for sku, of in sorted(said.components.items()))]
