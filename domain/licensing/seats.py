"""How many may use a license of so many units: activations, users, and users at the same time."""

import msgspec

from domain.terms import Terms

MOST_SEATS = 2**31 - 1
"""License servers count in 32 bits."""


class Seats(msgspec.Struct, frozen=True, kw_only=True):
    """None where the license server's own default for the product counts; `floating_users` None: it does not float."""

    max_activations: int | None
    max_license_users: int | None
    floating_users: int | None


def seats_of(terms: Terms, units: int) -> Seats:
    """A single license allows for all units what each license would allow for one, up to MOST_SEATS."""
    wanted = _wanted(terms, units)
    return Seats(**{field: None if value is None else min(value, MOST_SEATS) for field, value in wanted.items()})


def too_many(terms: Terms, units: int) -> str:
    """What is more than a license server can count; empty if nothing is."""
    over = [f"{field} {value}" for field, value in _wanted(terms, units).items() if (value or 0) > MOST_SEATS]
    if not over:
        return ""
    return f"{' and '.join(over)} for {units} units is more than a license holds; allowed: at most {MOST_SEATS}"


def _wanted(terms: Terms, units: int) -> dict[str, int | None]:
    activations, users, floating = terms.max_activations, terms.max_license_users, terms.floating_users or None
    if terms.single_license:
        activations = units * (activations or 1)
        users = None if users is None else units * users
    if terms.floating_users_from_quantity:
        floating = units * max(1, floating or 0)
        activations = max(activations or 0, floating)
    if floating is not None and activations is None:
        # The license server's default may be less, and fewer may activate it than may use it at once.
        activations = floating
    return {"max_activations": activations, "max_license_users": users, "floating_users": floating}
