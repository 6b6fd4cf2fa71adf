"""Records as answers show them."""

from __future__ import annotations

from service.sandbox.netlicensing.change import Change
from service.sandbox.netlicensing.envelope import Item
from service.sandbox.netlicensing.records import Kind, Record
from service.sandbox.netlicensing.resources import in_use
from service.sandbox.netlicensing.schema import ENTITIES


def item(change: Change, record: Record) -> Item:
    return Item(record.kind.value, properties(change, record))


def properties(change: Change, record: Record) -> dict[str, str]:
    """The properties of an entity: its number, what it belongs to, its own, custom ones, and whether it is in use."""
    shown = {"number": record.number, **record.values, **_related(change, record), **record.custom}
    if record.kind is Kind.LICENSE and change.settings.parent_feature_shown == "parentfeature":
        shown = {"parentfeature" if name == "parentFeature" else name: value for name, value in shown.items()}
    if record.kind is Kind.BUNDLE and change.settings.bundle_templates_field != "licenseTemplateNumbers":
        shown[change.settings.bundle_templates_field] = shown.pop("licenseTemplateNumbers")
    return {**shown, "inUse": "true" if in_use(change, record) else "false"}


def _related(change: Change, record: Record) -> dict[str, str]:
    relation = ENTITIES[record.kind].parent
    if relation is None:
        return {}
    parent = change.store.the(record.parent)
    related = {relation[1]: parent.number}
    if record.kind is Kind.TEMPLATE:
        related["productModuleName"] = parent.text("name")
    if record.kind is Kind.LICENSE:
        template = change.store.the(record.template)
        prices = {name: template.text(name) for name in ("price", "currency") if template.text(name)}
        related |= {"licenseTemplateNumber": template.number, **prices}
    return related
