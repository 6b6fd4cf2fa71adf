"""One request to LicenseSpring and its answer: bounded in time and size, and every failure told apart.

Nothing is tried twice here; when to try again is the pusher's decision.
"""

from collections.abc import Mapping

import msgspec

from projections.http import Headers, Http
from projections.targets.licensespring.refusals import failure, spoken
from projections.targets.transport import Method, exchanged, redacted, unclear


class Exchange:
    """Sends requests with the account's key and gives the JSON of the answers, None for an empty one.

    Raises TargetError, see `projections.targets.errors`.
    """

    def __init__(self, http: Http, key: str, *, deadline: float) -> None:
        if not (key and key.isascii() and key.isprintable() and " " not in key):
            raise ValueError("a LicenseSpring management key is printable ASCII without spaces: check the settings")
        self._http = http
        self._deadline = deadline
        self._key = key

    async def get(self, call: str, path: str, params: Mapping[str, str] | None = None) -> object:
        """The JSON of an answer to a GET."""
        return await self._json(call, "GET", path, params=params)

    async def post(self, call: str, path: str, body: object = None) -> object:
        """The JSON of an answer to a POST."""
        return await self._json(call, "POST", path, body=body)

    async def patch(self, call: str, path: str, body: object) -> object:
        """The JSON of an answer to a PATCH."""
        return await self._json(call, "PATCH", path, body=body)

    async def delete(self, call: str, path: str) -> None:
        """Deletes what is at the path; raises NotFound when it is gone already."""
        await self._json(call, "DELETE", path)

    async def _json(
        self,
        call: str,
        method: Method,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: object = None,
    ) -> object:
        content = None if body is None else msgspec.json.encode(body)
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
        status, wrote = answer.status, method != "GET"
        if not 200 <= status < 300:
            raise failure(call, status, answer.body, wrote=wrote, key=self._key, retry_after=answer.retry_after)
        if answer.trouble:
            raise unclear(call, wrote=wrote, status=status, text=answer.trouble)
        if not answer.body.strip():
            return None
        try:
            return msgspec.json.decode(answer.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            text = f"not JSON: {spoken(answer.body, self._key)}"
            raise unclear(call, wrote=wrote, status=status, text=text) from None

    def _headers(self) -> Headers:
        return Headers(
            {
                "Authorization": f"Api-Key {self._key}",
                "Accept": "application/json",
                "Accept-Encoding": "identity",
                "Content-Type": "application/json",
            }
        )

    def _words(self, text: str) -> str:
        return redacted(text, self._key)
