"""Products and license policies: seed data, read-only through the API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from service.sandbox.licensespring import fields
from service.sandbox.licensespring.change import Change
from service.sandbox.licensespring.records import CustomField, Feature, Policy, Product, Terms
from service.sandbox.licensespring.rows import Rows
from service.sandbox.licensespring.settings import LicenseType, ProductSeed, SandboxSettings


def add_product(change: Change, seed: ProductSeed) -> Product:
    """Adds a product with its policies. One whose short code is there already stays as it is.

    Raises ValueError for a term that is no license field or has an unfitting value.
    """
    if known := change.rows.find(Product, "short_code", seed.short_code):
        return known[0]
    base = _terms(seed.short_code, seed.terms, Terms(), change.settings)
    product = Product(
        id=change.mint.large_id(),
        product_name=seed.product_name or seed.short_code,
        short_code=seed.short_code,
        authorization_method=seed.authorization_method,
        features=tuple(
            Feature(
                id=change.mint.small_id(),
                code=feature.code,
                name=feature.name or feature.code,
                feature_type=feature.feature_type,
                max_consumption=feature.max_consumption,
            )
            for feature in seed.features
        ),
        custom_fields=tuple(
            CustomField(
                id=change.mint.small_id(),
                name=field.name,
                data_type=field.data_type,
                default_value=field.default_value,
            )
            for field in seed.custom_fields
        ),
        bundle=seed.bundle,
        created_at=change.now,
        updated_at=change.now,
    )
    change.put(product)
    _add_policy(change, product, f"{seed.short_code}-default", seed.default_license_type, base, is_default=True)
    for policy in seed.policies:
        terms = _terms(f"{seed.short_code}/{policy.code}", policy.terms, base, change.settings)
        _add_policy(change, product, policy.code, policy.default_license_type or seed.default_license_type, terms)
    return product


def default_policy(rows: Rows, product: Product) -> Policy:
    return next(policy for policy in rows.find(Policy, "product", product.id) if policy.is_default)


def members(rows: Rows, product: Product) -> list[Product]:
    """The products in a bundle that are there."""
    return [found for code in product.bundle for found in rows.find(Product, "short_code", code)]


def find_policy(rows: Rows, product: Product, name: object) -> Policy | None:
    """A policy of the product by its code or id; the default policy when no name is given."""
    if name in (None, ""):
        return default_policy(rows, product)
    policies = rows.find(Policy, "product", product.id)
    return next((policy for policy in policies if str(name) in (policy.code, str(policy.id))), None)


def _add_policy(
    change: Change, product: Product, code: str, kind: LicenseType, terms: Terms, *, is_default: bool = False
) -> None:
    change.put(
        Policy(
            id=change.mint.small_id(),
            product=product.id,
            code=code,
            is_default=is_default,
            default_license_type=kind,
            terms=terms,
            created_at=change.now,
            updated_at=change.now,
        )
    )


def _terms(where: str, sent: Mapping[str, Any], base: Terms, settings: SandboxSettings) -> Terms:
    values, wrong = fields.read_all(fields.TERMS, sent, settings)
    wrong |= dict.fromkeys(sent.keys() - fields.TERMS.keys(), "is no license field; see create_order for their names")
    if wrong:
        told = "; ".join(f"{name}: {text}" for name, text in sorted(wrong.items()))
        raise ValueError(f"Mend the terms of product {where}: {told}")
    return msgspec.structs.replace(base, **values)
