"""Who uses a license, and who manages the licenses of an order.

Facts: docs.licensespring.com/management-api/license/{assign-user-to-license, unassign-user-from-license},
order/{add-manager-to-order, remove-manager-from-order}; set_users_activations in LicenseSpring's Postman collection.
What a repeat answers is not documented, so each looks at what is there first. Passwords in answers are not read.
"""

from collections.abc import Mapping

from domain.licensing import User
from projections.targets.errors import Unavailable
from projections.targets.licensespring.answers import LicenseUser, rows_in, user_in
from projections.targets.licensespring.client import LicenseSpring
from projections.targets.licensespring.express import address


async def assign(client: LicenseSpring, license_id: int, user: User, max_activations: int | None) -> None:
    """Lets somebody use the license."""
    there = await users_of(client, license_id)
    if address(user.email) not in there:
        first, _, last = user.name.partition(" ")
        told = {"first_name": first, "last_name": last, "max_activations": max_activations}
        body = {"email": user.email, "is_manager": user.manager, **{key: value for key, value in told.items() if value}}
        await client.exchange.post("assign_user", f"licenses/{license_id}/assign_user/", body)


async def unassign(client: LicenseSpring, license_id: int, email: str) -> None:
    """Lets somebody use the license no longer."""
    user = (await users_of(client, license_id)).get(email)
    if user is not None:
        body = {"license_user_id": user.id}
        await client.exchange.post("unassign_user", f"licenses/{license_id}/unassign_user/", body)


async def set_activations(client: LicenseSpring, license_id: int, activations: Mapping[str, int]) -> None:
    """On how many devices each of these users may use the license; who does not use it is left out."""
    there = await users_of(client, license_id)
    changed = {
        str(there[email].id): {"max_activations": most}
        for email, most in activations.items()
        if email in there and there[email].max_activations != most
    }
    if changed:
        await client.exchange.post("set_activations", f"licenses/{license_id}/set_users_activations/", changed)


async def users_of(client: LicenseSpring, license_id: int) -> dict[str, LicenseUser]:
    """The users of the license by address."""
    return _by_address((await client.license(license_id)).license_users)


async def managers_of(client: LicenseSpring, store_id: str) -> tuple[int, dict[str, LicenseUser]]:
    """The id there of the order with the id we gave it, and its managers by address."""
    call = "managers"
    order = await client.find_order(store_id)
    if order is None:
        raise Unavailable(call, text=f"the order {store_id} cannot be seen")
    answer = await client.exchange.get(call, f"orders/{order.id}/managers/")
    return order.id, _by_address(tuple(user for user in map(user_in, rows_in(answer)) if user))


async def add_manager(client: LicenseSpring, store_id: str, email: str) -> None:
    """Lets somebody manage the licenses of the order."""
    order, there = await managers_of(client, store_id)
    if email not in there:
        await client.exchange.post("add_manager", f"orders/{order}/add_manager/", {"email": email})


async def remove_manager(client: LicenseSpring, store_id: str, email: str) -> None:
    """Lets somebody manage the licenses of the order no longer."""
    order, there = await managers_of(client, store_id)
    if email in there:
        body = {"license_user_id": there[email].id}
        await client.exchange.post("remove_manager", f"orders/{order}/remove_manager/", body)


def _by_address(users: tuple[LicenseUser, ...]) -> dict[str, LicenseUser]:
    return {address(user.true_email): user for user in users if user.true_email}
