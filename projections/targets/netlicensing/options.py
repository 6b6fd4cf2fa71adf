"""What a vendor decides about an account of NetLicensing; data, not code."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

Licensee = Literal["customer", "purchase", "unit"]
Key = Literal["licensee", "license"]
Mark = Literal["generated"] | bool


class Options(Struct, frozen=True, kw_only=True):
    """How licenses are laid out there, and what is told of customers.

    `licensee` is for whom there is one each, per product; `key` is what customers get as their key. With `save_buyer`
    their e-mail address and company are kept with the licensee, too. `mark_for_transfer` lets whoever knows the
    number of a licensee take over what it has; `generated`: where that number is a key that a license generator gave.
    """

    licensee: Annotated[Licensee, Meta(description="Write customer, purchase or unit.")] = "customer"
    key: Annotated[Key, Meta(description="Write licensee or license.")] = "licensee"
    save_buyer: Annotated[bool, Meta(description="Write true or false.")] = False
    mark_for_transfer: Annotated[Mark, Meta(description="Write generated, true or false.")] = "generated"
