"""Which key of a purchase belongs to which license, whoever chose it: the list of a product's keys, and its places.

A license takes the next free place by a recorded event (`KeysClaimed`), so licenses of several subscriptions or items
of one order share the list without sharing a key.
"""

from collections.abc import Mapping, Sequence

import msgspec

from domain.licensing import License
from domain.licensing.fields import NAMES_TOO_LONG
from domain.receipts import Applied


class Places(msgspec.Struct, frozen=True):
    """The list of one product's keys in a purchase: license id → its place, from 0; and the keys, as far as known.

    `free` are the keys of places that no license has taken.
    """

    taken: Mapping[str, int]
    keys: Sequence[str]
    free: Sequence[str]

    def key_of(self, license_: str) -> str:
        """The key at the license's place; empty when it has no place, or its key is not known yet."""
        place = self.taken.get(license_)
        return "" if place is None or place >= len(self.keys) else self.keys[place]


def product_of(fulfillment: str) -> str:
    """The product that `License.fulfillment` names."""
    return fulfillment.partition("/")[2]


def places_of(fulfillment: str, applied: Applied) -> Places:
    """Whose places there are of the product of `License.fulfillment`."""
    product = product_of(fulfillment)
    taken: dict[str, int] = {}
    claimed, keys = applied.claimed.get(product, ()), applied.generated.get(product, ())
    for place, license_ in enumerate(claimed):
        taken.setdefault(license_, place)
    return Places(taken, keys, keys[len(claimed) :])


def problems(desired: Sequence[License], applied: Applied) -> list[str]:
    """What a person should know: keys that the customer may have been shown and that no license has, by product."""
    told = [_kept_apart(each) for each in desired if each.because.get("fulfillment") and each.enabled]
    mine: dict[str, list[License]] = {}
    for each in desired:
        if each.fulfillment:
            mine.setdefault(product_of(each.fulfillment), []).append(each)
    for product in sorted(applied.generated):
        if product in mine:
            told += _of_own(product, mine[product], applied)
        elif mine.keys() & set(applied.unasked) and product not in applied.claimed:
            count = _keys(len(applied.generated[product]))
            told.append(
                f"the license generator was asked for {count} of {product!r}, and no product of this purchase that has "
                f"licenses is called so, but {', '.join(sorted(mine))}: give the product's fulfillment the parameter "
                "product = its path, and tell the customer the keys of the licenses"
            )
    return list(dict.fromkeys(filter(None, told)))


def _kept_apart(each: License) -> str:
    if each.because["fulfillment"].rule != NAMES_TOO_LONG:
        return ""
    return f"{each.product_code}: {NAMES_TOO_LONG}; its license generator gets no keys: shorten the product's path"


def _of_own(product: str, mine: Sequence[License], applied: Applied) -> list[str]:
    held = {each.key for each in applied.licenses.values()}
    places = places_of(mine[0].fulfillment, applied)
    # What was asked for after licenses had been made with other keys; each of them keeps its own.
    late = [each for each in mine if applied.license(each.id).key and applied.license(each.id).key not in places.keys]
    claimed = [each for each in late if places.key_of(each.id)]
    unclaimed = [each for each in late if each.id not in places.taken]
    free = len([key for key in places.free if key not in held])
    others = len(claimed) + min(len(unclaimed), free)
    spare = free - min(len(unclaimed), free)
    told = []
    if others:
        codes = ", ".join(sorted({each.product_code for each in late}))
        told.append(
            f"the license generator gave {_keys(others)} of {codes} after other keys were chosen: tell the customer "
            "those of the licenses"
        )
    if spare and _settled(mine, applied):
        units = f"{len(mine)} license{'s' * (len(mine) != 1)}"
        told.append(
            f"the license generator was asked for {_keys(spare)} of {product} more than the {units}: tell the customer "
            "which keys count; for a single license give its fulfillment the parameter single_license = true"
        )
    return told


def _settled(mine: Sequence[License], applied: Applied) -> bool:
    """Whether all have what they get, and it is keys; what is over is no matter for anybody."""
    enabled = [applied.license(each.id) for each in mine if each.enabled]
    return bool(enabled) and all(each.order and not each.user_based for each in enabled)


def _keys(count: int) -> str:
    return f"{count} key{'s' * (count != 1)}"
