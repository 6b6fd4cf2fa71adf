"""From licenses that are there to what has to be changed in them. Pure.

Each thing is a call of its own, so that one which is refused holds up nothing else; access comes before what it
grants, and what is taken away comes last.
"""

from collections.abc import Iterator, Sequence

from domain.licensing import License
from domain.receipts import Applied, AppliedLicense, Fields
from projections.targets import Call
from projections.targets.digests import hashed
from projections.targets.licensespring.calls import (
    ChangeCustomer,
    ChangeFeatures,
    ChangeLicense,
    DisableLicense,
    EnableLicense,
    FreeDevices,
    ResetConsumption,
    SetCustomField,
    digest,
)
from projections.targets.licensespring.compare import differing, is_enabled, missing, surplus
from projections.targets.licensespring.express import (
    COUNTED,
    CUSTOM_FIELD,
    FEATURE,
    FREED,
    OFF,
    express_custom_fields,
    express_customer,
    express_dates,
    express_features,
    express_values,
)
from projections.targets.licensespring.users import joining, leaving


def changes(desired: Sequence[License], applied: Applied) -> Iterator[Call]:
    """What brings licenses that are there in line; a disabled license is left as it was."""
    # While what replaces it cannot be created, what a customer has stays; but for what a person disabled.
    unreplaced = {(each.line, each.unit) for each in desired if each.enabled and not applied.license(each.id).remote}
    for each in sorted(desired, key=lambda license_: not license_.enabled):
        held = applied.license(each.id)
        if each.enabled and held.remote:
            yield from _kept(each, held)
        elif held.remote and (each.disabled_by_act or (each.line, each.unit) not in unreplaced):
            yield from _ended(each, held)


def leftovers(desired: Sequence[License], applied: Applied) -> Iterator[Call]:
    """Licenses that exist there and are no longer derived from anything."""
    known = {each.id for each in desired}
    for identifier, held in applied.licenses.items():
        for remote, fields in held.parts.items() if identifier not in known else ():
            if is_enabled(fields):
                yield DisableLicense(
                    subjects=(identifier,),
                    digest=f"disable {remote}:gone",
                    license=identifier,
                    remote=remote,
                    companion=remote != held.remote,
                )


def customers(desired: Sequence[License], applied: Applied) -> Iterator[Call]:
    """What has become known of the customer."""
    if not desired:
        return
    wanted = express_customer(desired[0].customer)
    for customer, held in applied.customers.items():
        # Two of the provider's customers with one address are one customer there: the first reference stays.
        changed = {
            name: value
            for name, value in wanted.items()
            if held.get(name) != value and not (name == "reference" and held.get(name))
        }
        if changed:
            yield ChangeCustomer(
                subjects=(customer,), digest=f"customer:{hashed(wanted)}", customer=customer, fields=changed
            )


def _ended(desired: License, held: AppliedLicense) -> Iterator[Call]:
    for remote, fields in held.parts.items():
        companion = remote != held.remote
        if is_enabled(fields):
            call: type[DisableLicense | FreeDevices] = DisableLicense
        elif desired.free_devices and fields.get(FREED) is not True:
            # Only of what is known to be disabled: otherwise they would come back at once.
            call = FreeDevices
        else:
            continue
        what = "disable" if call is DisableLicense else "free"
        yield call(
            subjects=(desired.id,),
            digest=digest(f"{what} {remote}" if companion else what, desired),
            license=desired.id,
            remote=remote,
            companion=companion,
        )


def _kept(desired: License, held: AppliedLicense) -> Iterator[Call]:
    for remote, fields in held.parts.items():
        if not is_enabled(fields):
            companion = remote != held.remote
            yield EnableLicense(
                subjects=(desired.id,),
                digest=digest(f"enable {remote}" if companion else "enable", desired),
                license=desired.id,
                remote=remote,
                companion=companion,
            )
    for remote, fields in held.parts.items():
        yield from _dates(desired, remote, fields, companion=remote != held.remote)
    yield from _consumption(desired, held)
    if held.user_based:
        yield from joining(desired, held)
    yield from _values(desired, held)
    yield from _features(desired, held)
    yield from _custom_fields(desired, held)
    if held.user_based:
        yield from leaving(desired, held)


def _dates(desired: License, remote: str, held: Fields, *, companion: bool) -> Iterator[Call]:
    # What a bundle brings along is of a type of its own, which decides what a date may be.
    type_there = str(held.get("license_type") or "") if companion else ""
    changed = differing(express_dates(desired, type_there), held, {})
    if changed:
        yield ChangeLicense(
            subjects=(desired.id,),
            digest=digest(f"dates {remote}" if companion else "dates", desired),
            sets=tuple(changed),
            license=desired.id,
            remote=remote,
            companion=companion,
            fields=changed,
        )


def _values(desired: License, held: AppliedLicense) -> Iterator[Call]:
    wanted = express_values(desired, user_based=held.user_based)
    off = {name: value for name, value in OFF.items() if name in held.fields and name not in wanted}
    changed = differing({**wanted, **off}, held.fields, {"is_trial": desired.trial})
    if changed:
        yield ChangeLicense(
            subjects=(desired.id,),
            digest=digest("values", desired),
            sets=tuple(changed),
            license=desired.id,
            remote=held.remote,
            fields=changed,
        )


def _consumption(desired: License, held: AppliedLicense) -> Iterator[Call]:
    period = desired.consumption_period
    if period and held.fields.get(COUNTED) != period:
        yield ResetConsumption(
            subjects=(desired.id,),
            digest=digest("consumption", desired),
            license=desired.id,
            remote=held.remote,
            period=period,
        )


def _features(desired: License, held: AppliedLicense) -> Iterator[Call]:
    wanted = express_features(desired)
    added, removed = missing(wanted, held.fields), surplus(FEATURE, wanted, held.fields)
    if added or removed:
        yield ChangeFeatures(
            subjects=(desired.id,),
            digest=digest("features", desired),
            sets=added,
            license=desired.id,
            remote=held.remote,
            added=tuple(name.removeprefix(FEATURE) for name in added),
            removed=tuple(name.removeprefix(FEATURE) for name in removed),
        )


def _custom_fields(desired: License, held: AppliedLicense) -> Iterator[Call]:
    wanted = express_custom_fields(desired)
    gone = surplus(CUSTOM_FIELD, wanted, held.fields)
    for name, value in {**wanted, **dict.fromkeys(gone)}.items():
        if held.fields.get(name) != value or name in gone:
            yield SetCustomField(
                subjects=(desired.id,),
                digest=digest(f"custom field {hashed(name)}", desired),
                sets=(name,),
                license=desired.id,
                remote=held.remote,
                product_code=desired.product_code,
                field=name.removeprefix(CUSTOM_FIELD),
                value=value if isinstance(value, str) else None,
            )
