"""`/orders/`."""

from __future__ import annotations

from typing import Any

from litestar import Controller, delete, get, patch, post
from litestar.params import FromPath, JSONBody

from service.sandbox.licensespring import errors, fields, mint, orders, seats, views
from service.sandbox.licensespring.issue import unused_keys
from service.sandbox.licensespring.listings import ORDERS
from service.sandbox.licensespring.records import LicenseUser, Order, Product
from service.sandbox.licensespring.routes.shared import (
    HttpRequest,
    TheCompany,
    TheRows,
    an_object,
    changing,
    found,
    listed,
)

MOST_KEYS = 1000
LONGEST_ALPHABET = 64


class OrderRoutes(Controller):
    """Orders, their managers, and keys for licenses to come."""

    path = "/orders"

    @get("/")
    async def list_orders(self, request: HttpRequest, company: TheCompany, rows: TheRows) -> dict[str, Any]:
        return listed(
            request, rows, rows.all(Order), ORDERS, lambda order: views.order_view(rows, company.settings, order)
        )

    @get("/{order_id:int}")
    async def retrieve_order(self, order_id: FromPath[int], company: TheCompany, rows: TheRows) -> dict[str, Any]:
        return views.order_view(rows, company.settings, found(rows, Order, order_id))

    @patch("/{order_id:int}")
    async def update_order(self, order_id: FromPath[int], data: JSONBody[Any], company: TheCompany) -> dict[str, Any]:
        with company.change() as change:
            order = orders.update_order(change, changing(change, Order, order_id), an_object(data))
        return views.order_view(company.store.rows, company.settings, order)

    @delete("/{order_id:int}")
    async def delete_order(self, order_id: FromPath[int], company: TheCompany) -> None:
        with company.change() as change:
            orders.delete_order(change, changing(change, Order, order_id))

    @post("/create_order", status_code=200)
    async def create_order(self, data: JSONBody[Any], company: TheCompany) -> dict[str, Any]:
        with company.change() as change:
            order, passwords = orders.create_order(change, an_object(data))
        return views.created_order_view(company.store.rows, company.settings, order, passwords)

    @get("/generate_license")
    async def generate_keys(self, request: HttpRequest, company: TheCompany, rows: TheRows) -> list[str]:
        """New keys, none of them in use. They are not reserved."""
        query = request.query_params
        code = query.get("product", "")
        products = rows.find(Product, "short_code", code)
        if not products:
            text = errors.UNKNOWN_PRODUCT.format(code) if code else errors.REQUIRED
            raise errors.fields({"product": text})
        quantity = fields.one("quantity", _up_to(1, MOST_KEYS), query.get("quantity", "1"))
        length = fields.one("key_length", _up_to(16, 240), query.get("key_length", str(mint.KEY_LENGTH)))
        alphabet = query.get("alphabet") or mint.ALPHABET
        if not 2 <= len(set(alphabet)) <= LONGEST_ALPHABET:
            raise errors.fields({"alphabet": f"Ensure this field has 2 to {LONGEST_ALPHABET} different characters."})
        keys = unused_keys(rows, company.mint, length, alphabet)
        return [next(keys) for _ in range(quantity)]

    @get("/{order_id:int}/managers")
    async def list_managers(self, order_id: FromPath[int], rows: TheRows) -> list[dict[str, Any]]:
        order = found(rows, Order, order_id)
        return [views.user_view(rows.the(LicenseUser, manager)) for manager in order.managers]

    @post("/{order_id:int}/add_manager", status_code=200)
    async def add_manager(self, order_id: FromPath[int], data: JSONBody[Any], company: TheCompany) -> dict[str, Any]:
        with company.change() as change:
            user, password = seats.add_manager(change, changing(change, Order, order_id), an_object(data))
        shown = views.user_view(user)
        named = ("id", "true_email", "is_initial_password", "initial_password", "first_name", "last_name")
        return {
            **{name: shown[name] for name in (*named, "phone_number")},
            "new_user": password is not None,
            "password": password,
        }

    @post("/{order_id:int}/remove_manager", status_code=200)
    async def remove_manager(self, order_id: FromPath[int], data: JSONBody[Any], company: TheCompany) -> dict[str, str]:
        with company.change() as change:
            seats.remove_manager(change, changing(change, Order, order_id), an_object(data))
        return {"detail": "removed"}


def _up_to(least: int, most: int) -> Any:
    def read(value: str) -> int:
        number = fields.whole(value, least)
        if number > most:
            raise errors.FieldError(f"Ensure this value is less than or equal to {most}.")
        return number

    return read
