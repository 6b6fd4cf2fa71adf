"""The store's statements, each by the name above it in its .sql file."""

import re
from pathlib import Path

FOLDER = Path(__file__).parent

_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


def statements(file: str) -> dict[str, bytes]:
    """A file's statements by name; `{name}` in one stands for the text of an earlier one."""
    parts = _NAME.split((FOLDER / file).read_text(encoding="utf-8"))
    found: dict[str, str] = {}
    for name, text in zip(parts[1::2], parts[2::2], strict=True):
        found[name] = text.strip().format_map(found)
    return {name: text.encode() for name, text in found.items()}
