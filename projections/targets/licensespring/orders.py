"""From licenses that are desired and not there to keys and orders. Pure.

One order per line of a subscription and per time that units were added to it, each with a deterministic id; so no
order is ever appended to, which LicenseSpring could not repeat safely.
"""

from collections.abc import Iterator, Sequence

from domain.generated import Places, places_of
from domain.licensing import License
from domain.receipts import Applied
from projections.targets import Call
from projections.targets.licensespring.calls import (
    CreateOrder,
    FindOrder,
    MintKeys,
    NewLicense,
    RefuseBundles,
    TakeKeys,
    digest,
    hashed,
    is_refused,
)
from projections.targets.licensespring.express import express, express_customer

LARGEST_ORDER = 100
"""Licenses made by one call: as many as a page of a list holds, so that a look at them stays one request."""


def order_id(first: License) -> str:
    """The id under which an order is created: it follows from its first license."""
    return f"tenure-{first.id}"


def creations(desired: Sequence[License], applied: Applied) -> Iterator[Call]:
    """Keys for licenses that have none, and orders for those that do."""
    by_line: dict[tuple[str, str, str], list[License]] = {}
    for each in desired:
        by_line.setdefault((each.line, each.product_code, each.license_type), []).append(each)
    refusal = _two_bundles(desired, applied)
    if refusal is not None:
        yield refusal
    for licenses in by_line.values():
        if refusal is not None and licenses[0].is_bundle:
            continue
        yield from _orders(licenses, applied)
        yield from _keys(licenses, applied)


def _two_bundles(desired: Sequence[License], applied: Applied) -> RefuseBundles | None:
    bundles = [each for each in desired if each.is_bundle and each.enabled]
    codes = tuple(sorted({each.product_code for each in bundles}))
    waiting = [each for each in bundles if not applied.license(each.id).remote]
    if len(codes) < 2 or not waiting:
        return None
    return RefuseBundles(
        subjects=tuple(each.id for each in waiting), digest=f"bundles:{hashed(codes)}", product_codes=codes
    )


def _orders(licenses: Sequence[License], applied: Applied) -> Iterator[Call]:
    """Orders whose keys are recorded but which are not known to exist."""
    pending: dict[str, list[License]] = {}
    for each in licenses:
        held = applied.license(each.id)
        if held.order and not held.remote:
            pending.setdefault(held.order, []).append(each)
    for order, members in pending.items():
        if any(each.enabled for each in members):
            create = _create(order, members, applied)
            if is_refused(create, applied) and any(each.features or each.custom_fields for each in members):
                create = _create(order, members, applied, bare=True)
            yield create
        elif not all(applied.license(each.id).missing for each in members):
            yield FindOrder(
                subjects=tuple(each.id for each in members),
                digest=digest("find", *members),
                order=order,
                product_code=members[0].product_code,
                licenses=_new_licenses(members, applied),
                user_based=applied.license(members[0].id).user_based,
                is_bundle=members[0].is_bundle,
            )


def _create(order: str, members: Sequence[License], applied: Applied, *, bare: bool = False) -> CreateOrder:
    """`bare` is without what may be refused though the license itself would be taken: it is added later or never."""
    first = members[0]
    return CreateOrder(
        subjects=tuple(each.id for each in members),
        digest=digest("create bare" if bare else "create", *members),
        order=order,
        product_code=first.product_code,
        license_type=first.license_type,
        policy_code=first.policy_code,
        subscription=first.subscription,
        licenses=_new_licenses(members, applied, bare=bare),
        user_based=applied.license(first.id).user_based,
        is_bundle=first.is_bundle,
        customer=express_customer(first.customer),
        manager=first.customer.email if first.managed_by_customer else "",
    )


def _new_licenses(members: Sequence[License], applied: Applied, *, bare: bool = False) -> dict[str, NewLicense]:
    return {
        each.id: NewLicense(
            key=held.key,
            fields=express(each, user_based=held.user_based),
            features=() if bare else each.features,
            custom_fields={} if bare else each.custom_fields,
            users=each.users if held.user_based else (),
            max_activations=each.max_activations if held.user_based else None,
            consumption_period=each.consumption_period,
        )
        for each, held in ((each, applied.license(each.id)) for each in members)
    }


def _keys(licenses: Sequence[License], applied: Applied) -> Iterator[Call]:
    """Keys for those without: those at their places in the purchase's list, else fresh ones."""
    unprepared = [each for each in licenses if each.enabled and not applied.license(each.id).order]
    places = {name: places_of(name, applied) for name in {each.fulfillment for each in unprepared} if name}
    placeless = [each for each in unprepared if each.fulfillment and each.id not in places[each.fulfillment].taken]
    if placeless:
        yield _claim(licenses, placeless, places[placeless[0].fulfillment])
        return
    given = {each.id: places[each.fulfillment].key_of(each.id) for each in unprepared if each.fulfillment}
    keyless = [each for each in unprepared if given.get(each.id) == ""]
    if keyless:
        # Nobody chose them yet, or the product is licensed by user and has none.
        for part in _parts([each for each in keyless if each.fulfillment == keyless[0].fulfillment]):
            yield _mint(part, fulfillment=keyless[0].fulfillment)
        return
    used = {held.key for held in applied.licenses.values() if held.key}
    taken = {identifier: key for identifier, key in given.items() if key not in used}
    for part in _parts([each for each in unprepared if each.id in taken]):
        yield TakeKeys(
            subjects=tuple(each.id for each in part),
            digest=digest("take", *part),
            order=order_id(part[0]),
            product_code=part[0].product_code,
            keys={each.id: taken[each.id] for each in part},
        )
    for part in _parts([each for each in unprepared if each.id not in taken]):
        yield _mint(part)


def _claim(licenses: Sequence[License], placeless: Sequence[License], places: Places) -> Call:
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


def _mint(licenses: Sequence[License], fulfillment: str = "") -> MintKeys:
    return MintKeys(
        subjects=tuple(each.id for each in licenses),
        digest=digest("mint", *licenses),
        order=order_id(licenses[0]),
        product_code=licenses[0].product_code,
        fulfillment=fulfillment,
    )


def _parts(licenses: Sequence[License]) -> Iterator[Sequence[License]]:
    """What goes into one order each: of a bundle a single unit."""
    most = 1 if licenses and licenses[0].is_bundle else LARGEST_ORDER
    for start in range(0, len(licenses), most):
        yield licenses[start : start + most]
