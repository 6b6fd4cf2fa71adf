"""Licenses: what is desired and what the license servers hold."""

from functools import partial

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.exceptions import ValidationException
from litestar.params import FromPath, FromQuery

from domain.events import Stream
from projections.explaining import LicenseExplained
from projections.queries import LastLicense, LicenseView
from service.api.paging import Cursor, Limit, Page, page, read_cursor
from service.api.parameters import Instant, past_of
from service.api.past import page_of_past
from service.explaining import explain_one
from service.lookup import Reader, find_license, find_then
from service.picking import pick_licenses
from service.problems import api_problems
from service.showing import show_licenses

_NOT_DUE = "What was left to do then is not known: leave out due, as_of and known_at, or the first of them."


class Licenses(Controller):
    path = "/licenses"
    tags = ("licenses",)

    @get("/", responses=api_problems(404, 422))
    async def list_licenses(
        self,
        reader: NamedDependency[Reader],
        stream: FromQuery[str | None] = None,
        target: FromQuery[str | None] = None,
        enabled: FromQuery[bool | None] = None,
        due: FromQuery[bool | None] = None,
        as_of: Instant = None,
        known_at: Instant = None,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Page[LicenseView]:
        """Lists licenses by id and target; `due` leaves only those that the target does not hold as desired yet.

        With `as_of` or `known_at`, how they stood: by partition and stream. Their pages end where one stream ends, and
        after so many events: they may hold a few more than `limit`, or none, and go on while there is a `next`.
        """
        past = past_of(as_of, known_at)
        if not past.is_present:
            if due is not None:
                raise ValidationException(_NOT_DUE, extra=[{"key": "due", "message": _NOT_DUE}])
            if stream:
                then = await find_then(reader, Stream(stream), past)
                return Page([*pick_licenses(then, target=target, enabled=enabled)], None)
            return await page_of_past(
                reader, past, partial(pick_licenses, target=target, enabled=enabled), cursor, limit
            )
        rows = await reader.queries.licenses(
            stream=Stream(stream) if stream else None,
            target=target,
            enabled=enabled,
            due=due,
            after=read_cursor(cursor, LastLicense),
            limit=limit + 1,
        )
        return page(rows, limit, lambda row: LastLicense(row.id, row.target))

    @get("/{identifier:str}", responses=api_problems(404, 409, 422))
    async def show_license(
        self,
        reader: NamedDependency[Reader],
        identifier: FromPath[str],
        target: FromQuery[str | None] = None,
        as_of: Instant = None,
        known_at: Instant = None,
    ) -> LicenseView:
        """Shows one license, as it is or as it stood; every desired field says why it is so.

        One of several targets needs `target`.
        """
        past = past_of(as_of, known_at)
        [stood] = await show_licenses(reader, [await find_license(reader, identifier, target)], past)
        return stood

    @get("/{identifier:str}/explain", responses=api_problems(404, 422))
    async def explain_license(
        self, reader: NamedDependency[Reader], identifier: FromPath[str], field: FromQuery[str | None] = None
    ) -> list[LicenseExplained]:
        """Says at each target why every field, or the one named, is as it is, and what would change it."""
        return await explain_one(reader, identifier, field=field)
