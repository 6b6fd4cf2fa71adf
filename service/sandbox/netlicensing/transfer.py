"""Moving all licenses of one licensee to another."""

from __future__ import annotations

from collections.abc import Mapping

from service.sandbox.netlicensing import errors
from service.sandbox.netlicensing.change import Change
from service.sandbox.netlicensing.records import Kind, Record


def transfer(change: Change, target: Record, form: Mapping[str, str]) -> None:
    """Both in one product, the source marked for it. Raises Refused, and nothing has moved then."""
    if not form.get("sourceLicenseeNumber"):
        raise errors.malformed(errors.NOT_PROVIDED.format("sourceLicenseeNumber"))
    source = change.found(Kind.LICENSEE, form["sourceLicenseeNumber"])
    if source.id == target.id:
        raise errors.illegal("A licensee's licenses can not be transferred to itself.")
    if source.parent != target.parent:
        raise errors.illegal(errors.OTHER_PRODUCT.format("Licensee", source.number))
    if not source.flag("markedForTransfer"):
        raise errors.illegal(errors.NOT_MARKED.format(source.number))
    for license_ in change.store.owned(Kind.LICENSE, source):
        change.store.put(license_.changed(parent=target.id))
    if change.settings.after_transfer == "unmarked":
        change.store.put(source.with_values(markedForTransfer="false"))
