"""Tables for people: what is copied stays whole, and a header stands over it however narrow the terminal is."""

import pytest

from service.commands.output import print_table

COLUMNS = ("license", "subscription", "target", "answer")
LICENSE, STREAM = "lic_c34d87d415df62ac8082", "stripe-main/subscription/sub_1cagwlM7OjFo2YVi8QtVg3sH"
ANSWER = "there is no such product, " * 5


def printed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *targets: str, width: int = 80
) -> list[str]:
    monkeypatch.setenv("COLUMNS", str(width))
    rows = [(LICENSE, STREAM, target, ANSWER) for target in targets]
    print_table(COLUMNS, rows, empty="None.", alike="target")
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("width", [80, 100, 120, 300])
@pytest.mark.parametrize("other", ["nl", "a-license-server-of-some-length"])
def test_a_header_names_every_column_and_nothing_is_broken_or_too_wide(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, other: str, width: int
) -> None:
    lines = printed(capsys, monkeypatch, "licensespring", other, width=width)
    above = " ".join(lines[: next(place for place, line in enumerate(lines) if LICENSE in line)])
    assert above.split() == list(COLUMNS)
    for whole in (LICENSE, STREAM):
        assert len([line for line in lines if whole in line]) == 2
    assert any(other in line for line in lines)
    assert max(map(len, lines)) <= width


def test_what_all_rows_say_alike_is_left_out(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "licensespring" not in " ".join(printed(capsys, monkeypatch, "licensespring", "licensespring"))


def test_without_rows_it_says_so(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert printed(capsys, monkeypatch) == ["None."]
