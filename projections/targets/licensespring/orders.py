"""From licenses that are desired and not there to keys and orders. Pure.

One order per line of a subscription and per time that units were added to it, each with a deterministic id; so no
order is ever appended to, which LicenseSpring could not repeat safely.
"""

from collections.abc import Iterator, Sequence

from domain.generated import generated_key, generated_keys
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
    """Keys for those without: the ones that the provider's license generator gave or will give, else fresh ones."""
    used = {held.key for held in applied.licenses.values() if held.key}
    unprepared = [each for each in licenses if each.enabled and not applied.license(each.id).order]
    ungenerated = [each for each in unprepared if each.fulfillment and not generated_key(each, applied)]
    given = {each.id: key for each in unprepared if (key := generated_key(each, applied)) and key not in used}
    if ungenerated:
        yield _mint(_ungenerated(licenses, ungenerated, applied)[:LARGEST_ORDER], fulfillment=ungenerated[0])
        return
    for part in _parts([each for each in unprepared if each.id in given]):
        yield TakeKeys(
            subjects=tuple(each.id for each in part),
            digest=digest("take", *part),
            order=order_id(part[0]),
            product_code=part[0].product_code,
            keys={each.id: given[each.id] for each in part},
        )
    for part in _parts([each for each in unprepared if each.id not in given]):
        yield _mint(part)


def _ungenerated(licenses: Sequence[License], wanted: Sequence[License], applied: Applied) -> Sequence[License]:
    """All units of one product share one list of keys, in which a unit's number is its place: it has no gaps."""
    known, last = len(generated_keys(wanted[0], applied)), wanted[-1].unit
    return [each for each in licenses if known < each.unit <= last and not applied.license(each.id).user_based]


def _mint(licenses: Sequence[License], fulfillment: License | None = None) -> MintKeys:
    return MintKeys(
        subjects=tuple(each.id for each in licenses),
        digest=digest("mint", *licenses),
        order=order_id(fulfillment or licenses[0]),
        product_code=licenses[0].product_code,
        fulfillment=fulfillment.fulfillment if fulfillment else "",
    )


def _parts(licenses: Sequence[License]) -> Iterator[Sequence[License]]:
    """What goes into one order each: of a bundle a single unit."""
    most = 1 if licenses and licenses[0].is_bundle else LARGEST_ORDER
    for start in range(0, len(licenses), most):
        yield licenses[start : start + most]
