"""The commands that list: subscriptions, licenses, streams in need, dead letters."""

import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import get_args

from rich.text import Text

from domain.licensing import License
from projections.queries import LicenseView, Outstanding, Postponed, StreamView
from service.attention import Need, NeedyStream, needy_streams
from service.commands.output import print_json, print_line, print_table, state_text
from service.commands.reading import ask
from service.lookup import Reader, find_stream
from service.settings import Target, load
from service.wiring.targets import pace_of


def list_subscriptions(
    config: Path | None, *, state: str | None, source: str | None, problems: bool, limit: int, as_json: bool
) -> None:
    """Prints subscriptions and purchases, the one with the latest event first."""

    async def question(reader: Reader) -> tuple[list[StreamView], str]:
        views = await reader.queries.streams(state=state, source=source, problems=problems, limit=limit)
        # A source that left the settings keeps its history: only where nothing is found may the name be mistaken.
        unknown = source is not None and source not in reader.sources and not views
        return (
            views,
            f" No source is named {source}; there are: {', '.join(sorted(reader.sources))}." if unknown else "",
        )

    views, hint = ask(config, question)
    if as_json:
        print_json(views)
        return
    rows = [
        (view.identifier, view.source, state_text(view.state), _day(view.latest_at), view.problem) for view in views
    ]
    print_table(("subscription", "source", "state", "latest", "problem"), rows, empty=f"No subscriptions.{hint}")


def list_licenses(config: Path | None, text: str | None, *, limit: int, as_json: bool) -> None:
    """Prints licenses, of one subscription if `text` names it. Raises NotFound and Ambiguous."""

    async def question(reader: Reader) -> list[LicenseView]:
        stream = await find_stream(reader, text, by_key=True) if text else None
        return await reader.queries.licenses(stream=stream, limit=limit)

    views = ask(config, question)
    if as_json:
        print_json(views)
        return
    print_table(
        ("license", "product", "until", "target", "key", "pushed"),
        [
            (
                view.id,
                view.desired.product_code,
                until(view.desired),
                view.target,
                view.key or "",
                _standing(view),
            )
            for view in views
        ],
        empty="No licenses.",
        alike="target",
    )


def list_pushes(config: Path | None, *, limit: int, as_json: bool) -> None:
    """Prints what could not be pushed so far and is tried again, the next first, and how much waits its turn."""

    async def question(reader: Reader) -> tuple[list[Postponed], list[Outstanding]]:
        return await reader.queries.postponed(limit=limit), await reader.queries.outstanding()

    found, outstanding = ask(config, question)
    if as_json:
        print_json(found)
        return
    rows = [
        (each.stream, each.target, str(each.attempts), f"{each.next_at:%Y-%m-%d %H:%M:%S}", each.error or "")
        for each in found
    ]
    columns = ("subscription", "target", "attempts", "next", "why")
    print_table(columns, rows, empty="No push failed.", alike="target")
    targets = load(config, os.environ).targets
    for each in outstanding:
        if each.due > each.failing:
            pace = f" ({_pace(targets[each.target])})" if each.target in targets else ""
            print_line(f"{_wait(each.due - each.failing)} at {each.target}{pace}.")


def _wait(count: int) -> str:
    return f"{count} subscription{' waits for its' if count == 1 else 's wait for their'} turn"


def _pace(target: Target) -> str:
    pace = pace_of(target)
    return f"{pace} request{'' if pace == 1 else 's'} a minute"


def list_dead_letters(config: Path | None, *, limit: int, as_json: bool) -> None:
    """Prints the licenses that a license server refused, with its answer."""

    async def question(reader: Reader) -> list[LicenseView]:
        return await reader.queries.licenses(refused=True, limit=limit)

    views = ask(config, question)
    if as_json:
        print_json(views)
        return
    rows = [
        (view.id, view.stream, view.target, view.refusal.call, str(view.refusal.status or ""), view.refusal.text)
        for view in views
        if view.refusal is not None
    ]
    columns = ("license", "subscription", "target", "call", "status", "answer")
    print_table(columns, rows, empty="No dead letters.", alike="target")


def list_streams(config: Path | None, status: Need | None, *, limit: int, as_json: bool) -> None:
    """Prints the streams that need a person for that reason, or for any: at most `limit` for each."""
    needs: tuple[Need, ...] = (status,) if status else get_args(Need)

    async def question(reader: Reader) -> list[NeedyStream]:
        return [each for need in needs for each in await needy_streams(reader, need, limit=limit)]

    found = ask(config, question)
    if as_json:
        print_json(found)
        return
    rows = [(each.stream, each.status, _moment(each.latest_at), each.problem) for each in found]
    empty = f"No stream is {status}." if status else "No stream needs anybody."
    print_table(("stream", "status", "latest event", "problem"), rows, empty=empty, alike="status" if status else None)


def until(desired: License) -> Text:
    """Until when it works by itself, its margin included."""
    if not desired.enabled:
        return Text("disabled", style="dim")
    if desired.expiry is None:
        return Text(f"{desired.valid_duration} from activation" if desired.valid_duration else "for ever")
    return Text(f"{desired.expiry + timedelta(hours=desired.margin_hours):%Y-%m-%d}")


def _standing(view: LicenseView) -> Text:
    if view.refusal is not None:
        return Text("refused", style="red")
    if view.withheld:
        return Text("withheld", style="red")
    if view.due:
        return Text("due", style="yellow")
    there = view.applied is not None and view.applied.remote
    return Text("yes", style="green") if there else Text("not made", style="dim")


def _day(instant: datetime | None) -> str:
    return f"{instant:%Y-%m-%d}" if instant else ""


def _moment(instant: datetime | None) -> str:
    return f"{instant:%Y-%m-%d %H:%M}" if instant else ""
