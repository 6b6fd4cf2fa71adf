"""Records of the catalog as answers show them."""

from __future__ import annotations

from typing import Any

import msgspec

from service.sandbox.licensespring.catalog import default_policy
from service.sandbox.licensespring.custom_fields import offered_by
from service.sandbox.licensespring.durations import written
from service.sandbox.licensespring.records import CustomField, License, LicenseCustomField, Policy, Product
from service.sandbox.licensespring.rows import Rows
from service.sandbox.licensespring.settings import SandboxSettings
from service.sandbox.licensespring.views import terms_view

View = dict[str, Any]


def product_view(rows: Rows, settings: SandboxSettings, product: Product) -> View:
    policy = default_policy(rows, product)
    return {
        **terms_view(policy.terms),
        "id": product.id,
        "product_name": product.product_name,
        "short_code": product.short_code,
        "active": True,
        "is_archived": False,
        "authorization_method": product.authorization_method,
        "default_license_type": policy.default_license_type,
        "allow_trial": True,
        "product_features": [msgspec.to_builtins(feature) for feature in product.features],
        "custom_fields": [msgspec.to_builtins(field) for field in product.custom_fields],
        "company": settings.company_id,
        "created_at": written(product.created_at),
        "updated_at": written(product.updated_at),
    }


def policy_view(policy: Policy) -> View:
    return {
        **terms_view(policy.terms),
        "id": policy.id,
        "name": policy.code,
        "code": policy.code,
        "product": policy.product,
        "is_default": policy.is_default,
        "is_archived": False,
        "is_sku": False,
        "default_license_type": policy.default_license_type,
        "allow_trial": True,
        "license_product_feature_templates": [],
        "license_custom_field_templates": [],
        "created_at": written(policy.created_at),
        "updated_at": written(policy.updated_at),
    }


def offered_field_view(product: Product, field: CustomField) -> View:
    return {**msgspec.to_builtins(field), "product": product.id, "description": ""}


def custom_field_view(settings: SandboxSettings, rows: Rows, row: LicenseCustomField) -> View:
    shown: View = msgspec.structs.asdict(row)
    if settings.custom_field_related == "object":
        license_ = rows.the(License, row.license)
        field = offered_by(rows, license_)[row.product_custom_field]
        shown |= {"license": {"id": license_.id}, "product_custom_field": msgspec.to_builtins(field)}
    return shown
