"""Tables of the properties of each kind of entity, and how each value is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from service.sandbox.netlicensing.records import Kind
from service.sandbox.netlicensing.values import (
    Reader,
    an_instant,
    choice,
    count,
    flag,
    money,
    number,
    text,
    whole,
)

PERIODS = ("DAY", "WEEK", "MONTH", "YEAR")
TYPES = ("FEATURE", "TIMEVOLUME", "FLOATING", "QUANTITY")

MODELS: Mapping[str, tuple[str, ...]] = {
    "Subscription": ("TIMEVOLUME",),
    "TryAndBuy": ("TIMEVOLUME", "FEATURE"),
    "Rental": ("FEATURE", "TIMEVOLUME"),
    "Floating": ("FLOATING",),
    "MultiFeature": ("FEATURE",),
    "PayPerUse": ("QUANTITY",),
    "Quota": ("QUANTITY",),
    "NodeLocked": ("QUANTITY",),
}
"""The licensing models, and the types of templates that fit each."""

ONLY_ONE: Mapping[str, tuple[str, ...]] = {"TryAndBuy": ("TIMEVOLUME", "FEATURE"), "Rental": ("FEATURE",)}
"""Types of which a module of that model has only one template."""


class Entity(NamedTuple):
    """One kind: its place in URLs, the property that names its parent, its own properties and their defaults."""

    path: str
    parent: tuple[Kind, str] | None
    readers: Mapping[str, Reader]
    defaults: Mapping[str, str]


ENTITIES: Mapping[Kind, Entity] = {
    Kind.PRODUCT: Entity(
        "product",
        None,
        {
            "active": flag,
            "name": text,
            "version": text,
            "licenseeAutoCreate": flag,
            "description": text,
            "licensingInfo": text,
            "licenseeSecretMode": choice("DISABLED", "PREDEFINED", "CLIENT"),
            "vatMode": choice("GROSS", "NET"),
            "discount": text,
        },
        {"active": "true", "licenseeAutoCreate": "false", "version": "1.0", "vatMode": "GROSS"},
    ),
    Kind.MODULE: Entity(
        "productmodule",
        (Kind.PRODUCT, "productNumber"),
        {
            "active": flag,
            "name": text,
            "licensingModel": choice(*MODELS),
            "maxCheckoutValidity": count,
            "yellowThreshold": count,
            "redThreshold": count,
            "nodeSecretMode": choice("PREDEFINED", "CLIENT"),
            "licenseTemplate": text,
            "skudef": text,
        },
        {"active": "true"},
    ),
    Kind.TEMPLATE: Entity(
        "licensetemplate",
        (Kind.MODULE, "productModuleNumber"),
        {
            "active": flag,
            "name": text,
            "licenseType": choice(*TYPES),
            "price": money,
            "currency": choice("EUR"),
            "automatic": flag,
            "hidden": flag,
            "hideLicenses": flag,
            "gracePeriod": flag,
            "timeVolume": count,
            "timeVolumePeriod": choice(*PERIODS),
            "maxSessions": count,
            "quantity": whole,
            "skus": text,
        },
        {"active": "true", "automatic": "false", "hidden": "false", "hideLicenses": "false"},
    ),
    Kind.LICENSEE: Entity(
        "licensee",
        (Kind.PRODUCT, "productNumber"),
        {"active": flag, "name": text, "licenseeSecret": text, "markedForTransfer": flag, "aliases": text},
        {"active": "true", "markedForTransfer": "false"},
    ),
    Kind.LICENSE: Entity(
        "license",
        (Kind.LICENSEE, "licenseeNumber"),
        {
            "active": flag,
            "name": text,
            "hidden": flag,
            "startDate": an_instant,
            "timeVolume": count,
            "timeVolumePeriod": choice(*PERIODS),
            "quantity": whole,
            "usedQuantity": count,
            "maxSessions": count,
            "quota": whole,
            "nodeSecret": text,
            "parentFeature": number,
            "transactionNumber": text,
            "gracePeriod": flag,
        },
        {"active": "true", "hidden": "false"},
    ),
    Kind.BUNDLE: Entity(
        "bundle",
        None,
        {
            "active": flag,
            "name": text,
            "description": text,
            "price": money,
            "currency": choice("EUR"),
            "licenseTemplateNumbers": text,
        },
        {"active": "true"},
    ),
}

KIND_AT: Mapping[str, Kind] = {entity.path: kind for kind, entity in ENTITIES.items()}

READ_ONLY = {"inUse", "warningLevelSummary", "productModuleName", "licenseType", "productName"}
"""Properties of answers that are not taken from requests, nor kept as custom ones."""

REQUIRED: Mapping[Kind, tuple[str, ...]] = {
    Kind.PRODUCT: ("name", "version"),
    Kind.MODULE: ("name", "licensingModel"),
    Kind.TEMPLATE: ("name", "licenseType"),
    Kind.BUNDLE: ("name", "licenseTemplateNumbers"),
}

FIXED = ("licensingModel", "licenseType")
"""What cannot be changed once the entity is in use."""
