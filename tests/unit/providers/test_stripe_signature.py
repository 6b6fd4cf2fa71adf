"""Signatures made here by hand, and those of the shared fixtures where they are at hand."""

import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from service.secrets import Secret
from service.sources import NotAuthentic, Reply
from service.sources.stripe import RECEIVING
from service.sources.table import RECEIVING as BY_NAME

FIXTURES = Path(__file__).parents[4] / "shared" / "fixtures" / "stripe"
VECTORS = FIXTURES / "signature_vectors.json"

BODY = '{"id":"evt_1","name":"Zoë"}\n'.encode()
SENT = 1_769_904_010
NOW = datetime.fromtimestamp(SENT, UTC)


def hmac_sha256(key: bytes, text: bytes) -> str:
    """As RFC 2104 writes it, without the library that is tested."""
    block = key.ljust(64, b"\0")
    inner = sha256(bytes(byte ^ 0x36 for byte in block) + text)
    return sha256(bytes(byte ^ 0x5C for byte in block) + inner.digest()).hexdigest()


def sign(secret: str, body: bytes = BODY, sent: int = SENT) -> str:
    return hmac_sha256(secret.encode(), str(sent).encode() + b"." + body)


def verify(header: str | None, *secrets: str, body: bytes = BODY, now: datetime = NOW) -> None:
    headers = {} if header is None else {"stripe-signature": header}
    RECEIVING.verify(headers, body, [Secret(secret) for secret in secrets or ("whsec_a",)], now)


def refused(header: str | None, *secrets: str, body: bytes = BODY, now: datetime = NOW) -> str:
    with pytest.raises(NotAuthentic) as caught:
        verify(header, *secrets, body=body, now=now)
    return caught.value.reason


class TestAuthentic:
    def test_a_signature_made_with_the_secret(self) -> None:
        verify(f"t={SENT},v1={sign('whsec_a')}")

    def test_one_of_several_signatures(self) -> None:
        verify(f"t={SENT},v1={sign('whsec_new')},v1={sign('whsec_a')},v0={'0' * 64}")

    @pytest.mark.parametrize("live", [("whsec_a", "whsec_b"), ("whsec_b", "whsec_a")])
    def test_one_of_several_live_secrets(self, live: tuple[str, str]) -> None:
        verify(f"t={SENT},v1={sign('whsec_a')}", *live)

    @pytest.mark.parametrize("seconds", [0, 1, 300])
    def test_up_to_300_seconds_old(self, seconds: int) -> None:
        verify(f"t={SENT},v1={sign('whsec_a')}", now=NOW + timedelta(seconds=seconds))

    def test_from_a_clock_that_runs_ahead(self) -> None:
        verify(f"t={SENT},v1={sign('whsec_a')}", now=NOW - timedelta(days=1))

    def test_the_first_time_counts(self) -> None:
        verify(f"t={SENT},t=1,v1={sign('whsec_a')}")

    @pytest.mark.parametrize("odd", ["", "v1", "=", "x=y=z", "v1=é", "v1="])
    def test_beside_odd_parts(self, odd: str) -> None:
        verify(f"{odd},t={SENT},v1={sign('whsec_a')},{odd}")

    def test_a_body_that_is_not_text(self) -> None:
        body = b"\xff\x00"
        verify(f"t={SENT},v1={sign('whsec_a', body)}", body=body)

    def test_again_after_years(self) -> None:
        headers = {"stripe-signature": f"t={SENT},v1={sign('whsec_a')}"}
        RECEIVING.recheck(headers, BODY, [Secret("whsec_a")])


class TestNotAuthentic:
    @pytest.mark.parametrize("seconds", [300.001, 301, 86_400])
    def test_when_older_than_300_seconds(self, seconds: float) -> None:
        reason = refused(f"t={SENT},v1={sign('whsec_a')}", now=NOW + timedelta(seconds=seconds))
        assert "older than 300 s" in reason

    def test_when_only_a_test_signature_fits(self) -> None:
        assert "no v1 signature" in refused(f"t={SENT},v0={sign('whsec_a')}")
        assert "fits" in refused(f"t={SENT},v0={sign('whsec_a')},v1={'0' * 64}")

    def test_when_the_secret_is_another(self) -> None:
        assert "fits" in refused(f"t={SENT},v1={sign('whsec_a')}", "whsec_b", "whsec_c")

    def test_when_one_byte_of_the_body_differs(self) -> None:
        assert "fits" in refused(f"t={SENT},v1={sign('whsec_a')}", body=BODY.rstrip(b"\n"))

    def test_when_the_time_is_not_the_signed_one(self) -> None:
        assert "fits" in refused(f"t={SENT + 1},v1={sign('whsec_a')}")

    @pytest.mark.parametrize("header", [None, ""])
    def test_without_the_header(self, header: str | None) -> None:
        assert "missing" in refused(header)

    @pytest.mark.parametrize(
        "time", ["", "t", "t=", "t=abc", "t=-1", "t=+1", "t=1_0", "t=\u0661", "t= 1", f" t={SENT}", "t=" + "9" * 16]
    )
    def test_without_a_time(self, time: str) -> None:
        assert "no time" in refused(f"{time},v1={sign('whsec_a')}")

    @pytest.mark.parametrize("signature", ["", "v1", "v2=", " v1="])
    def test_without_a_signature(self, signature: str) -> None:
        assert "no v1 signature" in refused(f"t={SENT},{signature}")

    @pytest.mark.parametrize(
        "signature", ["v1=", "v1=é", f"v1={sign('whsec_a').upper()}", f"v1={sign('whsec_a')[:-1]}"]
    )
    def test_with_a_signature_that_is_nearly_right(self, signature: str) -> None:  # fmt: skip
        assert "fits" in refused(f"t={SENT},{signature}")

    def test_with_a_header_that_is_too_long(self) -> None:
        assert "longer than" in refused(f"t={SENT},v1={sign('whsec_a')}" + ",v1=00" * 1000)

    def test_when_no_secret_is_set(self) -> None:
        with pytest.raises(NotAuthentic, match="no signing secret"):
            RECEIVING.verify({"stripe-signature": f"t={SENT},v1={sign('')}"}, BODY, [], NOW)

    def test_when_the_only_secret_is_empty(self) -> None:
        assert "no signing secret" in refused(f"t={SENT},v1={sign('')}", "")

    def test_again_when_the_stored_body_was_changed(self) -> None:
        headers = {"stripe-signature": f"t={SENT},v1={sign('whsec_a')}"}
        with pytest.raises(NotAuthentic):
            RECEIVING.recheck(headers, BODY + b" ", [Secret("whsec_a")])

    def test_the_reason_holds_no_secret_and_nothing_of_the_delivery(self) -> None:
        reason = refused(f"t={SENT},v1=abcdef", "whsec_very_secret")
        assert not any(part in reason for part in ("whsec", "abcdef", str(SENT), "evt_1"))


def test_the_tests_own_hmac_meets_a_published_vector() -> None:
    """RFC 4231, test case 2."""
    made = hmac_sha256(b"Jefe", b"what do ya want for nothing?")
    assert made == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"


def test_what_is_kept_is_enough_to_check_again() -> None:
    headers = {"stripe-signature": f"t={SENT},v1={sign('whsec_a')}", "user-agent": "Stripe/1.0", "host": "x"}
    kept = {name: value for name, value in headers.items() if name in RECEIVING.kept_headers}
    RECEIVING.recheck(kept, BODY, [Secret("whsec_a")])
    assert set(kept) == {"stripe-signature"}


def test_the_answer_is_an_empty_object() -> None:
    assert RECEIVING.reply(["evt_1"]) == Reply(status=200, body=b"{}", content_type="application/json")


def test_stripe_is_in_the_table() -> None:
    assert BY_NAME["stripe"] is RECEIVING


@pytest.mark.skipif(not VECTORS.exists(), reason="the shared fixtures are not here")
def test_the_shared_vectors() -> None:
    vectors: list[dict[str, Any]] = json.loads(VECTORS.read_text())
    outcomes = {vector["case"]: _accepted(vector) for vector in vectors}
    assert outcomes == {vector["case"]: vector["ok"] for vector in vectors}


def _accepted(vector: dict[str, Any]) -> bool:
    headers = {"stripe-signature": vector["header"]} if vector["header"] else {}
    now = datetime.fromtimestamp(vector["now"], UTC)
    try:
        RECEIVING.verify(headers, (FIXTURES / vector["file"]).read_bytes(), [Secret(vector["secret"])], now)
    except NotAuthentic:
        return False
    return True
