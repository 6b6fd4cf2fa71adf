"""The table of license attributes in `domain/README.md`, made from the code: `python -m domain.terms_table [--check]`.

What a field is called at LicenseSpring stands here for the reader; `tests/integration/test_terms_table.py` goes
through the printed table and looks at what a LicenseSpring holds.
"""

import sys
from pathlib import Path

from domain.attributes import ATTRIBUTES, TYPES, Attribute
from domain.documented import Part

README = Path(__file__).with_name("README.md")

STORES = {"Stripe": "stripe", "FastSpring": "fastspring", "wallee": "wallee"}
COLUMNS = ("attribute", "what it does", *STORES, "allowed", "field of the license", "at LicenseSpring")

AT_LICENSESPRING: dict[str, tuple[str, ...]] = {
    "product_code": ("product",),
    "policy_code": ("license policy",),
    "license_type": ("license_type",),
    "valid_duration": ("valid_duration",),
    "maintenance": ("enable_maintenance_period",),
    "maintenance_duration": ("maintenance_duration",),
    "max_activations": ("max_activations",),
    "floating_users": ("is_floating_cloud", "floating_users"),
    "max_license_users": ("max_license_users",),
    "max_consumptions": ("max_consumptions",),
    "managed_by_customer": ("order managers",),
    "users": ("license users",),
    "margin_hours": ("allow_grace_period", "grace_period"),
    "enabled": ("enabled",),
    "expiry": ("validity_period",),
    "trial": ("is_trial",),
    "custom_fields": ("custom_fields",),
    "features": ("product features",),
    "is_bundle": ("bundle order",),
    "target": (),
}
"""By which of its fields LicenseSpring knows a field of a license; what is not a field's name says what it is."""

NO_FIELD = {"uuid": "not needed: Tenure has its own key", "ignore_product_in_licensespring": "no license at all"}


def table() -> str:
    """All attributes as a Markdown table, in the order of the code's."""
    rows = [COLUMNS, ("---",) * len(COLUMNS), *(_row(each) for each in ATTRIBUTES.values())]
    return "\n" + "".join(f"| {' | '.join(row)} |\n" for row in rows) + "\n"


def _row(row: Attribute) -> tuple[str, ...]:
    there = [name for field in row.license for name in AT_LICENSESPRING[field]]
    return (
        f"`{row.name}`",
        row.does,
        *(_place(row, store) for store in STORES.values()),
        row.allowed + _only(row),
        ", ".join(f"`{field}`" for field in row.license) or NO_FIELD[row.name],
        ", ".join(f"`{name}`" if " " not in name else name for name in there),
    )


def _place(row: Attribute, store: str) -> str:
    """Where LicenseSpring's own integration of the store documents it (wallee has none); Tenure reads it from any."""
    return "yes" if store in row.stores else "too"


def _only(row: Attribute) -> str:
    """For what else than everything the attribute means something."""
    of = [] if row.types == TYPES else [" or ".join(row.types) + " licenses"]
    of += [] if row.prices == "any" else [f"{row.prices} prices"]
    return f"; only for {' of '.join(of)}" if of else ""


TERMS_TABLE = Part(module="domain.terms_table", what="table of license attributes", made=table)


def main(arguments: list[str] | None = None, readme: Path = README) -> int:
    """Writes the table, or with `--check` only says whether it is stale; 0 when it is as it should be."""
    return TERMS_TABLE.main(arguments, readme)


if __name__ == "__main__":
    sys.exit(main())
