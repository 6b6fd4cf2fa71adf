"""From licenses that are desired and not there to keys and orders. Pure.

One order per line of a subscription and per time that units were added to it, each with a deterministic id; so no
order is ever appended to, which LicenseSpring could not repeat safely.
"""

from collections.abc import Iterator, Sequence

from domain.licensing import License
from domain.receipts import Applied
from projections.targets import Call
from projections.targets.digests import hashed, is_refused
from projections.targets.keys import LARGEST_ORDER, preparations
from projections.targets.licensespring.calls import CreateOrder, FindOrder, NewLicense, RefuseBundles, digest
from projections.targets.licensespring.express import express, express_customer


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
        yield from preparations(licenses, applied, digest=digest, at_most=_at_most)


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


def _at_most(like: License) -> int:
    """A page of a list holds as many licenses, so that a look at an order stays one request; of a bundle one unit."""
    return 1 if like.is_bundle else LARGEST_ORDER
