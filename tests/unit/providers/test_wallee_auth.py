"""Each request to wallee's API carries a token of its own, over its method, its path with query, and the second."""

from base64 import b64decode
from pathlib import Path

import msgspec
import pytest
from yarl import URL

from service.sources.wallee_auth import WalleeAuth
from tests.wallee_platform import API_KEY, AUTHENTICATION_KEY, USER, token_of

VECTOR = Path(__file__).parents[4] / "shared" / "fixtures" / "wallee" / "api_auth_derived.json"
AT = 1_767_225_600


def test_a_token_is_what_the_standard_makes_of_its_claims() -> None:
    path = "/api/v2.0/subscriptions/7?expand=subscriber"
    claims = {"sub": int(USER), "iat": AT, "requestPath": path, "requestMethod": "GET"}
    token = WalleeAuth(API_KEY, clock=lambda: AT + 0.9).token("get", path)
    assert token == token_of(claims, b64decode(AUTHENTICATION_KEY))


def test_a_request_is_signed_with_its_path_exactly_as_it_is_sent() -> None:
    auth = WalleeAuth(API_KEY, clock=lambda: AT)
    sent = "/api/v2.0/x/search?query=subscription.id%3A7&order=id%3ADESC&expand=a+b&expand=c"
    url = URL(f"https://app-wallee.com{sent}", encoded=True)
    assert auth.headers(url) == {"Authorization": f"Bearer {auth.token('GET', sent)}"}


@pytest.mark.parametrize(
    "key",
    ["", ":", USER, f"{USER}:", f":{AUTHENTICATION_KEY}", f"me:{AUTHENTICATION_KEY}", f"{USER}:not base64", "²:QUFB"],
)
def test_a_key_of_another_form_is_refused_without_showing_it(key: str) -> None:
    with pytest.raises(ValueError, match="USER_ID:AUTHENTICATION_KEY") as caught:
        WalleeAuth(key)
    assert len(key) < 5 or key not in str(caught.value)


@pytest.mark.skipif(not VECTOR.exists(), reason="the shared fixtures are not here")
def test_the_token_of_wallees_own_routine_is_the_same() -> None:
    vector = msgspec.json.decode(VECTOR.read_bytes())["jwt_v2"]
    auth = WalleeAuth(f"{vector['user_id']}:{vector['authentication_key_b64']}", clock=lambda: vector["now"])
    assert f"Bearer {auth.token(vector['method'], vector['request_path'])}" == vector["authorization"]
