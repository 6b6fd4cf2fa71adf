"""The client of NetLicensing's REST API: one request per call, each after a turn of the account's pace.

Facts: restful-api of NetLicensing's wiki. Creating and changing are POSTs of forms, told apart by whether the path
names a number; a 200 may carry an ERROR. Every call raises a TargetError that says what can be done next; none is tried
twice.
"""

from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from urllib.parse import quote, urlencode

from projections.http import Headers, Http
from projections.http.client import open_http
from projections.targets import Turn
from projections.targets.errors import NotFound, no_api
from projections.targets.netlicensing.envelope import Envelope, Item, envelope_in
from projections.targets.netlicensing.refusals import failure
from projections.targets.transport import Method, exchanged, redacted, unclear

LICENSEE, LICENSE = "Licensee", "License"
"""Kinds of items, whose paths are the same in lower-case letters."""

NO_CONTENT = 204
MOST_PAGES = 50
PAGE = 1000
LONGEST_NUMBER = 1000


class NetLicensing:
    """One NetLicensing account. Safe to share between tasks."""

    def __init__(self, http: Http, key: str, turn: Turn, *, deadline: float = 30.0) -> None:
        if not (key and key.isascii() and key.isprintable() and " " not in key):
            raise ValueError("a NetLicensing API key is printable ASCII without spaces: check the settings")
        self._http = http
        self._turn = turn
        self._deadline = deadline
        self._key = key

    async def find(self, kind: str, number: str) -> Item | None:
        """The entity of that kind and number; None when NetLicensing itself says that there is none."""
        call = f"find {kind.lower()}"
        try:
            envelope = await self._sent(call, "GET", _path(kind, number))
        except NotFound:
            return None
        items = envelope.of(kind)
        if not items or items[0]["number"].casefold() != number.casefold():
            raise unclear(call, wrote=False, status=200, text="the answer is about something else than was asked for")
        return items[0]

    async def create(self, kind: str, fields: Mapping[str, str]) -> Item:
        """Creates the entity, whose number is among the fields; raises Refused also where that is taken."""
        return await self._written(f"create {kind.lower()}", kind, kind.lower(), fields, fields["number"])

    async def change(self, kind: str, number: str, fields: Mapping[str, str]) -> Item:
        """Sets these properties, and leaves all others; harmless to repeat."""
        return await self._written(f"change {kind.lower()}", kind, _path(kind, number), fields, number)

    async def all_of(self, kind: str, page: int = 0) -> Envelope:
        """One page of all entities of that kind, from 0."""
        call, params = f"list {kind.lower()}s", {"filter": f"page={page};items={PAGE}"}
        try:
            return await self._sent(call, "GET", kind.lower(), params=params)
        except NotFound as missing:
            # An empty list is one, too: nothing is wrong with the license that it is read for.
            raise no_api(call, missing, "NetLicensing") from missing

    async def _written(self, call: str, kind: str, path: str, fields: Mapping[str, str], number: str) -> Item:
        envelope = await self._sent(call, "POST", path, fields=fields)
        items = envelope.of(kind)
        if not items or items[0]["number"].casefold() != number.casefold():
            raise unclear(call, wrote=True, status=200, text="the answer does not describe what was sent")
        return items[0]

    async def _sent(
        self,
        call: str,
        method: Method,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        fields: Mapping[str, str] | None = None,
    ) -> Envelope:
        content = None if fields is None else urlencode(fields).encode()
        await self._turn()
        answer = await exchanged(
            self._http,
            call,
            method,
            path,
            headers=self._headers(),
            deadline=self._deadline,
            words=self._words,
            params=params,
            content=content,
        )
        wrote = method != "GET"
        error = failure(call, answer, wrote=wrote, words=self._words, sent=(fields or {}).values())
        if error is not None:
            raise error
        if answer.trouble:
            raise unclear(call, wrote=wrote, status=answer.status, text=answer.trouble)
        envelope = envelope_in(answer.body)
        # Nothing to tell is a 204 or an envelope without items; a success without a word is none of its own.
        blank = not wrote and answer.status != NO_CONTENT and not answer.body.strip()
        if envelope is None or blank:
            text = "the answer is not NetLicensing's JSON: check the target's url"
            raise unclear(call, wrote=wrote, status=answer.status, text=text)
        return envelope

    def _headers(self) -> Headers:
        return Headers(
            {
                "Authorization": f"Basic {b64encode(f'apiKey:{self._key}'.encode()).decode()}",
                "Accept": "application/json",
                "Accept-Encoding": "identity",
                "Content-Type": "application/x-www-form-urlencoded",
            }
        )

    def _words(self, text: str) -> str:
        return redacted(text, self._key)


@asynccontextmanager
async def open_netlicensing(
    url: str, key: str, turn: Turn, *, timeout: float = 10.0, deadline: float = 30.0, connections: int = 64
) -> AsyncIterator[NetLicensing]:
    """A client for the API at `url` (`https://go.netlicensing.io/core/v2/rest/`), closed at the end of the block.

    `turn` is awaited before each request. `timeout` bounds each wait for the network and `deadline` a whole request,
    both in seconds.
    """
    async with open_http(url, timeout=timeout, connections=connections) as http:
        yield NetLicensing(http, key, turn, deadline=deadline)


def _path(kind: str, number: str) -> str:
    if not 1 <= len(number) <= LONGEST_NUMBER:
        raise ValueError(f"a number has 1 to {LONGEST_NUMBER} characters")
    # A number of dots alone would be taken for a folder.
    name = "".join("%2E" for _ in number) if set(number) == {"."} else quote(number, safe="")
    return f"{kind.lower()}/{name}"
