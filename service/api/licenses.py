"""Licenses: what is desired and what the license servers hold."""

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from domain.events import Stream
from projections.explaining import LicenseExplained
from projections.queries import LastLicense, LicenseView
from service.api.paging import Cursor, Limit, Page, page, read_cursor
from service.explaining import explain_one
from service.lookup import Reader, find_license
from service.problems import api_problems


class Licenses(Controller):
    path = "/licenses"
    tags = ("licenses",)

    @get("/", responses=api_problems())
    async def list_licenses(
        self,
        reader: NamedDependency[Reader],
        stream: FromQuery[str | None] = None,
        target: FromQuery[str | None] = None,
        enabled: FromQuery[bool | None] = None,
        due: FromQuery[bool | None] = None,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Page[LicenseView]:
        """Lists licenses by id and target; `due` leaves only those that the target does not hold as desired yet."""
        rows = await reader.queries.licenses(
            stream=Stream(stream) if stream else None,
            target=target,
            enabled=enabled,
            due=due,
            after=read_cursor(cursor, LastLicense),
            limit=limit + 1,
        )
        return page(rows, limit, lambda row: LastLicense(row.id, row.target))

    @get("/{identifier:str}", responses=api_problems(404, 409))
    async def show_license(
        self, reader: NamedDependency[Reader], identifier: FromPath[str], target: FromQuery[str | None] = None
    ) -> LicenseView:
        """Shows one license; every desired field says why it is so. One of several targets needs `target`."""
        return await find_license(reader, identifier, target)

    @get("/{identifier:str}/explain", responses=api_problems(404, 422))
    async def explain_license(
        self, reader: NamedDependency[Reader], identifier: FromPath[str], field: FromQuery[str | None] = None
    ) -> list[LicenseExplained]:
        """Says at each target why every field, or the one named, is as it is, and what would change it."""
        return await explain_one(reader, identifier, field=field)
