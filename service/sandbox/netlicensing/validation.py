"""Validation: what a program that asks on behalf of a licensee is told, module by module."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from service.sandbox.netlicensing import envelope, errors
from service.sandbox.netlicensing.change import Change
from service.sandbox.netlicensing.envelope import Answer, Item
from service.sandbox.netlicensing.models import JUDGES, Licensed, Verdict
from service.sandbox.netlicensing.records import Kind, Record
from service.sandbox.netlicensing.resources import create
from service.sandbox.netlicensing.values import written

TTL = timedelta(days=1)
SUFFIXED = re.compile(r"([A-Za-z]+)([0-9]{1,4})")
MODULE = "productModuleNumber"

Sent = Mapping[str, Mapping[str, str]]
"""Parameters by the number of the module they are for."""


def validate(change: Change, number: str, form: Mapping[str, str]) -> Answer:
    """One item per module of the product. Sessions, uses, machines and trials are kept unless it is a dry run.

    Raises Refused for an unknown licensee that may not be created, and for parameters that cannot be read.
    """
    dry_run = form.get("dryRun", "").lower() == "true"
    licensee = _licensee(change, number, form)
    if change.settings.inactive_licensee == "refused" and not licensee.flag("active"):
        raise errors.illegal(errors.LICENSEE_INACTIVE.format(licensee.number))
    items = []
    for module, verdict in verdicts(change, licensee, _by_module(form)):
        if verdict.listed:
            items.append(_item(module, verdict))
        if not dry_run:
            _keep(change, licensee, verdict)
    ttl = str(int(TTL / timedelta(minutes=1)))
    if change.settings.ttl == "instant":
        ttl = written(change.now + TTL)
    return envelope.of_items(change.settings, items, ttl=ttl)


def verdicts(change: Change, licensee: Record, sent: Sent | None = None) -> Iterator[tuple[Record, Verdict]]:
    """Every active module of the licensee's product, judged one after the other; raises Refused.

    What is kept of one verdict is seen by the next.
    """
    store = change.store
    blocked = not licensee.flag("active") and change.settings.inactive_licensee != "ignored"
    for module in store.owned(Kind.MODULE, store.the(licensee.parent)):
        if not module.flag("active"):
            continue
        if blocked:
            yield module, Verdict(told={"valid": "false"}, effective={"valid": False})
            continue
        licensed = _licensed(change, store.the(licensee.id), module, (sent or {}).get(module.number, {}))
        yield module, JUDGES[module.text("licensingModel")](licensed)


def effective(change: Change, licensee: Record) -> dict[str, dict[str, Any]]:
    """By module: its model and what a program would be told now, as values; instants are datetimes in UTC."""
    return {
        module.number: {"model": module.text("licensingModel"), **_known(verdict.effective)}
        for module, verdict in verdicts(change, licensee)
    }


def _known(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _licensed(change: Change, licensee: Record, module: Record, sent: Mapping[str, str]) -> Licensed:
    store = change.store
    templates = store.owned(Kind.TEMPLATE, module)
    ids = {template.id for template in templates}
    held = [one for one in store.owned(Kind.LICENSE, licensee) if one.template in ids and one.flag("active")]
    return Licensed(
        change.settings,
        change.now,
        licensee,
        module,
        tuple(template for template in templates if template.flag("active")),
        tuple((license_, store.the(license_.template)) for license_ in sorted(held, key=lambda one: one.id)),
        sent,
    )


def _licensee(change: Change, number: str, form: Mapping[str, str]) -> Record:
    """The licensee, made now where the product creates those that are validated."""
    licensee = change.store.get(Kind.LICENSEE, number)
    if licensee is not None:
        return licensee
    product = change.store.get(Kind.PRODUCT, form.get("productNumber", ""))
    if product is None or not product.flag("licenseeAutoCreate"):
        raise errors.not_found(Kind.LICENSEE.words)
    named = {"number": number, "productNumber": product.number}
    return create(change, Kind.LICENSEE, {**named, "name": form.get("licenseeName", "")})


def _by_module(form: Mapping[str, str]) -> Sent:
    """Raises Refused when parameters are there for a module that is not named."""
    by_suffix: dict[str, dict[str, str]] = defaultdict(dict)
    for name, value in form.items():
        if matched := SUFFIXED.fullmatch(name):
            by_suffix[matched[2]][matched[1]] = value
    sent = {}
    for suffix, parameters in by_suffix.items():
        if MODULE not in parameters:
            raise errors.malformed(errors.NOT_PROVIDED.format(f"{MODULE}{suffix}"))
        sent[parameters.pop(MODULE)] = parameters
    return sent


def _item(module: Record, verdict: Verdict) -> Item:
    about = {
        MODULE: module.number,
        "productModuleName": module.text("name"),
        "licensingModel": module.text("licensingModel"),
    }
    return Item("ProductModuleValidation", {**about, **verdict.told}, verdict.lists)


def _keep(change: Change, licensee: Record, verdict: Verdict) -> None:
    for record in verdict.changes:
        change.store.put(record)
    if verdict.begins is not None and licensee.flag("active"):
        form = {"licenseeNumber": licensee.number, "licenseTemplateNumber": verdict.begins.number}
        create(change, Kind.LICENSE, {**form, "startDate": written(change.now)})
