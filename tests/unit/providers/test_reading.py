"""Texts that no database can hold are refused wherever they are read, and nowhere else."""

import msgspec
import pytest

from domain.providers.reading import Reader


class _Price(msgspec.Struct, rename="camel"):
    nick_name: str | None = None
    metadata: dict[str, str] = {}


class _Sale(msgspec.Struct):
    prices: list[_Price] = []


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (rb'{"prices": [{}, {"nickName": "Ada\u0000"}]}', "$.prices[1].nickName"),
        (rb'{"prices": [{"metadata": {"a": "Ada\u0000"}}]}', "$.prices[0].metadata[...]"),
        (rb'{"prices": [{"metadata": {"Ada\u0000": "a"}}]}', "$.prices[0].metadata[...]"),
    ],
)
def test_a_zero_character_is_refused_by_its_place_and_not_shown(body: bytes, place: str) -> None:
    with pytest.raises(ValueError, match="zero character") as caught:
        Reader(_Sale).decode(body)
    assert f"`{place}`" in str(caught.value)
    assert "Ada" not in str(caught.value)


def test_one_where_nobody_reads_does_no_harm() -> None:
    assert Reader(_Sale).decode(rb'{"prices": [{"nickName": "Ada", "other": "\u0000"}]}').prices[0].nick_name == "Ada"


def test_a_backslash_before_digits_is_a_text_like_any_other() -> None:
    assert Reader(_Price).decode(rb'{"nickName": "\\u0000"}').nick_name == "\\u0000"


def test_a_part_of_a_body_is_read_as_it_stands_there() -> None:
    part = msgspec.json.decode(rb'[{"nickName": "\u0000"}]', type=list[msgspec.Raw])[0]
    with pytest.raises(ValueError, match="zero character"):
        Reader(_Price).decode(part)
