"""What the sandbox stores. Records point at each other by id; answers are put together in `views`.

All instants are aware UTC. Ids of catalog, orders, licenses and devices have 16 digits, those of people are small.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import msgspec

from service.sandbox.licensespring.settings import Authorization, LicenseType


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """A row of a table."""

    id: int


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of a license that an order, a policy or a PATCH sets. `grace_period` is in hours."""

    is_trial: bool = False
    trial_days: int = 0
    valid_duration: str | None = None
    validity_period: datetime | None = None
    start_date: date | None = None
    allow_grace_period: bool = False
    grace_period: int = 0
    enable_maintenance_period: bool = False
    maintenance_duration: str | None = None
    maintenance_period: date | None = None
    max_activations: int = 1
    allow_unlimited_activations: bool = False
    max_transfers: int = 0
    max_license_users: int = 1
    max_consumptions: int = 0
    total_consumptions: int = 0
    allow_unlimited_consumptions: bool = False
    allow_negative_consumptions: bool = False
    allow_overages: bool = False
    max_overages: int = 0
    reset_consumption: bool = False
    consumption_period: str | None = None
    is_floating: bool = False
    is_floating_cloud: bool = False
    floating_users: int = 0
    floating_timeout: int = 120
    can_borrow: bool = False
    max_borrow_time: int = 0
    prevent_vm: bool = False
    is_air_gapped: bool = False
    is_hardware_key_auth: bool = False
    installation_file: int | None = None
    note: str = ""
    metadata: dict[str, Any] = {}


class Feature(msgspec.Struct, frozen=True, kw_only=True):
    """A feature of a product."""

    id: int
    code: str
    name: str
    feature_type: str
    max_consumption: int


class CustomField(msgspec.Struct, frozen=True, kw_only=True):
    """A custom field that licenses of a product may have."""

    id: int
    name: str
    data_type: str
    default_value: str


class Product(Record, frozen=True, kw_only=True):
    """`bundle` are the short codes of the products in it, if it is a bundle."""

    product_name: str
    short_code: str
    authorization_method: Authorization
    features: tuple[Feature, ...]
    custom_fields: tuple[CustomField, ...] = ()
    bundle: tuple[str, ...] = ()
    created_at: datetime
    updated_at: datetime


class Policy(Record, frozen=True, kw_only=True):
    """A license policy, which the API calls a license template."""

    product: int
    code: str
    is_default: bool
    default_license_type: LicenseType
    terms: Terms
    created_at: datetime
    updated_at: datetime


class Customer(Record, frozen=True, kw_only=True):
    email: str = ""
    first_name: str = ""
    last_name: str = ""
    company_name: str = ""
    phone: str = ""
    reference: str = ""
    address: str = ""
    postcode: str = ""
    city: str = ""
    country: str = ""
    state: str = ""
    customer_account: int | None = None
    metadata: dict[str, Any] = {}


class OrderItem(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    product: int
    note: str
    created_at: datetime


class Order(Record, frozen=True, kw_only=True):
    """`store_id` is the id the vendor chose. `managers` are license users."""

    store_id: str
    customer: int | None
    items: tuple[OrderItem, ...]
    is_test: bool
    is_trial: bool
    campaign_params: str
    download_id: str
    language: str
    metadata: dict[str, Any]
    managers: tuple[int, ...]
    is_bundle: bool = False
    created_at: datetime
    updated_at: datetime


class LicenseFeature(msgspec.Struct, frozen=True, kw_only=True):
    """A feature as one license has it."""

    id: int
    feature: int
    max_consumption: int
    total_consumptions: int = 0
    expiry_date: date | None = None
    allow_overages: bool = False
    max_overages: int = 0
    reset_consumption: bool = False
    consumption_period: str | None = None
    metadata: dict[str, Any] = {}


class Seat(msgspec.Struct, frozen=True, kw_only=True):
    """A license user on one license."""

    user: int
    is_manager: bool = False
    max_activations: int = 1
    total_activations: int = 0


class License(Record, frozen=True, kw_only=True):
    """`license_key` is absent for user-based products; `template` is the policy it was made from."""

    license_key: str | None
    license_type: LicenseType
    enabled: bool
    product: int
    order: int
    order_item: int
    template: int
    subscription_id: str | None
    terms: Terms
    features: tuple[LicenseFeature, ...]
    seats: tuple[Seat, ...]
    times_activated: int = 0
    transfer_count: int = 0
    time_activated: datetime | None = None
    time_disabled: datetime | None = None
    last_check: datetime | None = None
    created_at: datetime
    updated_at: datetime

    @property
    def active(self) -> bool:
        """Bound to a device; subscription licenses are active from creation."""
        return self.license_type == "subscription" or self.times_activated > 0


class LicenseCustomField(Record, frozen=True, kw_only=True):
    """The value of a product's custom field on one license."""

    license: int
    product_custom_field: int
    value: str


class LicenseUser(Record, frozen=True, kw_only=True):
    """A person who signs in to user-based licenses. The API shows `initial_password` in clear text, so does this."""

    true_email: str
    initial_password: str
    first_name: str = ""
    last_name: str = ""
    phone_number: str = ""
    created_at: datetime
    updated_at: datetime


class Device(Record, frozen=True, kw_only=True):
    """One device on one license; the same machine on two licenses is two of these."""

    license: int
    hardware_id: str
    hostname: str = ""
    active: bool = True
    time_activated: datetime
    time_deactivated: datetime | None = None
    last_check: datetime | None = None
    created_at: datetime
    updated_at: datetime
