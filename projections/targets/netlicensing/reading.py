"""What NetLicensing says it holds, in the words of the plan."""

from collections.abc import Collection

from domain.receipts import (
    THERE,
    Applied,
    AppliedLicense,
    CustomerChanged,
    Fields,
    LicenseChanged,
    OrderCreated,
    OrderMissing,
)
from projections.targets.errors import Refused
from projections.targets.netlicensing.client import LICENSE, LICENSEE, NetLicensing
from projections.targets.netlicensing.envelope import Item
from projections.targets.netlicensing.express import COUNTED, REPLACED, TEMPLATE
from projections.targets.netlicensing.wire import told

_OF_LICENSEES = ("name", "customerEmail", "customerCompany")

Seen = OrderCreated | OrderMissing | LicenseChanged


async def look_at_licensee(client: NetLicensing, target: str, holder: str) -> CustomerChanged:
    """Whether there is such a licensee, and what it says of the customer."""
    item = await client.find(LICENSEE, holder)
    fields: Fields = {THERE: False} if item is None else seen_of_licensee(item)
    return CustomerChanged(target=target, customer=holder, fields=fields)


def seen_of_licensee(item: Item) -> Fields:
    """What a licensee is known to be, once it was seen."""
    return {THERE: True, **told(item, _OF_LICENSEES)}


async def look_at_license(
    client: NetLicensing, target: str, applied: Applied, license_: str, number: str, asked: Collection[str]
) -> Seen:
    """How one license there stands: all that was ever set, and what else is `asked`; or that there is none."""
    held = applied.license(license_)
    known = held.parts.get(number, {})
    item = await client.find(LICENSE, number)
    if item is None:
        return nowhere(target, held, license_, number)
    if number not in held.parts:
        check_holder(item, held.holder)
    of = next((name.removeprefix(f"{TEMPLATE} ") for name in asked if name.startswith(f"{TEMPLATE} ")), "")
    names = {*known, *(name for name in asked if not name.startswith(f"{TEMPLATE} "))}
    fields = seen(item, names, of or str(known.get(TEMPLATE) or ""))
    if COUNTED in known:
        # It is never told, and forgetting it would give the interval's consumption twice.
        fields[COUNTED] = known[COUNTED]
    if REPLACED in asked:
        fields[REPLACED] = fields["enabled"] is False
    return there(target, held, license_, number, fields)


def seen(item: Item, names: Collection[str], template: str = "") -> Fields:
    """What a license is known to be, once it was seen, from `template` where it does not say; None of what else is."""
    own = {"enabled", *names} - {TEMPLATE, THERE, COUNTED, REPLACED}
    return {**told(item, own), TEMPLATE: item["licenseTemplateNumber"] or template, THERE: True}


def there(target: str, held: AppliedLicense, license_: str, number: str, fields: Fields) -> Seen:
    """The receipt that says that a license there is like that; the first one is that by which ours is known."""
    if not held.remote:
        return OrderCreated(target=target, order=held.order, licenses={license_: number}, fields={license_: fields})
    return changed(target, held, license_, number, fields)


def nowhere(target: str, held: AppliedLicense, license_: str, number: str) -> Seen:
    """The receipt that says that it does not exist."""
    if not held.remote:
        return OrderMissing(target=target, order=held.order, licenses=(license_,))
    return changed(target, held, license_, number, {THERE: False})


def changed(target: str, held: AppliedLicense, license_: str, number: str, fields: Fields) -> LicenseChanged:
    """The receipt that says that a license there has these values now."""
    if held.remote == number:
        return LicenseChanged(target=target, license=license_, fields=fields)
    return LicenseChanged(target=target, license=license_, fields={}, companions={number: fields})


def check_template(item: Item, template: str) -> None:
    """Raises Refused where a number is taken by a license of another template."""
    if item["licenseTemplateNumber"] not in {"", template}:
        text = "a license of that number is there already, made from another license template: look who made it"
        raise Refused("create license", text=text)


def check_holder(item: Item, holder: str) -> None:
    """Raises Refused where a number is taken by a license of another licensee."""
    if not is_of(item, holder):
        text = "a license of that number is there already, of another licensee: look who made it"
        raise Refused("create license", text=text)


def is_of(item: Item, holder: str) -> bool:
    """Whether a license is that licensee's, as far as it says; numbers may be spelled in any case there."""
    return item["licenseeNumber"].casefold() in {"", holder.casefold()}


def check_product(item: Item, product: str) -> None:
    """Raises Refused where a number is taken by a licensee of another product."""
    if item["productNumber"] not in {"", product}:
        # Without the licensee's number, which may be the customer's key.
        text = f"the licensee is there already, for product {item['productNumber']}: a licensee has one"
        raise Refused("create licensee", text=text)
