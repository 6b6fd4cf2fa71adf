"""Tokens and the roles they carry."""

import pytest

from service.auth import Access, Role
from service.secrets import Secret

ACCESS = Access([Secret("viewer-1"), Secret("viewer-2")], [Secret("operator-1")])


@pytest.mark.parametrize(
    ("token", "role"),
    [
        ("viewer-1", "viewer"),
        ("viewer-2", "viewer"),
        ("operator-1", "operator"),
        ("", None),
        ("viewer-", None),
        ("viewer-1 ", None),
        ("VIEWER-1", None),
        ("ümlaut", None),
    ],
)
def test_a_token_carries_its_role(token: str, role: Role | None) -> None:
    assert ACCESS.role_of(token) == role


def test_no_token_is_valid_where_none_is_configured() -> None:
    assert Access([], []).role_of("") is None


def test_tokens_are_not_kept_in_the_open() -> None:
    assert "viewer-1" not in repr(vars(ACCESS))
