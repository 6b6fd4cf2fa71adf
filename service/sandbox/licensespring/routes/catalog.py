"""The catalog: `/products/`, `/license-templates/`, `/product-custom-fields/`; and `/license-custom-fields/`."""

from __future__ import annotations

from typing import Any

from litestar import Controller, delete, get, patch, post
from litestar.params import FromPath, JSONBody

from service.sandbox.licensespring import catalog, custom_fields, fields
from service.sandbox.licensespring.catalog_views import (
    custom_field_view,
    offered_field_view,
    policy_view,
    product_view,
)
from service.sandbox.licensespring.company import Company
from service.sandbox.licensespring.listings import CUSTOM_FIELDS, POLICIES, PRODUCTS
from service.sandbox.licensespring.records import LicenseCustomField, Policy, Product
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


class ProductRoutes(Controller):
    path = "/products"

    @get("/")
    async def list_products(self, request: HttpRequest, company: TheCompany, rows: TheRows) -> View:
        return listed(
            request,
            rows,
            rows.all(Product),
            PRODUCTS,
            lambda product: product_view(rows, company.settings, product),
        )

    @get("/{product_id:int}")
    async def retrieve_product(self, product_id: FromPath[int], company: TheCompany, rows: TheRows) -> View:
        return product_view(rows, company.settings, found(rows, Product, product_id))

    @get("/{product_id:int}/bundle")
    async def list_members(self, product_id: FromPath[int], company: TheCompany, rows: TheRows) -> Any:
        members = catalog.members(rows, found(rows, Product, product_id))
        return _answered(company, [product_view(rows, company.settings, member) for member in members])

    @get("/{product_id:int}/in_bundle")
    async def list_bundles(self, product_id: FromPath[int], company: TheCompany, rows: TheRows) -> Any:
        code = found(rows, Product, product_id).short_code
        bundles = [product for product in rows.all(Product) if code in product.bundle]
        return _answered(company, [product_view(rows, company.settings, bundle) for bundle in bundles])


class PolicyRoutes(Controller):
    path = "/license-templates"

    @get("/")
    async def list_policies(self, request: HttpRequest, rows: TheRows) -> View:
        return listed(request, rows, rows.all(Policy), POLICIES, policy_view)

    @get("/{policy_id:int}")
    async def retrieve_policy(self, policy_id: FromPath[int], rows: TheRows) -> View:
        return policy_view(found(rows, Policy, policy_id))


class OfferedFieldRoutes(Controller):
    """Custom fields that licenses of products may have."""

    path = "/product-custom-fields"

    @get("/")
    async def list_fields(self, request: HttpRequest, rows: TheRows) -> View:
        sent = request.query_params.get("product")
        wanted = fields.one("product", fields.whole, sent) if sent else None
        products = [product for product in rows.all(Product) if wanted in {None, product.id}]
        return _page([offered_field_view(product, field) for product in products for field in product.custom_fields])


class CustomFieldRoutes(Controller):
    """Custom fields that licenses have."""

    path = "/license-custom-fields"

    @get("/")
    async def list_fields(self, request: HttpRequest, company: TheCompany, rows: TheRows) -> View:
        return listed(
            request,
            rows,
            rows.all(LicenseCustomField),
            CUSTOM_FIELDS,
            lambda row: custom_field_view(company.settings, rows, row),
        )

    @post("/", status_code=201)
    async def create_field(self, data: JSONBody[Any], company: TheCompany) -> View:
        with company.change() as change:
            row = custom_fields.create(change, an_object(data))
        return custom_field_view(company.settings, company.store.rows, row)

    @get("/{field_id:int}")
    async def retrieve_field(self, field_id: FromPath[int], company: TheCompany, rows: TheRows) -> View:
        return custom_field_view(company.settings, rows, found(rows, LicenseCustomField, field_id))

    @patch("/{field_id:int}")
    async def update_field(self, field_id: FromPath[int], data: JSONBody[Any], company: TheCompany) -> View:
        with company.change() as change:
            row = custom_fields.update(change, changing(change, LicenseCustomField, field_id), an_object(data))
        return custom_field_view(company.settings, company.store.rows, row)

    @delete("/{field_id:int}")
    async def delete_field(self, field_id: FromPath[int], company: TheCompany) -> None:
        with company.change() as change:
            change.remove(changing(change, LicenseCustomField, field_id))


def _answered(company: Company, views: list[View]) -> Any:
    """What is in a bundle comes as a bare list or as a page, by setting."""
    return _page(views) if company.settings.bundle_answer == "page" else views


def _page(views: list[View]) -> View:
    return {"count": len(views), "next": None, "previous": None, "results": views}
