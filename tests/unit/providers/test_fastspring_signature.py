"""Signatures made here by hand, and those of the shared fixtures where they are at hand."""

import json
from base64 import b64encode
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from service.secrets import Secret
from service.sources import NotAuthentic, Reply
from service.sources.fastspring import RECEIVING
from service.sources.table import RECEIVING as BY_NAME

FIXTURES = Path(__file__).parents[4] / "shared" / "fixtures" / "fastspring"
VECTORS = FIXTURES / "signature_vectors.json"

BODY = '{"events":[],"name":"Zoë"}\n'.encode()
NOW = datetime(2026, 2, 1, tzinfo=UTC)


def sign(secret: str, body: bytes = BODY) -> str:
    """As RFC 2104 writes it, without the library that is tested."""
    block = secret.encode().ljust(64, b"\0")
    inner = sha256(bytes(byte ^ 0x36 for byte in block) + body)
    return b64encode(sha256(bytes(byte ^ 0x5C for byte in block) + inner.digest()).digest()).decode()


def verify(header: str | None, *secrets: str, body: bytes = BODY) -> None:
    headers = {} if header is None else {"x-fs-signature": header}
    RECEIVING.verify(headers, body, [Secret(secret) for secret in secrets or ("first",)], NOW)


def refused(header: str | None, *secrets: str, body: bytes = BODY) -> str:
    with pytest.raises(NotAuthentic) as caught:
        verify(header, *secrets, body=body)
    return caught.value.reason


class TestAuthentic:
    def test_a_signature_made_with_the_secret(self) -> None:
        verify(sign("first"))

    @pytest.mark.parametrize("live", [("first", "second"), ("second", "first")])
    def test_one_of_several_live_secrets(self, live: tuple[str, str]) -> None:
        verify(sign("first"), *live)

    def test_a_secret_that_is_not_ascii(self) -> None:
        verify(sign("s3cr3t-ü"), "s3cr3t-ü")

    @pytest.mark.parametrize("body", [b"", b"\xff\x00"])
    def test_a_body_that_is_not_text(self, body: bytes) -> None:
        verify(sign("first", body), body=body)

    def test_again_after_years(self) -> None:
        RECEIVING.recheck({"x-fs-signature": sign("first")}, BODY, [Secret("first")])


class TestNotAuthentic:
    def test_when_the_secret_is_another(self) -> None:
        assert "does not fit" in refused(sign("first"), "second", "third")

    def test_when_one_byte_of_the_body_differs(self) -> None:
        assert "does not fit" in refused(sign("first"), body=BODY.rstrip(b"\n"))

    @pytest.mark.parametrize("header", [None, ""])
    def test_without_the_header(self, header: str | None) -> None:
        assert "missing" in refused(header)

    @pytest.mark.parametrize(
        "header",
        [
            "x",
            "é" * 44,
            sign("first")[:-1],
            sign("first") + "=",
            " " + sign("first"),
            sign("first") + "\n",
            sign("first")[:20] + "\n" + sign("first")[20:],
            f"{sign('first')},{sign('first')}",
            b64encode(b"\xff" * 31).decode(),
            b64encode(b"\xff" * 33).decode(),
            b64encode(b"\xff" * 32).decode().replace("/", "_"),
            b64encode(b"\xff" * 32).decode().replace("8=", "9="),
            sha256(BODY).hexdigest(),
            "A" * 100_000,
        ],
        ids=lambda header: repr(header[-12:]),
    )
    def test_with_a_header_that_is_no_signature(self, header: str) -> None:
        assert "not the base64" in refused(header)

    def test_when_no_secret_is_set(self) -> None:
        with pytest.raises(NotAuthentic, match="no signing secret"):
            RECEIVING.verify({"x-fs-signature": sign("")}, BODY, [], NOW)

    def test_when_the_only_secret_is_empty(self) -> None:
        assert "no signing secret" in refused(sign(""), "")

    def test_when_no_secret_is_set_and_nothing_was_signed(self) -> None:
        with pytest.raises(NotAuthentic, match="no signing secret"):
            RECEIVING.verify({}, BODY, [], NOW)

    def test_again_when_the_stored_body_was_changed(self) -> None:
        with pytest.raises(NotAuthentic):
            RECEIVING.recheck({"x-fs-signature": sign("first")}, BODY + b" ", [Secret("first")])

    def test_the_reason_holds_no_secret_and_nothing_of_the_delivery(self) -> None:
        reason = refused(sign("first"), "very_secret")
        assert not any(part in reason for part in ("very_secret", sign("first")[:6], "events"))


def test_what_is_kept_is_enough_to_check_again() -> None:
    headers = {"x-fs-signature": sign("first"), "user-agent": "FS", "host": "x"}
    kept = {name: value for name, value in headers.items() if name in RECEIVING.kept_headers}
    RECEIVING.recheck(kept, BODY, [Secret("first")])
    assert set(kept) == {"x-fs-signature"}


def test_all_taken_is_200() -> None:
    assert RECEIVING.reply(["a", "b"]) == Reply(status=200, body=b"{}", content_type="application/json")


def test_some_taken_is_202_with_their_ids_one_a_line() -> None:
    assert RECEIVING.partial_reply is not None
    reply = RECEIVING.partial_reply(["a", "b"])
    assert (reply.status, reply.body, reply.content_type) == (202, b"a\nb", "text/plain; charset=utf-8")


def test_fastspring_is_in_the_table() -> None:
    assert BY_NAME["fastspring"] is RECEIVING


@pytest.mark.skipif(not VECTORS.exists(), reason="the shared fixtures are not here")
def test_the_shared_vectors() -> None:
    vectors: list[dict[str, Any]] = json.loads(VECTORS.read_text())
    assert vectors
    for vector in vectors:
        body = vector["body_utf8"].encode() if "body_utf8" in vector else (FIXTURES / vector["file"]).read_bytes()
        verify(vector["x_fs_signature"], vector["secret"], body=body)
        assert refused(vector["x_fs_signature"], vector["secret"], body=body + b" ")
