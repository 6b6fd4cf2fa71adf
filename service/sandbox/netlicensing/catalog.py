"""Fills an account with the products, modules, templates and bundles of the settings."""

from __future__ import annotations

from collections.abc import Sequence

from service.sandbox.netlicensing.change import Change
from service.sandbox.netlicensing.records import Kind
from service.sandbox.netlicensing.resources import Form, create
from service.sandbox.netlicensing.seeds import BundleSeed, ModuleSeed, ProductSeed


def sell(change: Change, products: Sequence[ProductSeed], bundles: Sequence[BundleSeed]) -> None:
    """Makes what is not there yet; what is there stays as it is. Raises Refused for what cannot be."""
    for product in products:
        named = {"number": product.number, "name": product.name or product.number}
        _make(change, Kind.PRODUCT, {"version": "1.0", **named, **product.properties})
        for module in product.modules:
            _make_module(change, product, module)
    for bundle in bundles:
        named = {"number": bundle.number, "name": bundle.name or bundle.number}
        field = change.settings.bundle_templates_field
        _make(change, Kind.BUNDLE, {**named, field: ",".join(bundle.templates)})


def _make_module(change: Change, product: ProductSeed, module: ModuleSeed) -> None:
    named = {"number": module.number, "name": module.name or module.number}
    model = {"productNumber": product.number, "licensingModel": module.licensing_model}
    _make(change, Kind.MODULE, {**named, **model, **module.properties})
    for template in module.templates:
        named = {"number": template.number, "name": template.name or template.number}
        kind = {"productModuleNumber": module.number, "licenseType": template.license_type}
        _make(change, Kind.TEMPLATE, {**named, **kind, **template.properties})


def _make(change: Change, kind: Kind, form: Form) -> None:
    if change.store.get(kind, form["number"]) is None:
        create(change, kind, form)
