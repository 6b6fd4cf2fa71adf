"""What the imaginary vendor Falcon Software sells. Terms stand in the prices' metadata, as vendors set them."""

from service.sandbox.stripe.calendar import Interval
from service.sandbox.stripe.identifiers import identifier
from service.sandbox.stripe.model import Price

LISTED_SINCE = 1_735_689_600
"""2025-01-01"""


def price(key: str, product_name: str, unit_amount: int, interval: Interval | None, metadata: dict[str, str]) -> Price:
    """A price in US cents; the key and the product's name decide the identifiers."""
    return Price(
        id=identifier(key, "price", 1),
        product=identifier(product_name, "prod", 1),
        product_name=product_name,
        unit_amount=unit_amount,
        currency="usd",
        interval=interval,
        metadata=metadata,
        lookup_key=key,
        created=LISTED_SINCE,
    )


def _terms(short_code: str, license_type: str, **more: str) -> dict[str, str]:
    return {"short_code": short_code, "license_type": license_type, **more}


PRO_MONTHLY = price(
    "falcon_pro_monthly", "Falcon Pro", 29_00, "month", _terms("falcon-pro", "subscription", max_activations="3")
)
PRO_YEARLY = price(
    "falcon_pro_yearly", "Falcon Pro", 290_00, "year", _terms("falcon-pro", "subscription", max_activations="5")
)
STUDIO_MONTHLY = price(
    "falcon_studio_monthly",
    "Falcon Studio",
    59_00,
    "month",
    _terms("falcon-studio", "subscription", max_activations="5", custom_field_Edition="studio"),
)
TEAM_MONTHLY = price(
    "falcon_team_monthly", "Falcon Team", 15_00, "month", _terms("falcon-team", "subscription", max_activations="2")
)
FLOATING_MONTHLY = price(
    "falcon_floating_monthly",
    "Falcon Floating",
    19_00,
    "month",
    _terms(
        "falcon-floating",
        "subscription",
        is_single_license="true",
        floating_cloud="1",
        floating_users_from_quantity="true",
    ),
)
PRIORITY_SUPPORT_MONTHLY = price("priority_support_monthly", "Priority support", 5_00, "month", {})
"""A service without a license: its price names no product of the license server."""

PERPETUAL = price(
    "falcon_pro_perpetual", "Falcon Pro perpetual", 199_00, None, _terms("falcon-pro", "perpetual", max_activations="2")
)
YEAR_PASS = price(
    "falcon_pro_year_pass",
    "Falcon Pro year pass",
    149_00,
    None,
    _terms("falcon-pro", "time-limited", valid_duration="1y", max_activations="1"),
)

RECURRING = (
    PRO_MONTHLY, PRO_YEARLY, STUDIO_MONTHLY, TEAM_MONTHLY, FLOATING_MONTHLY, PRIORITY_SUPPORT_MONTHLY,
)  # fmt: skip
