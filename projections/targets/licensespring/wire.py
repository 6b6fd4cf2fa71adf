"""What is sent to LicenseSpring's Management API: documented field names only, and only those that were set.

Source: docs.licensespring.com/management-api, pages order/create-order, license/update, license/list-licenses and
customer/create, completed by LicenseSpring's Postman collection. Ids are integers of about 16 digits. Durations are
`<n>d|w|m|y`, `grace_period` is hours, dates are UTC.
"""

from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

LicenseType = Literal["perpetual", "time-limited", "subscription", "consumption"]


class Sent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A part of a request; what is UNSET is not sent, so that the product's policy decides it."""


class NewUser(Sent, frozen=True, kw_only=True):
    """A user of a license of a user-based product."""

    email: str
    is_manager: bool | UnsetType = UNSET
    max_activations: int | UnsetType = UNSET


class NewFeature(Sent, frozen=True, kw_only=True):
    """A product feature on a license, by its code. `expiry_date` is `YYYY-MM-DD`."""

    code: str
    max_consumption: int | UnsetType = UNSET
    expiry_date: str | UnsetType | None = UNSET


class NewCustomField(Sent, frozen=True, kw_only=True):
    name: str
    value: str


class NewLicense(Sent, frozen=True, kw_only=True):
    """A license of an order: by `key`, or by `users` for a user-based product (then at least one).

    `validity_period` and `start_date` are `YYYY-MM-DD` (or `YYYY-MM-DD HH:MM:SS`), UTC. A date alone most likely means
    midnight at its start: round up.
    """

    key: str | UnsetType = UNSET
    users: tuple[NewUser, ...] | UnsetType = UNSET
    policy_code: str | UnsetType = UNSET
    license_type: LicenseType | UnsetType = UNSET
    valid_duration: str | UnsetType = UNSET
    validity_period: str | UnsetType = UNSET
    start_date: str | UnsetType = UNSET
    is_trial: bool | UnsetType = UNSET
    trial_days: int | UnsetType = UNSET
    active: bool | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET
    max_activations: int | UnsetType = UNSET
    allow_unlimited_activations: bool | UnsetType = UNSET
    max_transfers: int | UnsetType = UNSET
    max_license_users: int | UnsetType = UNSET
    allow_grace_period: bool | UnsetType = UNSET
    grace_period: int | UnsetType = UNSET
    enable_maintenance_period: bool | UnsetType = UNSET
    maintenance_duration: str | UnsetType = UNSET
    maintenance_period: str | UnsetType = UNSET
    max_consumptions: int | UnsetType = UNSET
    allow_unlimited_consumptions: bool | UnsetType = UNSET
    allow_negative_consumptions: bool | UnsetType = UNSET
    allow_overages: bool | UnsetType = UNSET
    max_overages: int | UnsetType = UNSET
    reset_consumption: bool | UnsetType = UNSET
    consumption_period: str | UnsetType = UNSET
    is_floating: bool | UnsetType = UNSET
    is_floating_cloud: bool | UnsetType = UNSET
    floating_users: int | UnsetType = UNSET
    floating_timeout: int | UnsetType = UNSET
    can_borrow: bool | UnsetType = UNSET
    max_borrow_time: int | UnsetType = UNSET
    is_air_gapped: bool | UnsetType = UNSET
    is_hardware_key_auth: bool | UnsetType = UNSET
    prevent_vm: bool | UnsetType = UNSET
    note: str | UnsetType = UNSET
    metadata: dict[str, object] | UnsetType = UNSET
    product_features: tuple[NewFeature, ...] | UnsetType = UNSET
    custom_fields: tuple[NewCustomField, ...] | UnsetType = UNSET


class NewItem(Sent, frozen=True, kw_only=True):
    """A line of an order: licenses of one product, named by its short code.

    `subscription_id` ends up on the licenses, can be searched for, and cannot be set later.
    """

    product_code: str
    licenses: tuple[NewLicense, ...]
    subscription_id: str | UnsetType = UNSET
    note: str | UnsetType = UNSET


class OrderCustomer(Sent, frozen=True, kw_only=True):
    """Who an order is for; most likely matched with a known customer by `email`."""

    email: str | UnsetType = UNSET
    first_name: str | UnsetType = UNSET
    last_name: str | UnsetType = UNSET
    company_name: str | UnsetType = UNSET
    phone: str | UnsetType = UNSET
    reference: str | UnsetType = UNSET
    address: str | UnsetType = UNSET
    is_manager: bool | UnsetType = UNSET
    metadata: dict[str, object] | UnsetType = UNSET


class NewOrder(Sent, frozen=True, kw_only=True):
    """An order and its licenses. `id` must be deterministic: it is what makes a repeat harmless.

    `append` is left out on purpose: a repeat of an append makes licenses twice. `metadata` is a string of JSON here,
    an object everywhere else.
    """

    id: str
    items: tuple[NewItem, ...]
    customer: OrderCustomer | UnsetType = UNSET
    customer_account_id: int | UnsetType = UNSET
    add_to_customer_account: bool | UnsetType = UNSET
    is_bundle: bool | UnsetType = UNSET
    is_test: bool | UnsetType = UNSET
    metadata: str | UnsetType = UNSET

    def __post_init__(self) -> None:
        if not self.id:
            raise ValueError("an order needs a deterministic id: without one a repeat makes licenses twice")


class NewCustomer(Sent, frozen=True, kw_only=True):
    """A customer. `reference` is what it is found by again: addresses are not unique at LicenseSpring."""

    reference: str
    email: str | UnsetType = UNSET
    first_name: str | UnsetType = UNSET
    last_name: str | UnsetType = UNSET
    company_name: str | UnsetType = UNSET
    phone: str | UnsetType = UNSET
    address: str | UnsetType = UNSET
    postcode: str | UnsetType = UNSET
    city: str | UnsetType = UNSET
    country: str | UnsetType = UNSET
    state: str | UnsetType = UNSET
    customer_account: int | UnsetType = UNSET
    metadata: dict[str, object] | UnsetType = UNSET

    def __post_init__(self) -> None:
        if not self.reference:
            raise ValueError("a customer needs a reference: without one it cannot be found again")
