"""A delivery of wallee is authentic when the public key that it names fits the signature over its exact bytes."""

from base64 import b64decode, b64encode
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from service.secrets import Secret
from service.sources import PUBLIC_KEY, NotAuthentic, Reply
from service.sources.table import RECEIVING as BY_NAME
from service.sources.wallee import RECEIVING, account_of, key_id, public_key
from tests.wallee_platform import KEY_ID, Signer, webhook

NOW = datetime(2026, 2, 2, tzinfo=UTC)
BODY = webhook()
FIXTURES = Path(__file__).parents[4] / "shared" / "fixtures" / "wallee"

SIGNER = Signer()


def header(
    *, algorithm: str = "SHA256withECDSA", named: str = KEY_ID, signature: str | None = None, body: bytes = BODY
) -> dict[str, str]:
    signature = SIGNER.sign(body) if signature is None else signature
    return {"x-signature": f"algorithm={algorithm}, keyId={named}, signature={signature}"}


def verify(headers: dict[str, str], body: bytes = BODY, *keys: str) -> None:
    RECEIVING.verify(headers, body, [Secret(key) for key in keys or (SIGNER.public,)], NOW)


def refusal(headers: dict[str, str], body: bytes = BODY, *keys: str) -> str:
    with pytest.raises(NotAuthentic) as caught:
        verify(headers, body, *keys)
    return caught.value.reason


def test_what_the_private_key_signed_is_authentic() -> None:
    verify(header())


def test_any_of_several_public_keys_may_fit() -> None:
    verify(header(), BODY, Signer().public, SIGNER.public)


@pytest.mark.parametrize("body", [BODY + b"\n", BODY.replace(b"ACTIVE", b"FAILED"), b"", BODY.replace(b",", b", ")])
def test_another_body_is_not_authentic(body: bytes) -> None:
    assert "does not fit" in refusal(header(), body)


def test_another_key_does_not_fit() -> None:
    assert "does not fit" in refusal(header(), BODY, Signer().public)


def test_without_a_public_key_nothing_is_authentic() -> None:
    with pytest.raises(NotAuthentic):
        RECEIVING.verify(header(), BODY, [], NOW)


def test_no_header_is_refused_whatever_keys_there_are() -> None:
    assert "is missing" in refusal({})
    assert "is missing" in refusal({"x-signature": ""})


@pytest.mark.parametrize("algorithm", ["SHA512withECDSA", "none", "SHA256withRSA", "HmacSHA256", "sha256withecdsa"])
def test_another_algorithm_is_refused(algorithm: str) -> None:
    assert "another algorithm" in refusal(header(algorithm=algorithm))


GOOD = header()["x-signature"]


@pytest.mark.parametrize(
    "text",
    [
        GOOD.replace(", ", ","),
        GOOD.replace(", ", ",  "),
        GOOD.replace(", ", ",\t"),
        f" {GOOD}",
        f"{GOOD} ",
        f"{GOOD}\n",
        f"{GOOD},{GOOD}",
        f"{GOOD}, more=1",
        GOOD.partition(", ")[2],
        GOOD.replace("keyId", "keyid"),
        f"keyId={KEY_ID}, algorithm=SHA256withECDSA, signature={SIGNER.sign(BODY)}",
        "algorithm=SHA256withECDSA, keyId=a, signature=",
        "sha256=abcdef",
        "x" * 100_000,
    ],
)
def test_a_header_of_another_form_is_refused(text: str) -> None:
    assert "not of the form" in refusal({"x-signature": text})


@pytest.mark.parametrize("named", ["", "a" * 65, "A", "../users", "a/b", "a b", "ä", "a%2e", "a_b", "a.b"])
def test_an_id_that_could_be_more_than_an_id_is_refused_before_anything_is_asked(named: str) -> None:
    with pytest.raises(NotAuthentic):
        key_id(header(named=named))


@pytest.mark.parametrize("named", ["a", "a" * 64, KEY_ID, "0-"])
def test_the_id_of_the_public_key_is_read(named: str) -> None:
    assert key_id(header(named=named)) == named


def spare_bits_set(text: str) -> str:
    """Another text of the same bytes, which a lax decoder takes."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    at = len(text.rstrip("=")) - 1
    return f"{text[:at]}{alphabet[alphabet.index(text[at]) + 1]}{text[at + 1 :]}"


def padded() -> str:
    """A signature whose base64 ends with padding; its length differs by a byte or two from time to time."""
    while not (text := SIGNER.sign(BODY)).endswith("="):
        pass
    return text


def test_the_signature_is_strict_base64() -> None:
    text = padded()
    verify(header(signature=text))
    for wrong in (text.rstrip("="), text + "=", f"={text}", spare_bits_set(text), text[:-1] + "A=", "A"):
        with pytest.raises(NotAuthentic):
            verify(header(signature=wrong))
    assert b64decode(spare_bits_set(text)) == b64decode(text), "the same bytes, told in another way"


def test_a_signature_that_is_none_does_not_fit() -> None:
    for raw in (b"\0", b"\x30\x06\x02\x01\x00\x02\x01\x00", b"\x30\x06\x02\x01\x01\x02\x01\x01", b"0" * 64):
        assert "does not fit" in refusal(header(signature=b64encode(raw).decode()))


@pytest.mark.parametrize("curve", [ec.SECP384R1(), ec.SECP256K1()])
def test_a_public_key_on_another_curve_is_none(curve: ec.EllipticCurve) -> None:
    other = Signer(curve)
    with pytest.raises(ValueError, match="P-256"):
        public_key(other.public)
    assert "does not fit" in refusal(header(signature=other.sign(BODY)), BODY, other.public)


@pytest.mark.parametrize(
    "text", ["", "AAAA", "not base64!", "<html>", SIGNER.public + "AAAA", SIGNER.public[:-8], "A" * 9999]
)
def test_a_text_that_is_no_public_key_is_told_so(text: str) -> None:
    with pytest.raises(ValueError, match="public key"):
        public_key(text)


def test_the_space_is_read_as_the_account() -> None:
    assert account_of(webhook(space=405)) == "405"


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b'{"spaceId":"405"}', b'{"spaceId":null}', b'{"spaceId":true}', b"\xff"]
)
def test_a_body_that_names_no_space_is_of_nobody(body: bytes) -> None:
    with pytest.raises(NotAuthentic):
        account_of(body)


def test_a_stored_delivery_is_checked_again_with_the_key_kept_beside_it() -> None:
    kept = header() | {PUBLIC_KEY: SIGNER.public}
    RECEIVING.recheck(kept, BODY, [])
    for headers, body in ((kept, BODY + b" "), (header() | {PUBLIC_KEY: Signer().public}, BODY), (header(), BODY)):
        with pytest.raises(NotAuthentic):
            RECEIVING.recheck(headers, body, [])


def test_an_auditor_checks_a_stored_delivery_with_keys_of_his_own() -> None:
    forged = Signer()
    headers = forged.headers(BODY) | {PUBLIC_KEY: forged.public}
    RECEIVING.recheck(headers, BODY, [])
    with pytest.raises(NotAuthentic):
        RECEIVING.recheck(headers, BODY, [Secret(SIGNER.public)])


def test_a_key_that_a_sender_brings_along_is_not_kept() -> None:
    assert PUBLIC_KEY not in RECEIVING.kept_headers


def test_every_event_of_a_delivery_is_confirmed_at_once() -> None:
    assert RECEIVING.reply(["a"]) == Reply(status=200, body=b"{}", content_type="application/json")
    assert RECEIVING.partial_reply is None


def test_it_is_found_by_its_name() -> None:
    assert BY_NAME["wallee"] is RECEIVING


@pytest.mark.skipif(not FIXTURES.exists(), reason="the shared fixtures are not here")
def test_the_published_vector_holds() -> None:
    cases = msgspec.json.decode((FIXTURES / "signature_cases.json").read_bytes())
    assert {case["expect"] for case in cases} == {"valid", "signature_mismatch"}
    for case in cases:
        body = (FIXTURES / case["body_file"]).read_bytes() if "body_file" in case else case["body"].encode()
        headers = {"x-signature": case["x_signature"]}
        if case["expect"] == "valid":
            verify(headers, body, case["public_key_b64"])
            assert key_id(headers) == "ab3b774e-770e-4644-9b51-885d71f973e5"
            assert account_of(body) == "1"
        else:
            refusal(headers, body, case["public_key_b64"])
