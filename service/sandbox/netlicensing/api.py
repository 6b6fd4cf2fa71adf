"""The imitated API as a function: a request in, an answer out. HTTP stands in `gateway`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from service.sandbox.netlicensing import bundles, envelope, errors, pages, resources, transfer, validation, views
from service.sandbox.netlicensing.account import Account
from service.sandbox.netlicensing.change import Change
from service.sandbox.netlicensing.envelope import Answer, Item, Page
from service.sandbox.netlicensing.errors import Refused
from service.sandbox.netlicensing.records import Kind
from service.sandbox.netlicensing.schema import KIND_AT, MODELS, TYPES


class Asked(NamedTuple):
    """`segments` are those below the base URL; of a name sent twice in query or form, the last one counts."""

    method: str
    segments: tuple[str, ...]
    query: Mapping[str, str]
    form: Mapping[str, str]


def answer(account: Account, asked: Asked) -> Answer:
    """What the API answers; all that a refused request did is taken back."""
    try:
        if asked.method == "GET":
            return _read(account.reading(), asked)
        with account.change() as change:
            return _write(change, asked)
    except Refused as refused:
        return envelope.of_refusal(account.settings, refused)


def _read(change: Change, asked: Asked) -> Answer:
    match asked.segments:
        case ("utility", name) if name in UTILITIES:
            kind, values = UTILITIES[name]
            items = [Item(kind, dict(zip(fields, told, strict=True))) for fields, told in values]
            return envelope.of_page(change.settings, Page(items, 0, 1, len(items)))
        case (path,) if path in KIND_AT:
            return envelope.of_page(change.settings, pages.listed(change, KIND_AT[path], asked.query))
        case (path, number) if path in KIND_AT:
            found = change.found(KIND_AT[path], number)
            return envelope.of_item(change.settings, views.item(change, found))
        case _:
            raise _nothing_here(asked)


def _write(change: Change, asked: Asked) -> Answer:
    match asked.method, asked.segments:
        case "POST", (path,) if path in KIND_AT:
            made = resources.create(change, KIND_AT[path], asked.form)
            return envelope.of_item(change.settings, views.item(change, made))
        case "POST", (path, number) if path in KIND_AT:
            made = resources.update(change, change.found(KIND_AT[path], number), asked.form)
            return envelope.of_item(change.settings, views.item(change, made))
        case "DELETE", (path, number) if path in KIND_AT:
            cascade = asked.query.get("forceCascade", "").lower() == "true"
            resources.delete(change, change.found(KIND_AT[path], number), cascade=cascade)
            return envelope.NOTHING
        case "POST", (path, number, act) if (path, act) in ACTS:
            return ACTS[path, act](change, number, asked.form)
        case _:
            raise _nothing_here(asked)


def _validate(change: Change, number: str, form: Mapping[str, str]) -> Answer:
    return validation.validate(change, number, form)


def _transfer(change: Change, number: str, form: Mapping[str, str]) -> Answer:
    transfer.transfer(change, change.found(Kind.LICENSEE, number), form)
    return envelope.NOTHING


def _obtain(change: Change, number: str, form: Mapping[str, str]) -> Answer:
    made = bundles.obtain(change, change.found(Kind.BUNDLE, number), form)
    return envelope.of_items(change.settings, [views.item(change, license_) for license_ in made])


def _nothing_here(asked: Asked) -> Refused:
    path, *rest = asked.segments or ("",)
    if path in (*KIND_AT, "utility") and len(rest) < 3 and asked.method not in ("GET", "POST", "DELETE"):
        return Refused(405, "IllegalOperationException", errors.NO_METHOD.format(asked.method))
    return errors.not_found("resource")


ACTS: Mapping[tuple[str, str], Callable[[Change, str, Mapping[str, str]], Answer]] = {
    ("licensee", "validate"): _validate,
    ("licensee", "transfer"): _transfer,
    ("bundle", "obtain"): _obtain,
}

_Table = tuple[str, list[tuple[tuple[str, ...], tuple[str, ...]]]]

UTILITIES: Mapping[str, _Table] = {
    "licensingModels": ("LicensingModelProperties", [(("name",), (model,)) for model in MODELS]),
    "licenseTypes": ("LicenseType", [(("name",), (kind,)) for kind in TYPES]),
    "countries": (
        "Country",
        [
            (("code", "name", "vatPercent", "isEu"), ("DE", "Germany", "19", "true")),
            (("code", "name", "vatPercent", "isEu"), ("US", "United States", "", "false")),
        ],
    ),
}
