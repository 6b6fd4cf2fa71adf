"""From licenses that are desired and have no key yet to the calls that give them one, whatever the server. Pure.

A key is the one at the license's place in the purchase's list, where the provider's license generator may ask for it,
else one that the target chooses. Either is recorded under an order, whose id follows from its first license, before it
is used: who comes second finds the first record.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from domain.generated import Places, places_of
from domain.licensing import License
from domain.receipts import Applied
from projections.targets import Call

LARGEST_ORDER = 100
"""Licenses prepared by one call."""


class MintKeys(Call, frozen=True, kw_only=True):
    """Chooses keys for licenses that are about to be created; they are recorded before they are used."""

    product_code: str


class TakeKeys(Call, frozen=True, kw_only=True):
    """Takes the keys that the provider's license generator gave: license id → key."""

    product_code: str
    keys: dict[str, str]


class Digest(Protocol):
    """Says in short what is desired of licenses, for one kind of call about them."""

    def __call__(self, what: str, *licenses: License) -> str: ...


def order_id(first: License) -> str:
    """The id under which licenses are prepared: it follows from the first of them."""
    return f"tenure-{first.id}"


def preparations(
    licenses: Sequence[License],
    applied: Applied,
    *,
    digest: Digest,
    at_most: Callable[[License], int] = lambda _: LARGEST_ORDER,
    shared: bool = False,
) -> Iterator[Call]:
    """Keys for those of one line and product that have none.

    `at_most` is how many like this one an order may have; with `shared` several licenses may have one key.
    """
    unprepared = [each for each in licenses if each.enabled and not applied.license(each.id).order]
    places = {name: places_of(name, applied) for name in {each.fulfillment for each in unprepared} if name}
    placeless = [each for each in unprepared if each.fulfillment and each.id not in places[each.fulfillment].taken]
    if placeless:
        yield _claim(licenses, placeless, places[placeless[0].fulfillment], digest)
        return
    given = {each.id: places[each.fulfillment].key_of(each.id) for each in unprepared if each.fulfillment}
    keyless = [each for each in unprepared if given.get(each.id) == ""]
    if keyless:
        # Nobody chose them yet, or the product has no keys.
        for part in _parts([each for each in keyless if each.fulfillment == keyless[0].fulfillment], at_most):
            yield _mint(part, digest, fulfillment=keyless[0].fulfillment)
        return
    used = set() if shared else {held.key for held in applied.licenses.values() if held.key}
    taken = {identifier: key for identifier, key in given.items() if key not in used}
    for part in _parts([each for each in unprepared if each.id in taken], at_most):
        yield TakeKeys(
            subjects=tuple(each.id for each in part),
            digest=digest("take", *part),
            order=order_id(part[0]),
            product_code=part[0].product_code,
            keys={each.id: taken[each.id] for each in part},
        )
    for part in _parts([each for each in unprepared if each.id not in taken], at_most):
        yield _mint(part, digest)


def _claim(licenses: Sequence[License], placeless: Sequence[License], places: Places, digest: Digest) -> Call:
    """Places for licenses that have none, with keys where the list has none for them yet.

    All units before them get theirs first, so that a unit's number is its place where nobody else has taken it.
    """
    first, last = placeless[0], placeless[-1].unit
    mine = [each for each in licenses if each.unit <= last and each.fulfillment == first.fulfillment]
    claiming = [each for each in mine if each.id not in places.taken][:LARGEST_ORDER]
    if len(places.free) < len(claiming):
        return MintKeys(
            subjects=tuple(each.id for each in claiming),
            digest=digest("claim", *claiming),
            order=order_id(first),
            product_code=first.product_code,
            fulfillment=first.fulfillment,
        )
    return TakeKeys(
        subjects=tuple(each.id for each in claiming),
        digest=digest("claim", *claiming),
        order=order_id(first),
        product_code=first.product_code,
        fulfillment=first.fulfillment,
        keys={each.id: key for each, key in zip(claiming, places.free, strict=False)},
    )


def _mint(licenses: Sequence[License], digest: Digest, fulfillment: str = "") -> MintKeys:
    return MintKeys(
        subjects=tuple(each.id for each in licenses),
        digest=digest("mint", *licenses),
        order=order_id(licenses[0]),
        product_code=licenses[0].product_code,
        fulfillment=fulfillment,
    )


def _parts(licenses: Sequence[License], at_most: Callable[[License], int]) -> Iterator[Sequence[License]]:
    """What goes into one order each."""
    most = at_most(licenses[0]) if licenses else 1
    for start in range(0, len(licenses), most):
        yield licenses[start : start + most]
