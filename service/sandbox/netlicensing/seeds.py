"""The catalog of a sandbox as data: products with their modules and templates, and bundles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

Model = Literal[
    "Subscription",
    "TryAndBuy",
    "Rental",
    "Floating",
    "MultiFeature",
    "PayPerUse",
    "Quota",
    "NodeLocked",
]
LicenseType = Literal["FEATURE", "TIMEVOLUME", "FLOATING", "QUANTITY"]


class TemplateSeed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A license template; `properties` as the API names them, such as `{"timeVolume": "30"}`."""

    number: str
    license_type: LicenseType
    name: str = ""
    properties: Mapping[str, str] = {}


class ModuleSeed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A product module with its licensing model and templates."""

    number: str
    licensing_model: Model
    name: str = ""
    templates: tuple[TemplateSeed, ...] = ()
    properties: Mapping[str, str] = {}


class ProductSeed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    number: str
    name: str = ""
    modules: tuple[ModuleSeed, ...] = ()
    properties: Mapping[str, str] = {}


class BundleSeed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A bundle of license templates, which are named by their numbers."""

    number: str
    templates: tuple[str, ...]
    name: str = ""


DEFAULT_PRODUCTS = (
    ProductSeed(
        number="demo",
        name="Demo",
        modules=(
            ModuleSeed(
                number="demo-subscription",
                licensing_model="Subscription",
                templates=(
                    TemplateSeed(
                        number="demo-month",
                        license_type="TIMEVOLUME",
                        properties={"timeVolume": "1", "timeVolumePeriod": "MONTH"},
                    ),
                ),
            ),
        ),
    ),
)
