"""`/licenses/`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from litestar import Controller, delete, get, patch, post
from litestar.params import FromPath, JSONBody

from service.sandbox.licensespring import errors, fields, licenses, orders, seats, verdicts, views
from service.sandbox.licensespring.change import Change
from service.sandbox.licensespring.company import Company
from service.sandbox.licensespring.listings import LICENSES
from service.sandbox.licensespring.patch import update_license
from service.sandbox.licensespring.records import License
from service.sandbox.licensespring.routes.shared import (
    HttpRequest,
    TheCompany,
    TheRows,
    an_object,
    changing,
    found,
    ids,
    listed,
)

View = dict[str, Any]


class LicenseRoutes(Controller):
    """Licenses: lists, changes and actions."""

    path = "/licenses"

    @get("/")
    async def list_licenses(self, request: HttpRequest, company: TheCompany, rows: TheRows) -> View:
        return listed(
            request, rows, rows.all(License), LICENSES, lambda one: views.license_view(rows, company.settings, one)
        )

    @get("/{license_id:int}")
    async def retrieve_license(self, license_id: FromPath[int], company: TheCompany, rows: TheRows) -> View:
        return views.license_view(rows, company.settings, found(rows, License, license_id))

    @patch("/{license_id:int}")
    async def update_license(self, license_id: FromPath[int], data: JSONBody[Any], company: TheCompany) -> View:
        with company.change() as change:
            license_ = update_license(change, changing(change, License, license_id), an_object(data))
        return views.license_view(company.store.rows, company.settings, license_)

    @delete("/{license_id:int}")
    async def delete_license(self, license_id: FromPath[int], company: TheCompany) -> None:
        _on_one(company, license_id, orders.delete_license)

    @patch("/bulk_update")
    async def update_licenses(self, data: JSONBody[Any], company: TheCompany) -> list[View]:
        entries = fields.one("non_field_errors", fields.objects, data)
        updates = [(fields.one("id", fields.whole, entry.get("id")), _update(entry)) for entry in entries]
        changed = _in_bulk(company, updates)
        return [views.license_view(company.store.rows, company.settings, license_) for license_ in changed]

    @post("/{license_id:int}/enable", status_code=200)
    async def enable(self, license_id: FromPath[int], company: TheCompany) -> View:
        _on_one(company, license_id, partial(licenses.switch, enabled=True))
        return licenses.ENABLED

    @post("/{license_id:int}/disable", status_code=200)
    async def disable(self, license_id: FromPath[int], company: TheCompany) -> View:
        _on_one(company, license_id, partial(licenses.switch, enabled=False))
        return licenses.DISABLED

    @post("/disable_bulk", status_code=200)
    async def disable_bulk(self, data: JSONBody[Any], company: TheCompany) -> View:
        _in_bulk(company, [(key, licenses.disable) for key in ids(data)])
        return licenses.DISABLED_BULK

    @post("/{license_id:int}/reset", status_code=200)
    async def reset(self, license_id: FromPath[int], company: TheCompany) -> View:
        _on_one(company, license_id, licenses.reset)
        return licenses.RESET

    @post("/reset_bulk", status_code=200)
    async def reset_bulk(self, data: JSONBody[Any], company: TheCompany) -> View:
        _in_bulk(company, [(key, licenses.reset) for key in ids(data)])
        return licenses.RESET_BULK

    @post("/custom_bulk_reset", status_code=200)
    async def custom_bulk_reset(self, data: JSONBody[Any], company: TheCompany) -> View:
        sent = an_object(data)
        act = partial(licenses.custom_reset, sent=sent)
        _in_bulk(company, [(key, act) for key in ids(sent.get("license_ids"))])
        return licenses.CUSTOM_RESET

    @post("/{license_id:int}/reset_consumption", status_code=200)
    async def reset_consumption(self, license_id: FromPath[int], company: TheCompany) -> View:
        _on_one(company, license_id, licenses.reset_consumption)
        return licenses.CONSUMPTION_RESET

    @post("/{license_id:int}/update_features", status_code=200)
    async def update_features(self, license_id: FromPath[int], data: JSONBody[Any], company: TheCompany) -> View:
        with company.change() as change:
            license_ = changing(change, License, license_id)
            updated = licenses.update_features(change, license_, an_object(data))
        return views.license_view(company.store.rows, company.settings, updated)

    @post("/{license_id:int}/assign_user", status_code=200)
    async def assign_user(self, license_id: FromPath[int], data: JSONBody[Any], company: TheCompany) -> View:
        with company.change() as change:
            password = seats.assign(change, changing(change, License, license_id), an_object(data))
        return {"message": licenses.ASSIGNED, **({} if password is None else {"new_password": password})}

    @post("/{license_id:int}/unassign_user", status_code=200)
    async def unassign_user(self, license_id: FromPath[int], data: JSONBody[Any], company: TheCompany) -> View:
        with company.change() as change:
            seats.unassign(change, changing(change, License, license_id), an_object(data))
        return licenses.UNASSIGNED

    @post("/{license_id:int}/set_users_activations", status_code=200)
    async def set_users_activations(self, license_id: FromPath[int], data: JSONBody[Any], company: TheCompany) -> View:
        with company.change() as change:
            seats.set_activations(change, changing(change, License, license_id), an_object(data))
        return licenses.ACTIVATIONS_SET

    @get("/check_license")
    async def check_license(self, request: HttpRequest, company: TheCompany, rows: TheRows) -> View:
        query = dict(request.query_params.multi_items())
        return verdicts.check(rows, company.settings, company.clock.now(), query)


def _on_one(company: Company, license_id: int, act: Callable[[Change, License], object]) -> None:
    with company.change() as change:
        act(change, changing(change, License, license_id))


def _update(entry: View) -> licenses.Act:
    return lambda change, license_: update_license(change, license_, entry)


def _in_bulk(company: Company, acts: list[tuple[int, licenses.Act]]) -> list[License]:
    with company.change() as change:
        outcome = licenses.in_bulk(change, acts)
    if isinstance(outcome, errors.ApiError):
        raise outcome
    changed = (company.store.rows.get(License, key) for key, _ in acts)
    return [license_ for license_ in changed if license_ is not None]
