"""`/customers/` and `/devices/`."""

from __future__ import annotations

from typing import Any

from litestar import Controller, Response, get, patch, post
from litestar.params import FromPath, JSONBody

from service.sandbox.licensespring import customers, licenses, views
from service.sandbox.licensespring.listings import CUSTOMERS, DEVICES
from service.sandbox.licensespring.records import Customer, Device
from service.sandbox.licensespring.routes.shared import (
    HttpRequest,
    TheCompany,
    TheRows,
    an_object,
    changing,
    found,
    listed,
)

View = dict[str, Any]


class CustomerRoutes(Controller):
    path = "/customers"

    @get("/")
    async def list_customers(self, request: HttpRequest, company: TheCompany, rows: TheRows) -> View:
        return listed(
            request,
            rows,
            rows.all(Customer),
            CUSTOMERS,
            lambda customer: views.counted_customer_view(rows, company.settings, customer),
        )

    @post("/")
    async def create_customer(self, data: JSONBody[Any], company: TheCompany) -> Response[View]:
        with company.change() as change:
            customer = customers.create_customer(change, an_object(data))
        view = views.counted_customer_view(company.store.rows, company.settings, customer)
        return Response(view, status_code=company.settings.created_customer_status)

    @get("/{customer_id:int}")
    async def retrieve_customer(self, customer_id: FromPath[int], company: TheCompany, rows: TheRows) -> View:
        return views.counted_customer_view(rows, company.settings, found(rows, Customer, customer_id))

    @patch("/{customer_id:int}")
    async def update_customer(self, customer_id: FromPath[int], data: JSONBody[Any], company: TheCompany) -> View:
        with company.change() as change:
            known = changing(change, Customer, customer_id)
            customer = customers.update_customer(change, known, an_object(data))
        return views.counted_customer_view(company.store.rows, company.settings, customer)


class DeviceRoutes(Controller):
    path = "/devices"

    @get("/")
    async def list_devices(self, request: HttpRequest, rows: TheRows) -> View:
        return listed(request, rows, rows.all(Device), DEVICES, lambda device: views.device_view(rows, device))

    @get("/{device_id:int}")
    async def retrieve_device(self, device_id: FromPath[int], rows: TheRows) -> View:
        return views.device_view(rows, found(rows, Device, device_id))

    @post("/{device_id:int}/reset", status_code=200)
    async def reset_device(self, device_id: FromPath[int], company: TheCompany) -> View:
        with company.change() as change:
            licenses.reset_device(change, changing(change, Device, device_id))
        return licenses.DEVICE_RESET
