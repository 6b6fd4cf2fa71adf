"""What LicenseSpring has to be told: desired licenses against what it is known to hold. Pure."""

from collections.abc import Sequence

from domain.licensing import License, in_order
from domain.receipts import Applied
from projections.targets import Call
from projections.targets.digests import is_refused
from projections.targets.licensespring.orders import creations
from projections.targets.licensespring.upkeep import changes, customers, leftovers
from projections.targets.licensespring.users import managers


def plan(desired: Sequence[License], applied: Applied) -> list[Call]:
    """The calls still to be made, in order: what gives access first, then what takes it away, then names.

    What was refused is left out until something else is desired. The order of `desired` does not matter: ids of orders
    and digests follow from it, and must be the same whoever plans.
    """
    desired = in_order(desired)
    parts = (creations, changes, leftovers, managers, customers)
    return [call for part in parts for call in part(desired, applied) if not is_refused(call, applied)]
