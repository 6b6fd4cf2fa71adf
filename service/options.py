"""Options that several commands take."""

from datetime import UTC, datetime
from typing import Any

import rich_click as click

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
limit = click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="Rows at most.")


class Instant(click.ParamType[datetime]):
    """An instant in ISO 8601; without an offset it is UTC."""

    name = "instant"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            instant = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not an instant such as 2026-03-03 or 2026-03-03T14:00:00Z", param, ctx)
        return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)


INSTANT = Instant()
