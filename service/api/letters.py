"""Dead letters: licenses that a license server refused for good, until somebody mends the cause and asks again."""

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from projections.queries import LastLicense, LicenseView
from service.api.paging import Cursor, Limit, Page, page, read_cursor
from service.api.parameters import Author, Reason
from service.attention import Retried, retry_refused
from service.auth import OPERATOR_ONLY
from service.lookup import Reader
from service.problems import api_problems


class Retry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who asks for another attempt, and why; kept in the history."""

    author: Author
    reason: Reason


class DeadLetters(Controller):
    path = "/dead-letters"
    tags = ("dead letters",)

    @get("/", responses=api_problems())
    async def list_dead_letters(
        self,
        reader: NamedDependency[Reader],
        target: FromQuery[str | None] = None,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Page[LicenseView]:
        """Lists refused licenses by id and target, each with the license server's answer."""
        after = read_cursor(cursor, LastLicense)
        rows = await reader.queries.licenses(refused=True, target=target, after=after, limit=limit + 1)
        return page(rows, limit, lambda row: LastLicense(row.id, row.target))

    @post("/{identifier:str}/retry", status_code=202, opt=OPERATOR_ONLY, responses=api_problems(404, 409))
    async def retry_dead_letter(
        self, reader: NamedDependency[Reader], identifier: FromPath[str], data: JSONBody[Retry]
    ) -> Retried:
        """Has a refused license pushed again, or all that was refused of a subscription."""
        return await retry_refused(reader, identifier, data.author, data.reason)
