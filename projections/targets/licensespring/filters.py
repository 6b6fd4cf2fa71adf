"""The filters of LicenseSpring's list of licenses (page license/list-licenses).

An unknown filter is most likely ignored there, so a slip in a name would bring back every license of the account.
"""

from collections.abc import Mapping

EXACT = frozenset(
    {
        "license_key",
        "active",
        "enabled",
        "order__store_id",
        "order__customer_account",
        "customer_id",
        "customer_email",
        "customer__account",
        "customer__account__reference",
        "product_id",
        "product__short_code",
        "product_features__id",
        "product__authorization_method",
        "license_users__id",
        "license_users__true_email",
        "devices__hostname",
        "devices__hardware_id",
        "devices__os",
        "subscription_id",
        "license_template__id",
        "license_template__code",
        "license_user_group",
        "company",
        "is_any_floating",
        "manager__true_email",
        "license_key__isnull",
        "id__in",
        "order_by",
    }
)
SUBSTRING = frozenset(
    {
        "license_key",
        "order__store_id",
        "customer_email",
        "customer_company_name",
        "customer_name",
        "customer__reference",
        "product_name",
        "license_users__true_email",
        "note",
        "manager__true_email",
        "devices__hostname",
    }
)
PREFIX = frozenset({"license_key", "order__store_id"})
RANGE = frozenset({"validity_period", "time_activated", "updated_at"})
COMPARISONS = ("gt", "gte", "lt", "lte")

KNOWN = frozenset(
    {*EXACT}
    | {f"{name}__icontains" for name in SUBSTRING}
    | {f"{name}__startswith" for name in PREFIX}
    | {f"{name}__{how}" for name in RANGE for how in COMPARISONS}
    | {f"{name}__date__{how}" for name in RANGE for how in COMPARISONS}
)


def license_filters(given: Mapping[str, str | int | bool]) -> dict[str, str]:
    """The query of a list of licenses. Raises ValueError for a filter that is not documented."""
    if unknown := sorted(set(given) - KNOWN):
        raise ValueError(f"not a documented filter of licenses: {', '.join(unknown)}")
    return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in given.items()}
