"""What LicenseSpring has to be told: desired licenses against what it is known to hold. Pure.

One order per line of a subscription and per time that units were added to it, each with a deterministic id; so no
order is ever appended to, which LicenseSpring could not repeat safely.
"""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from domain.licensing import License, in_order
from domain.receipts import Applied, AppliedLicense, Fields
from domain.subscription import Customer
from projections.targets import Call

_DAY = timedelta(days=1)


class MintKeys(Call, frozen=True, kw_only=True):
    """Chooses keys for licenses that are about to be created; they are recorded before they are used."""

    product_code: str


class CreateOrder(Call, frozen=True, kw_only=True):
    """Creates an order with licenses of one product: license id → its key, license id → its fields."""

    product_code: str
    license_type: str
    subscription: str
    keys: dict[str, str]
    fields: dict[str, Fields]
    durations: dict[str, str]
    customer: Fields


class FindOrder(Call, frozen=True, kw_only=True):
    """Looks whether an order exists whose creation had an unclear outcome and that is no longer wanted."""

    keys: dict[str, str]


class ChangeLicense(Call, frozen=True, kw_only=True):
    """Sets absolute values on one license."""

    license: str
    remote: str
    fields: Fields


class EnableLicense(Call, frozen=True, kw_only=True):
    license: str
    remote: str


class DisableLicense(Call, frozen=True, kw_only=True):
    license: str
    remote: str


class ChangeCustomer(Call, frozen=True, kw_only=True):
    """Sets absolute values on the customer of the licenses."""

    customer: str
    fields: Fields


def plan(desired: Sequence[License], applied: Applied) -> list[Call]:
    """The calls still to be made, in order: what gives access first, then what takes it away, then names.

    What was refused is left out until something else is desired. The order of `desired` does not matter: ids of orders
    and digests follow from it, and must be the same whoever plans.
    """
    desired = in_order(desired)
    calls = [*_creations(desired, applied), *_changes(desired, applied), *_leftovers(desired, applied)]
    calls += _customers(desired, applied)
    return [call for call in calls if not _refused(call, applied)]


def express(desired: License) -> Fields:
    """The fields by which LicenseSpring says what is desired of a license it holds.

    The expiry is the first UTC date not before the paid-through instant: LicenseSpring takes dates and most likely
    counts them from their first minute. The margin becomes the grace period, in hours.
    """
    fields: Fields = {}
    if desired.max_activations is not None:
        fields["max_activations"] = desired.max_activations
    if desired.expiry is not None:
        fields["is_trial"] = desired.trial
        if desired.license_type == "subscription":
            fields["validity_period"] = _round_up(desired.expiry)
            fields["allow_grace_period"] = desired.margin_hours > 0
            fields["grace_period"] = desired.margin_hours
        else:
            # Only subscription licenses have a grace period on the server: for others the date carries the margin.
            fields["validity_period"] = _round_up(desired.expiry + timedelta(hours=desired.margin_hours))
    return fields


def _round_up(instant: datetime) -> str:
    instant = instant.astimezone(UTC)
    midnight = instant.replace(hour=0, minute=0, second=0, microsecond=0)
    return (midnight if midnight == instant else midnight + _DAY).date().isoformat()


def express_customer(customer: Customer) -> Fields:
    """The fields by which LicenseSpring knows a customer; what is not known is left out."""
    first, _, last = customer.name.partition(" ")
    fields: Fields = {
        "email": customer.email,
        "first_name": first,
        "last_name": last,
        "company_name": customer.company,
        "reference": customer.reference,
    }
    return {name: value for name, value in fields.items() if value}


def order_id(first: License) -> str:
    """The id under which an order is created: it follows from its first license."""
    return f"tenure-{first.id}"


def _creations(desired: Sequence[License], applied: Applied) -> Iterator[Call]:
    by_line: dict[tuple[str, str, str], list[License]] = {}
    for each in desired:
        by_line.setdefault((each.line, each.product_code, each.license_type), []).append(each)
    for licenses in by_line.values():
        yield from _orders(licenses, applied)
        without_key = [each for each in licenses if each.enabled and not applied.license(each.id).key]
        if without_key:
            yield MintKeys(
                subjects=tuple(each.id for each in without_key),
                digest=_digest(*without_key),
                order=order_id(without_key[0]),
                product_code=without_key[0].product_code,
            )


def _orders(licenses: Sequence[License], applied: Applied) -> Iterator[Call]:
    """Orders whose keys are recorded but which are not known to exist."""
    pending: dict[str, list[License]] = {}
    for each in licenses:
        held = applied.license(each.id)
        if held.key and not held.remote:
            pending.setdefault(held.order, []).append(each)
    for order, members in pending.items():
        keys: dict[str, str] = {each.id: applied.license(each.id).key for each in members}
        subjects, digest = tuple(keys), _digest(*members)
        if any(each.enabled for each in members):
            yield CreateOrder(
                subjects=subjects,
                digest=digest,
                order=order,
                product_code=members[0].product_code,
                license_type=members[0].license_type,
                subscription=members[0].subscription,
                keys=keys,
                fields={each.id: express(each) for each in members},
                # LicenseSpring takes a duration or a date, never both; a date we know is exact.
                durations={
                    each.id: each.valid_duration for each in members if each.valid_duration and each.expiry is None
                },
                customer=express_customer(members[0].customer),
            )
        elif not all(applied.license(each.id).missing for each in members):
            yield FindOrder(subjects=subjects, digest=digest, order=order, keys=keys)


def _changes(desired: Sequence[License], applied: Applied) -> Iterator[Call]:
    """Access before values, so that a value which is refused locks nobody out; a disabled license is left as it was."""
    # While what replaces it cannot be created, what a customer has stays.
    unreplaced = {each.line for each in desired if each.enabled and not applied.license(each.id).remote}
    for each in sorted(desired, key=lambda license_: not license_.enabled):
        held = applied.license(each.id)
        if not held.remote:
            continue
        subjects, digest = (each.id,), _digest(each)
        if not each.enabled:
            if _is_enabled(held) and each.line not in unreplaced:
                yield DisableLicense(subjects=subjects, digest=digest, license=each.id, remote=held.remote)
            continue
        if not _is_enabled(held):
            yield EnableLicense(subjects=subjects, digest=digest, license=each.id, remote=held.remote)
        changed = _changed(express(each), held.fields)
        if changed:
            yield ChangeLicense(subjects=subjects, digest=digest, license=each.id, remote=held.remote, fields=changed)


def _changed(wanted: Fields, held: Fields) -> Fields:
    changed = {name: value for name, value in wanted.items() if held.get(name) != value}
    if "validity_period" in changed:
        # LicenseSpring applies the date only when it comes with this flag.
        changed["is_trial"] = wanted["is_trial"]
    return changed


def _leftovers(desired: Sequence[License], applied: Applied) -> Iterator[Call]:
    """Licenses that exist there and are no longer derived from anything."""
    known = {each.id for each in desired}
    for identifier, held in applied.licenses.items():
        if identifier not in known and held.remote and _is_enabled(held):
            yield DisableLicense(subjects=(identifier,), digest="gone", license=identifier, remote=held.remote)


def _customers(desired: Sequence[License], applied: Applied) -> Iterator[Call]:
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
                subjects=(customer,), digest=_hash(sorted(wanted.items())), customer=customer, fields=changed
            )


def _is_enabled(held: AppliedLicense) -> bool:
    return held.fields.get("enabled") is not False


def _refused(call: Call, applied: Applied) -> bool:
    standing = [applied.refusals[subject] for subject in call.subjects if subject in applied.refusals]
    return any(refusal.digest == call.digest for refusal in standing)


def _digest(*licenses: License) -> str:
    """What is desired of these licenses, in short."""
    return _hash([(each.id, each.enabled, each.valid_duration, sorted(express(each).items())) for each in licenses])


def _hash(value: object) -> str:
    return hashlib.sha256(msgspec.json.encode(value)).hexdigest()[:16]
