"""How requests to wallee's API prove who asks: a token for each, over its method, path and second.

As its own SDK 6.4.0 makes them (`wallee/api_client.py`): a JSON Web Token signed with HS256, whose key is the decoded
authentication key of an application user. `requestPath` is the path with its query exactly as it is sent.
"""

import time
from base64 import b64decode
from collections.abc import Callable, Mapping

import jwt
from yarl import URL


class WalleeAuth:
    """Signs each request as the application user of `key`, which is `USER_ID:AUTHENTICATION_KEY`.

    `clock` is the time in seconds since 1970. Raises ValueError for a key that is not of this form.
    """

    def __init__(self, key: str, clock: Callable[[], float] = time.time) -> None:
        user, _, text = key.partition(":")
        try:
            secret = b64decode(text, validate=True)
        except ValueError:
            secret = b""
        if not (user.isascii() and user.isdigit() and secret):
            raise ValueError(
                "wallee's API key is USER_ID:AUTHENTICATION_KEY, the id of an application user and the base64 that was "
                "shown when it was made: check the source's API key"
            )
        self._user = int(user)
        self._secret = secret
        self._clock = clock

    def headers(self, url: URL) -> Mapping[str, str]:
        """What a GET of that URL bears."""
        return {"Authorization": f"Bearer {self.token('GET', url.raw_path_qs)}"}

    def token(self, method: str, path: str) -> str:
        """The token for one request, made now; `path` with its query."""
        claims = {"sub": self._user, "iat": int(self._clock()), "requestPath": path, "requestMethod": method.upper()}
        return jwt.encode(claims, self._secret, algorithm="HS256", headers={"ver": 1})
