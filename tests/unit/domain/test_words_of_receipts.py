"""What a timeline says of a license server's answers: enough to follow them, and nobody's address."""

import pytest

from domain.receipts import (
    AnyReceipt,
    CatalogRead,
    CustomerChanged,
    Fields,
    KeysMinted,
    LicenseChanged,
    OrderChanged,
    OrderCreated,
    PushRefused,
)
from domain.words import say_receipt


def changed(fields: Fields) -> LicenseChanged:
    return LicenseChanged(target="ls", license="lic_1", fields=fields)


def refused(call: str, status: int | None, text: str) -> PushRefused:
    return PushRefused(target="ls", subjects=("lic_1",), call=call, status=status, text=text, digest="d")


@pytest.mark.parametrize(
    ("receipt", "words"),
    [
        (changed({"enabled": False, "devices_freed": False}), "license disabled at ls"),
        (changed({"devices_freed": True}), "devices of the license freed at ls"),
        (changed({"consumption_counted": "in_2"}), "consumption of the license starts again from 0 at ls"),
        (
            changed({"feature:export": True, "feature:old": False}),
            "license set at ls: feature export on, feature old off",
        ),
        (changed({"custom_field:Team": "red"}), "license set at ls: custom field Team red"),
        (
            changed({"user:a@example.com": True, "activations:a@example.com": 3}),
            "license set at ls: activations of a user 3, a user added",
        ),
        (changed({"user:a@example.com": False}), "license set at ls: a user removed"),
        (
            LicenseChanged(target="ls", license="lic_1", fields={}, companions={"7": {"enabled": True}}),
            "accompanying license enabled at ls",
        ),
        (
            OrderChanged(target="ls", order="o", fields={"manager:a@example.com": True}),
            "order set at ls: a manager added",
        ),
        (changed({"there": False}), "license not found at ls"),
        (CustomerChanged(target="nl", customer="7", fields={"there": False}), "customer not found at nl"),
        (CustomerChanged(target="nl", customer="7", fields={"name": "A"}), "customer updated at nl (name)"),
        (
            CustomerChanged(target="nl", customer="7", fields={"there": True, "name": "A"}, licenses=("lic_1",)),
            "customer created at nl (name)",
        ),
        (
            CustomerChanged(target="nl", customer="7", fields={"there": True}, licenses=("lic_1",), found=True),
            "customer found at nl",
        ),
        (
            CustomerChanged(target="nl", customer="7", fields={"there": True, "name": "A"}),
            "customer found at nl (name)",
        ),
        (KeysMinted(target="ls", order="o", keys={"a": "K"}), "1 key chosen at ls"),
        (CatalogRead(target="nl", product="APP", entries={"T": {}}), "catalog of nl read: APP has 1 template"),
        (
            KeysMinted(target="ls", order="o", keys={"a": "", "b": ""}, user_based=True),
            "2 licenses without key prepared at ls: licensed by user",
        ),
        (
            OrderCreated(target="ls", order="o", licenses={"a": "1"}, fields={}, companions={"a": {"2": {}, "3": {}}}),
            "1 license created at ls, and 2 of the bundle",
        ),
        (refused("create order", 400, "no such product"), "ls refused to create order: no such product"),
        (refused("hold two bundles in one order", None, "A, B"), "ls cannot hold two bundles in one order: A, B"),
    ],
)
def test_an_answer_is_told_in_a_few_words(receipt: AnyReceipt, words: str) -> None:
    assert say_receipt(receipt) == words
