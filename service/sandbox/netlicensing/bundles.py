"""Obtaining a bundle: one license of each of its templates."""

from __future__ import annotations

from collections.abc import Mapping

from service.sandbox.netlicensing import errors, rules
from service.sandbox.netlicensing.change import Change
from service.sandbox.netlicensing.records import Kind, Record
from service.sandbox.netlicensing.resources import create


def obtain(change: Change, bundle: Record, form: Mapping[str, str]) -> list[Record]:
    """The new licenses, whose numbers the server chooses; time volumes begin now. Each call makes new ones.

    Raises Refused, and none is made then.
    """
    if not form.get("licenseeNumber"):
        raise errors.malformed(errors.NOT_PROVIDED.format("licenseeNumber"))
    if not bundle.flag("active"):
        raise errors.illegal(f"Bundle '{bundle.number}' is not active.")
    licensee = change.found(Kind.LICENSEE, form["licenseeNumber"])
    made: list[Record] = []
    for number in rules.templates_of(bundle):
        template = change.found(Kind.TEMPLATE, number)
        sent = {"licenseeNumber": licensee.number, "licenseTemplateNumber": number}
        if template.text("licenseType") == "TIMEVOLUME":
            sent["startDate"] = "now"
            sent |= _rented(change, template, made)
        made.append(create(change, Kind.LICENSE, sent))
    return made


def _rented(change: Change, template: Record, made: list[Record]) -> dict[str, str]:
    """The FEATURE license of the same module that a rental's time belongs to, if the bundle has one before it."""
    features = [
        license_
        for license_ in made
        if change.store.the(license_.template).parent == template.parent
        and change.store.the(license_.template).text("licenseType") == "FEATURE"
    ]
    return {"parentFeature": features[-1].number} if features else {}
