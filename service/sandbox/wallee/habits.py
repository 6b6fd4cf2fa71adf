"""What is not known of wallee for certain, and whether anything is paid for real, as settings: tests try both."""

import msgspec


class Habits(msgspec.Struct, frozen=True, kw_only=True):
    """`nulls`: fields without a value are shown as null instead of being left out.

    `touches`: the subscription's version rises with its charges, suspensions and versions too.
    `bills_at_start`: a period's bill is `BILLED` from its beginning instead of when the period ended.
    `live`: what is paid is paid for real, not in the test environment.
    """

    nulls: bool = False
    touches: bool = False
    bills_at_start: bool = False
    live: bool = True
