"""What the imaginary vendor Falcon Software sells. Terms stand in the products' attributes, as vendors set them."""

from service.sandbox.fastspring.model import Product

PRO = Product(
    path="falcon-pro-monthly",
    display="Falcon Pro Monthly",
    price=29_00,
    interval="month",
    attributes={"product_short_code": "falcon-pro", "max_activations": "3"},
    generator="quantity",
)
PRO_YEARLY = Product(
    path="falcon-pro-yearly",
    display="Falcon Pro Yearly",
    price=290_00,
    interval="year",
    attributes={"product_short_code": "falcon-pro", "max_activations": "5", "custom_field_Serial": "222"},
)
PRO_TRIAL = Product(
    path="falcon-pro-monthly-trial",
    display="Falcon Pro Monthly, two weeks free",
    price=29_00,
    interval="month",
    trial_days=14,
    attributes={"product_short_code": "falcon-pro", "max_activations": "3"},
)
STUDIO = Product(
    path="falcon-studio-monthly",
    display="Falcon Studio Monthly",
    price=59_00,
    interval="month",
    attributes={"product_short_code": "falcon-studio", "max_activations": "5"},
    fee="falcon-studio-setup",
)
TEAM = Product(
    path="falcon-team-monthly",
    display="Falcon Team Monthly",
    price=15_00,
    interval="month",
    attributes={"product_short_code": "falcon-team", "max_activations": "2"},
)
FLOATING = Product(
    path="falcon-floating-monthly",
    display="Falcon Floating Monthly",
    price=19_00,
    interval="month",
    attributes={
        "product_short_code": "falcon-floating",
        "single_license": "true",
        "floating_cloud": "1",
        "floating_users_from_quantity": "true",
    },
    generator="single",
)
METERED = Product(
    path="falcon-render-monthly",
    display="Falcon Render, 100 frames a month",
    price=12_00,
    interval="month",
    attributes={"product_short_code": "falcon-render", "license_type": "consumption", "max_consumptions": "100"},
)
NAMED = Product(
    path="falcon-desk-monthly",
    display="Falcon Desk Monthly",
    price=9_00,
    interval="month",
    attributes={"product_short_code": "falcon-desk", "assign_customer_as_user": "true"},
)
BUNDLE = Product(
    path="falcon-suite-monthly",
    display="Falcon Suite Monthly",
    price=79_00,
    interval="month",
    attributes={"product_short_code": "falcon-suite", "is_product_bundle": "true"},
)
EXPORT = Product(
    path="falcon-export",
    display="Export add-on",
    price=5_00,
    interval="month",
    attributes={"feature_code": "falcon-export"},
)
"""An add-on: a feature of the license beside it, whose code is the path."""

SETUP_FEE = Product(path="falcon-studio-setup", display="Set-up of Falcon Studio", price=99_00)
"""Not licensed: it names no product of the license server."""

PERPETUAL = Product(
    path="falcon-perpetual",
    display="Falcon Perpetual",
    price=199_00,
    attributes={"product_short_code": "falcon-pro", "license_type": "perpetual", "max_activations": "2"},
    generator="quantity",
)
YEAR_PASS = Product(
    path="falcon-year-pass",
    display="Falcon Year Pass",
    price=149_00,
    attributes={
        "product_short_code": "falcon-pro",
        "license_type": "time-limited",
        "valid_duration": "1y",
        "max_activations": "1",
    },
)
MISTYPED = Product(
    path="falcon-mistyped",
    display="Falcon with a slip in its attributes",
    price=10_00,
    interval="month",
    attributes={"product_short_code": "falcon-pro", "max_activations": "three"},
)

RECURRING = (PRO, PRO_YEARLY, STUDIO, TEAM, FLOATING, METERED, NAMED, BUNDLE)
ONE_TIME = (PERPETUAL, YEAR_PASS)
ALL = (*RECURRING, PRO_TRIAL, EXPORT, SETUP_FEE, *ONE_TIME, MISTYPED)
