"""Operators' acts: what is decided by hand about licenses, each recorded with author and reason."""

from datetime import datetime
from typing import Annotated

import msgspec
from litestar import Controller, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from service import acting
from service.acting import Acted, Said
from service.api.parameters import ONE_STREAM, Author, Reason, aware, name_of
from service.auth import OPERATOR_ONLY
from service.lookup import Reader
from service.problems import api_problems

Key = Annotated[
    str,
    msgspec.Meta(max_length=200, description="Makes one act of a request that is sent again; empty: each is another."),
]
Value = str | int | bool | tuple[str, ...]


class Act(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who decides, and why. `dry_run` only says what it would change."""

    author: Author
    reason: Reason
    key: Key = ""
    dry_run: bool = False


class Lasting(Act, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An act that may end by itself: `expires` is an instant with its offset; without it, it counts until undone."""

    expires: datetime | None = None


class Extend(Act, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Until an instant with its offset, or by a number and one of d, w, m, y; one of both."""

    until: datetime | None = None
    by: Annotated[str, msgspec.Meta(pattern=r"^([1-9][0-9]{0,4}[dwmy])?$")] = ""


class SetField(Lasting, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A field of the license, and its value: `custom_fields.NAME` for one custom field, a list for `features`."""

    field: Annotated[str, msgspec.Meta(min_length=1, max_length=150)]
    value: Value


class Merge(Lasting, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The subscription whose licenses are kept, by its whole name or the provider's id."""

    into: Annotated[str, msgspec.Meta(min_length=1, max_length=400)]


_ANSWERS = api_problems(404, 409, 422)


class Acts(Controller):
    tags = ("acts",)
    opt = OPERATOR_ONLY

    @post("/licenses/{identifier:str}/disable", status_code=202, responses=_ANSWERS)
    async def disable_license(
        self, reader: NamedDependency[Reader], identifier: FromPath[str], data: JSONBody[Lasting]
    ) -> Acted:
        """Has a license stop working, whatever is paid."""
        return await acting.disable(reader, identifier, _said(data, data.expires))

    @post("/licenses/{identifier:str}/enable", status_code=202, responses=_ANSWERS)
    async def enable_license(
        self, reader: NamedDependency[Reader], identifier: FromPath[str], data: JSONBody[Lasting]
    ) -> Acted:
        """Has a license work, whatever the provider says, as long as it is sold."""
        return await acting.enable(reader, identifier, _said(data, data.expires))

    @post("/licenses/{identifier:str}/extend", status_code=202, responses=_ANSWERS)
    async def extend_license(
        self, reader: NamedDependency[Reader], identifier: FromPath[str], data: JSONBody[Extend]
    ) -> Acted:
        """Has a license work until a later instant; what is paid is never shortened."""
        until = aware("until", data.until)
        return await acting.extend(reader, identifier, _said(data), until=until, by=data.by)

    @post("/licenses/{identifier:str}/set", status_code=202, responses=_ANSWERS)
    async def set_license_field(
        self, reader: NamedDependency[Reader], identifier: FromPath[str], data: JSONBody[SetField]
    ) -> Acted:
        """Gives a field of a license a value, whatever the store's catalog says."""
        return await acting.set_field(reader, identifier, data.field, data.value, _said(data, data.expires))

    @post([f"/subscriptions{path}/merge" for path in ONE_STREAM], status_code=202, responses=_ANSWERS)
    async def merge_subscription(
        self,
        reader: NamedDependency[Reader],
        identifier: FromPath[str],
        data: JSONBody[Merge],
        source: FromPath[str | None] = None,
        kind: FromPath[str | None] = None,
    ) -> Acted:
        """Has the licenses of a duplicate disabled, since those of another subscription stand for them."""
        name = name_of(source, kind, identifier)
        return await acting.merge(reader, name, data.into, _said(data, data.expires))

    @post("/acts/{act:str}/undo", status_code=202, responses=_ANSWERS)
    async def undo_act(self, reader: NamedDependency[Reader], act: FromPath[str], data: JSONBody[Act]) -> Acted:
        """Has an act count no more. That is an act, too, and can be undone."""
        return await acting.undo(reader, act, _said(data))


def _said(data: Act, expires: datetime | None = None) -> Said:
    return Said(
        author=data.author,
        reason=data.reason,
        expires=aware("expires", expires),
        key=data.key,
        dry_run=data.dry_run,
    )
