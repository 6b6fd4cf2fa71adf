"""From who should use and manage licenses to whom to add and remove. Pure."""

from collections.abc import Iterator, Sequence

from domain.licensing import License
from domain.receipts import Applied, AppliedLicense, Fields
from projections.targets import Call
from projections.targets.digests import hashed
from projections.targets.licensespring.calls import (
    AddManager,
    AssignUser,
    ChangeActivations,
    RemoveManager,
    UnassignUser,
    digest,
)
from projections.targets.licensespring.compare import missing, surplus
from projections.targets.licensespring.express import (
    ACTIVATIONS,
    MANAGER,
    USER,
    address,
    express_activations,
    express_manager,
    express_users,
)


def joining(desired: License, held: AppliedLicense) -> Iterator[Call]:
    """Users that the license lacks, and what each may do with it."""
    lacking = missing(express_users(desired), held.fields)
    for user in desired.users:
        name = f"{USER}{address(user.email)}"
        if name in lacking:
            yield AssignUser(
                subjects=(desired.id,),
                digest=digest(f"assign {hashed(name)}", desired),
                sets=(name, f"{ACTIVATIONS}{address(user.email)}"),
                license=desired.id,
                remote=held.remote,
                user=user,
                max_activations=desired.max_activations,
            )
    activations = {
        name.removeprefix(ACTIVATIONS): int(value or 0)
        for name, value in express_activations(desired).items()
        if held.fields.get(name) != value and f"{USER}{name.removeprefix(ACTIVATIONS)}" not in lacking
    }
    if activations:
        yield ChangeActivations(
            subjects=(desired.id,),
            digest=digest("activations", desired),
            license=desired.id,
            remote=held.remote,
            activations=activations,
        )


def leaving(desired: License, held: AppliedLicense) -> Iterator[Call]:
    """Users that Tenure assigned and that are no longer desired."""
    # That no user is known any more is no reason to leave the license to nobody.
    wanted = express_users(desired)
    for name in surplus(USER, wanted, held.fields) if wanted else ():
        yield UnassignUser(
            subjects=(desired.id,),
            digest=digest(f"unassign {hashed(name)}", desired),
            license=desired.id,
            remote=held.remote,
            email=name.removeprefix(USER),
        )


def managers(desired: Sequence[License], applied: Applied) -> Iterator[Call]:
    """Who may manage the licenses of each order that has any enabled; nobody is removed but whom Tenure added."""
    wanted: dict[str, Fields] = {}
    for each in desired:
        held = applied.license(each.id)
        # Of an unknown address nothing follows, least of all that nobody manages them.
        if held.remote and each.enabled and (each.customer.email or not each.managed_by_customer):
            wanted.setdefault(held.order, {}).update(express_manager(each))
    for order, names in wanted.items():
        known = applied.orders.get(order, {})
        for name in missing(names, known):
            email, hash_ = name.removeprefix(MANAGER), hashed(name)
            yield AddManager(subjects=(order,), digest=f"add {hash_}:{hash_}", sets=(name,), order=order, email=email)
        for name in surplus(MANAGER, names, known):
            email, hash_ = name.removeprefix(MANAGER), hashed(name)
            yield RemoveManager(subjects=(order,), digest=f"remove {hash_}:{hash_}", order=order, email=email)
