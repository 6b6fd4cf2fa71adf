"""The bytes of wallee's webhooks: what they name, how they are signed, which of them are sent."""

import json
import re
from base64 import b64decode
from uuid import UUID

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from service.sandbox.wallee import LICENSING, LIFECYCLES, Listening, deliveries
from service.sandbox.wallee.delivery import ENTITIES
from tests.unit.sandbox.wallee_stories import FIXTURES, bodies, every_life, lived, with_fixtures

HEADER = re.compile(r"^algorithm=([a-zA-Z0-9]+),\skeyId=([a-z0-9\-]+),\s{1}signature=([a-zA-Z0-9+\/=]+)$")


def verify(public: str, signature: str, body: bytes) -> None:
    key = load_der_public_key(b64decode(public, validate=True))
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert isinstance(key.curve, ec.SECP256R1)
    key.verify(b64decode(signature, validate=True), body, ec.ECDSA(SHA256()))


@every_life
def test_every_delivery_is_signed_over_its_exact_bytes_by_the_key_it_names(name: str) -> None:
    space = LIFECYCLES[name].space()
    for each in deliveries(space):
        found = HEADER.match(each.headers["x-signature"])
        assert found is not None
        assert (found[1], found[2]) == ("SHA256withECDSA", space.signing.id)
        verify(space.signing.public, found[3], each.body)


def test_another_byte_or_another_key_does_not_verify() -> None:
    space, other = LIFECYCLES["renewed"].space(), LIFECYCLES["renewed"].space(seed="another")
    first = deliveries(space)[0]
    found = HEADER.match(first.headers["x-signature"])
    assert found is not None
    assert str(UUID(space.signing.id)) == space.signing.id != other.signing.id
    for public, body in ((space.signing.public, first.body + b"\n"), (other.signing.public, first.body)):
        with pytest.raises(InvalidSignature):
            verify(public, found[3], body)


@every_life
def test_the_same_seed_gives_the_same_bytes_and_signatures_and_another_seed_other_numbers(name: str) -> None:
    life = LIFECYCLES[name]
    assert life() == life()
    assert {it.event_id for it in life()}.isdisjoint(it.event_id for it in life(seed="x"))


def test_a_body_names_the_entity_and_nothing_more() -> None:
    space, subscription = lived("renewed")
    assert bodies(space)[0] == {
        "entityId": subscription,
        "eventId": space.happenings[0].id,
        "listenerEntityId": ENTITIES["subscription"][0],
        "listenerEntityTechnicalName": "Subscription",
        "spaceId": 405,
        "state": "PENDING",
        "timestamp": "2026-01-31T09:30:01+0000",
        "webhookListenerId": 104,
    }


@with_fixtures
def test_a_transaction_is_told_in_the_form_of_the_signed_sample() -> None:
    sample = (FIXTURES / "transaction_processing.body.json").read_bytes()
    space = LIFECYCLES["bought_once"].space()
    own = next(each.body for each in deliveries(space) if json.loads(each.body)["state"] == "PROCESSING")
    fields = json.loads(own)
    assert list(fields) == list(json.loads(sample))
    assert fields["listenerEntityId"] == json.loads(sample)["listenerEntityId"]
    assert json.dumps(fields, separators=(",", ":")).encode() == own


def test_without_the_setting_there_is_neither_a_state_nor_a_signature() -> None:
    space, _ = lived("renewed")
    each = deliveries(space, Listening(signed=False))[0]
    assert "state" not in json.loads(each.body)
    assert each.headers == {"content-type": "application/json"}


def test_a_listener_tells_its_states_and_changes_that_leave_a_state_as_it_is_only_when_asked_to() -> None:
    space, subscription = lived("more_seats")
    own = [it for it in deliveries(space, LICENSING) if it.entity == subscription]
    kept = Listening(states=LICENSING.states, every_change=False)
    assert [json.loads(it.body)["state"] for it in own] == ["ACTIVE", "ACTIVE", "ACTIVE", "ACTIVE"]
    assert len([it for it in deliveries(space, kept) if it.entity == subscription]) == 1
    assert {it.kind for it in deliveries(space, kinds=["charge"])} == {"charge"}


def test_every_listed_kind_of_entity_is_told_of() -> None:
    told = {it["listenerEntityTechnicalName"] for life in LIFECYCLES.values() for it in bodies(life.space())}
    assert told == {
        "ChargeFlowLevel",
        "Refund",
        "Subscription",
        "SubscriptionCharge",
        "SubscriptionSuspension",
        "SubscriptionVersion",
        "Transaction",
    }


def test_a_delivery_does_not_print_its_body() -> None:
    each = LIFECYCLES["renewed"]()[0]
    assert "spaceId" not in repr(each)
    assert str(each.event_id) in repr(each)
