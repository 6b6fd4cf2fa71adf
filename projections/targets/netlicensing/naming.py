"""Under which numbers things are made: they are the only handle by which a creation can be repeated safely. Pure.

NetLicensing keeps numbers of licensees and of licenses unique in the whole account. So they follow from what is desired
and are recorded before they are used; one that is taken was taken by an earlier attempt, or by another subscription of
the same customer.
"""

from collections.abc import Mapping, Sequence

from domain.events import source_of
from domain.generated import places_of, product_of
from domain.licensing import License
from domain.receipts import Applied, AppliedLicense
from projections.targets.digests import hashed
from projections.targets.netlicensing.options import Options
from projections.targets.netlicensing.templates import Template

_OURS = "tenure-"
"""What numbers begin with that follow from what is desired."""


def licensee_number(desired: License, product: str, options: Options) -> str:
    """The licensee of a license, for whom the options say: the customer of the source, the purchase or the unit."""
    source = source_of(desired.stream)
    if options.licensee == "unit":
        return unit_number(desired)
    if options.licensee == "customer" and desired.customer.reference:
        return f"{_OURS}{hashed(['customer', source, desired.customer.reference, product])}"
    # All that one order names belongs to one purchase, whatever streams it is in.
    order = desired.fulfillment.partition("/")[0]
    return f"{_OURS}{hashed(['purchase', source, order or desired.stream, product])}"


def unit_number(desired: License) -> str:
    """A licensee of a license's own."""
    return f"{_OURS}{desired.id}"


def is_random(holder: str, applied: Applied) -> bool:
    """Whether the number of a licensee is a key that was chosen by chance, which nobody can work out."""
    return not holder.startswith(_OURS) and any(holder in keys for keys in applied.generated.values())


def license_number(desired: License, held: AppliedLicense, template: Template, options: Options, *, first: bool) -> str:
    """The license of one template; where the license is the key, the first one is."""
    if first and options.key == "license" and held.key and held.key not in held.parts:
        return held.key
    return f"{unit_number(desired)}-{hashed(template.number)[:8]}"


def holders(
    naming: Sequence[License],
    desired: Sequence[License],
    applied: Applied,
    product: str,
    options: Options,
    *,
    apart: bool,
) -> Mapping[str, str]:
    """License id → its licensee, for licenses that have none; `apart` is where times of one licensee would add up.

    A subscription keeps to the licensee that it has, although the customer became known only later.
    """
    named: dict[str, str] = {}
    siblings = [each for each in desired if each.product_code == naming[0].product_code and each not in naming]
    theirs = [held for each in siblings if (held := applied.license(each.id).holder) and options.licensee != "unit"]
    living = {applied.license(each.id).holder for each in siblings if each.enabled}
    for each in naming:
        kept = theirs[0] if theirs else _of_purchase(each, applied, options)
        number = kept or licensee_number(each, product, options)
        taken = apart and number in {*named.values(), *living}
        named[each.id] = unit_number(each) if taken else number
    return named


def _of_purchase(desired: License, applied: Applied, options: Options) -> str:
    """The licensee that the license generator named for the purchase; where each unit has its own, for the first."""
    if not desired.fulfillment:
        return ""
    places, shared = places_of(desired.fulfillment, applied), options.licensee != "unit"
    joined = applied.under.get(product_of(desired.fulfillment), "")
    if joined and (shared or places.taken.get(desired.id) == 0):
        return joined
    return next(iter(places.keys), "") if shared and options.key == "licensee" else ""
