"""One sample for each license attribute: what to sell, what a LicenseSpring must hold then, and what is wrong.

`tests/integration/test_terms_table.py` sells them through both stores. The names of what is held are those of the
table in `domain/README.md`.
"""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

APP, CREW, SUITE = "app", "crew", "suite"
"""Products of the sandbox: by key, by user, and a bundle."""
GOLD = "gold"
"""A license policy of `app`, which may be known by that it allows seven transfers."""
BUYER = "ada@example.com"

Sale = Literal["recurring", "once", "unpaid"]
"""Subscribed to and paid through February 2026, bought once and paid, or ordered and not paid yet."""


class Wrong(msgspec.Struct, frozen=True, kw_only=True):
    """A value that cannot be used. `allowed` is what the problem says is allowed, empty for the row's own text.

    `attribute` is the one that is named, `value` what it is shown to be; None where it is missing. `beside` is sold
    along with it, None for what the sample is sold with.
    """

    attribute: str
    value: str | None
    beside: Mapping[str, str] | None = None
    allowed: str = ""


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """A sale with an attribute, and what is held then, by the names of the table; None: no license at all."""

    value: str
    holds: Mapping[str, Any] | None
    beside: Mapping[str, str] = msgspec.field(default_factory=lambda: {"short_code": APP})
    quantity: int = 1
    licenses: int = 1
    """How many it makes."""
    sale: Sale = "recurring"
    add_on: bool = False
    """Sold beside a product, in the same subscription."""
    wrong: tuple[Wrong, ...]
    harmless: bool = False
    """What is wrong is a warning, and it is licensed nevertheless."""


_CODE = {"short_code": APP}
_ONCE = {"short_code": APP, "license_type": "time-limited"}
_METERED = {"short_code": APP, "license_type": "consumption"}
_FLOATING = {"short_code": APP, "is_single_license": "true", "floating_cloud": "1"}


def _not(attribute: str, *values: str) -> tuple[Wrong, ...]:
    """Values that the attribute itself does not allow."""
    return tuple(Wrong(attribute=attribute, value=value) for value in values)


SAMPLES: dict[str, Sample] = {
    "short_code": Sample(
        value=APP,
        beside={},
        holds={"product": APP},
        wrong=(
            *_not("short_code", "x" * 101),
            Wrong(attribute="short_code", value=None, beside={"max_activations": "3"}, allowed="short_code"),
            Wrong(
                attribute="short_code",
                value=APP,
                beside={"product_short_code": CREW},
                allowed="one of them, or the same",
            ),
        ),
    ),
    "product_short_code": Sample(
        value=APP, beside={}, holds={"product": APP}, wrong=_not("product_short_code", "x" * 101)
    ),
    "uuid": Sample(value="6a9c2f51-5e0b-4f0e-9f5c-0d6f8a1b2c3d", holds={}, wrong=_not("uuid", "none"), harmless=True),
    "license_policy": Sample(value=GOLD, holds={"license policy": GOLD}, wrong=_not("license_policy", "x" * 101)),
    "license_target": Sample(value="ls", holds={}, wrong=_not("license_target", "Not A Name")),
    "license_type": Sample(
        value="consumption",
        beside={**_CODE, "max_consumptions": "9"},
        holds={"license_type": "consumption"},
        wrong=(
            *_not("license_type", "rented"),
            Wrong(attribute="license_type", value="perpetual", allowed="subscription or consumption"),
            Wrong(
                attribute="license_type",
                value="time-limited",
                beside={"valid_duration": "1y"},
                allowed="subscription or consumption",
            ),
        ),
    ),
    "valid_duration": Sample(
        value="1y",
        beside=_ONCE,
        sale="once",
        holds={"valid_duration": "1y"},
        wrong=(
            *_not("valid_duration", "12", "1h", "0d"),
            Wrong(attribute="valid_duration", value=None, beside=_ONCE, allowed="a time-limited license needs one"),
        ),
    ),
    "enable_maintenance_duration": Sample(
        value="yes",
        holds={"enable_maintenance_period": True},
        wrong=_not("enable_maintenance_duration", "perhaps"),
    ),
    "maintenance_duration": Sample(
        value="6m",
        holds={"enable_maintenance_period": True, "maintenance_duration": "6m"},
        wrong=_not("maintenance_duration", "half a year"),
    ),
    "max_activations": Sample(
        value="3",
        quantity=2,
        licenses=2,
        holds={"max_activations": 3},
        wrong=_not("max_activations", "many", "0", "-1", "2.5"),
    ),
    "floating_cloud": Sample(
        value="2",
        beside=_CODE,
        holds={"is_floating_cloud": True, "floating_users": 2, "max_activations": 2},
        wrong=(
            *_not("floating_cloud", "some"),
            Wrong(
                attribute="floating_cloud",
                value="6",
                beside={"max_activations": "5"},
                allowed="at most max_activations, which is 5",
            ),
        ),
    ),
    "floating_users_from_quantity": Sample(
        value="true",
        beside=_FLOATING,
        quantity=4,
        holds={"is_floating_cloud": True, "floating_users": 4, "max_activations": 4},
        wrong=(
            *_not("floating_users_from_quantity", "often"),
            Wrong(
                attribute="floating_users_from_quantity",
                value="true",
                beside={},
                allowed="is_single_license or single_license",
            ),
        ),
    ),
    "is_single_license": Sample(
        value="true",
        beside={**_CODE, "max_activations": "2", "max_license_users": "3"},
        quantity=4,
        holds={"max_activations": 8, "max_license_users": 12},
        wrong=_not("is_single_license", "single"),
    ),
    "single_license": Sample(
        value="1",
        beside={**_CODE, "max_activations": "2", "max_license_users": "3"},
        quantity=4,
        holds={"max_activations": 8, "max_license_users": 12},
        wrong=_not("single_license", "single"),
    ),
    "max_license_users": Sample(value="7", holds={"max_license_users": 7}, wrong=_not("max_license_users", "all")),
    "max_consumptions": Sample(
        value="100",
        beside=_METERED,
        holds={"max_consumptions": 100},
        wrong=(
            *_not("max_consumptions", "0", "plenty"),
            Wrong(attribute="max_consumptions", value=None, beside=_METERED, allowed="a consumption license needs one"),
        ),
    ),
    "is_license_manager": Sample(
        value="true",
        beside={"short_code": CREW},
        holds={"order managers": [BUYER], "license users": [BUYER]},
        wrong=_not("is_license_manager", "boss"),
    ),
    "assign_customer_as_user": Sample(
        value="true",
        beside={"short_code": CREW},
        holds={"license users": [BUYER]},
        wrong=_not("assign_customer_as_user", "maybe"),
    ),
    "grace_period": Sample(
        value="72",
        holds={"allow_grace_period": True, "grace_period": 72},
        wrong=_not("grace_period", "3d", "8785"),
    ),
    "unpaid_active_license_period": Sample(
        value="7d",
        sale="unpaid",
        holds={"enabled": True, "validity_period": "2026-02-08", "is_trial": False},
        wrong=_not("unpaid_active_license_period", "a week"),
    ),
    "added_days": Sample(value="5", holds={"validity_period": "2026-03-06"}, wrong=_not("added_days", "five", "3661")),
    "ignore_product_in_licensespring": Sample(
        value="true", holds=None, wrong=_not("ignore_product_in_licensespring", "sometimes")
    ),
    "custom_field_{NAME}": Sample(
        value="studio",
        holds={"custom_fields": {"Edition": "studio"}},
        wrong=_not("custom_field_Edition", "x" * 1001),
    ),
    "feature_code": Sample(
        value="export",
        beside={},
        add_on=True,
        holds={"product features": ["export"]},
        wrong=_not("feature_code", "x" * 101),
    ),
    "is_product_bundle": Sample(
        value="true",
        beside={"short_code": SUITE},
        holds={"bundle order": True},
        wrong=_not("is_product_bundle", "both"),
    ),
}
"""By the name of the table's row."""


def attributes(row: str, sample: Sample) -> dict[str, str]:
    """What the product of the sample has."""
    return {**sample.beside, row.replace("{NAME}", "Edition"): sample.value}


def wrong_attributes(row: str, sample: Sample, wrong: Wrong) -> dict[str, str]:
    """The same with what is wrong."""
    given = attributes(row, sample) if wrong.beside is None else {**_CODE, **wrong.beside}
    if wrong.value is None:
        return {name: value for name, value in given.items() if name != wrong.attribute}
    return {**given, wrong.attribute: wrong.value}
