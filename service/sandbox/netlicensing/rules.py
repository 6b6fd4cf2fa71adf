"""What sets the kinds apart: which license fits which template, and what each type of license needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import assert_never

from service.sandbox.netlicensing import errors
from service.sandbox.netlicensing.change import Change
from service.sandbox.netlicensing.records import Kind, Record
from service.sandbox.netlicensing.schema import MODELS, ONLY_ONE
from service.sandbox.netlicensing.values import written

FROM_TEMPLATE = ("name", "timeVolume", "timeVolumePeriod", "maxSessions", "quantity", "gracePeriod")
"""What a license takes over from its template where it is not sent."""


def completed(change: Change, record: Record) -> Record:
    """A new entity with what follows from others."""
    if record.kind is not Kind.LICENSE:
        return record
    template, module = _template_and_module(change, record)
    taken = {name: template.text(name) for name in FROM_TEMPLATE if template.text(name)}
    values = {**taken, **record.values}
    if template.text("licenseType") == "TIMEVOLUME":
        values.setdefault("timeVolumePeriod", "DAY")
        if change.settings.start_date_missing == "now":
            values.setdefault("startDate", written(change.now))
    if module.text("licensingModel") == "NodeLocked":
        values = _node_locked(change, record.values, values)
    if module.text("licensingModel") == "PayPerUse":
        values.setdefault("usedQuantity", "0")
    return record.changed(values=values)


def _node_locked(change: Change, sent: Mapping[str, str], values: dict[str, str]) -> dict[str, str]:
    """The number of machines under the one name `quota`, whichever of the two names counts."""
    field = change.settings.node_locked_field
    names = ("quota", "quantity") if field == "both" else (field,)
    told = next((sent[name] for name in names if name in sent), None)
    rest = {name: value for name, value in values.items() if name not in ("quota", "quantity")}
    amount = told if told is not None else values.get("quantity") if "quantity" not in sent else None
    return rest if amount is None else {**rest, "quota": amount}


def allowed(change: Change, record: Record, values: dict[str, str]) -> dict[str, str]:
    """What of a change counts. Raises Refused for what must not be changed."""
    if record.kind is not Kind.LICENSE:
        return values
    if "startDate" in values and values["startDate"] != record.text("startDate"):
        match change.settings.start_date_change:
            case "accepted":
                pass
            case "refused":
                raise errors.illegal(errors.FIXED.format("startDate", record.kind.words, record.number))
            case "ignored":
                values = {name: value for name, value in values.items() if name != "startDate"}
            case _:
                assert_never(change.settings.start_date_change)
    if _template_and_module(change, record)[1].text("licensingModel") == "NodeLocked":
        values = _node_locked(change, values, values)
    return values


def check(change: Change, record: Record) -> None:
    """Raises Refused for an entity that may not be as it is."""
    if record.kind in CHECKS:
        CHECKS[record.kind](change, record)


def _check_template(change: Change, template: Record) -> None:
    module = change.store.the(template.parent)
    model, kind = module.text("licensingModel"), template.text("licenseType")
    if kind not in MODELS[model]:
        raise errors.illegal(errors.TYPE_OF_MODEL.format(kind, model))
    same = [one for one in change.store.owned(Kind.TEMPLATE, module) if one.text("licenseType") == kind]
    if kind in ONLY_ONE.get(model, ()) and len(same) > 1:
        raise errors.illegal(errors.ONE_OF_TYPE.format(model, kind))
    if kind == "TIMEVOLUME" and not template.text("timeVolume"):
        raise errors.illegal(errors.MISSING_FOR_TYPE.format("timeVolume", kind))
    if template.flag("automatic") and template.text("price") not in ("", "0.00"):
        raise errors.illegal(errors.AUTOMATIC_IS_FREE)


def _check_license(change: Change, license_: Record) -> None:
    template, module = _template_and_module(change, license_)
    licensee = change.store.the(license_.parent)
    if module.parent != licensee.parent:
        raise errors.illegal(errors.OTHER_PRODUCT.format("License template", template.number))
    kind, model = template.text("licenseType"), module.text("licensingModel")
    needed = "quota" if model == "NodeLocked" else None
    for name in (needed,) if needed else NEEDS.get(kind, ()):
        if not license_.text(name):
            raise errors.illegal(errors.MISSING_FOR_TYPE.format(name, kind))
    if model == "Rental" and kind == "TIMEVOLUME" and not _has_parent_feature(change, license_, module):
        raise errors.illegal(errors.PARENT_FEATURE)


def check_may_be_made(licensee: Record, template: Record) -> None:
    """Raises Refused where a new license is blocked by what it would belong to."""
    if not licensee.flag("active"):
        raise errors.illegal(errors.LICENSEE_INACTIVE.format(licensee.number))
    if not template.flag("active"):
        raise errors.illegal(errors.TEMPLATE_INACTIVE.format(template.number))


def _check_bundle(change: Change, bundle: Record) -> None:
    for number in templates_of(bundle):
        change.found(Kind.TEMPLATE, number)


def templates_of(bundle: Record) -> list[str]:
    """The numbers of the templates in a bundle."""
    return [number.strip() for number in bundle.text("licenseTemplateNumbers").split(",") if number.strip()]


def _template_and_module(change: Change, license_: Record) -> tuple[Record, Record]:
    template = change.store.the(license_.template)
    return template, change.store.the(template.parent)


def _has_parent_feature(change: Change, license_: Record, module: Record) -> bool:
    parent = change.store.get(Kind.LICENSE, license_.text("parentFeature"))
    if parent is None or parent.parent != license_.parent:
        return False
    template = change.store.the(parent.template)
    return template.parent == module.id and template.text("licenseType") == "FEATURE"


NEEDS: Mapping[str, tuple[str, ...]] = {
    "FEATURE": (),
    "TIMEVOLUME": ("startDate", "timeVolume"),
    "FLOATING": ("maxSessions",),
    "QUANTITY": ("quantity",),
}

CHECKS: Mapping[Kind, Callable[[Change, Record], None]] = {
    Kind.TEMPLATE: _check_template,
    Kind.LICENSE: _check_license,
    Kind.BUNDLE: _check_bundle,
}
