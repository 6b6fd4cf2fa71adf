"""`tenure demo`: a dozen customers, from their webhooks to their licenses, in half a minute."""

import asyncio
import signal
import time
from collections import Counter
from datetime import timedelta

from rich.console import Console
from rich.table import Table
from rich.text import Text

from domain.events import Stream
from projections.queries import LicenseView, StreamView
from service.commands.output import state_text
from service.commands.timeline import Told, show
from service.demo.world import SOURCE, World, demo_world, temporary_database
from service.logging import set_up_logging
from service.lookup import find_subscription, tell_stream
from service.sandbox.stripe import Delivery, Person
from service.serving import stop_signals

SHOWN = "Hanna Brandt"


def demonstrate(*, once: bool) -> int:
    """Runs the demonstration; 1 when anything is not as desired. Without `once` it goes on running until stopped."""
    set_up_logging("ERROR")
    console = Console()
    with temporary_database() as (folder, dsn):

        async def main() -> int:
            with stop_signals() as stop:
                # A closed terminal ends it too, and leaves nothing behind.
                asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, stop.set)
                closing = asyncio.Event()
                async with demo_world(folder, dsn, closing) as world:
                    code = await _tell(console, world)
                    if not once and not stop.is_set():
                        _show_urls(console, world)
                        await stop.wait()
                    return code

        return asyncio.run(main())


async def _tell(console: Console, world: World) -> int:
    began = time.monotonic()
    _heading(console, "1", "Stripe sends its webhooks: signed, some twice, some out of order")
    received = await world.receive()
    _show_deliveries(console, world.people, received)
    in_time = await world.settle()
    took = time.monotonic() - began

    views = {view.customer: view for view in await world.process.reader.queries.streams(limit=1000)}
    licenses = await world.licenses()
    _heading(console, "2", "What Tenure made of them, and what LicenseSpring's sandbox now holds")
    _show_licenses(console, world.people, views, licenses)

    shown = next(person for person in world.people if person.name == SHOWN)
    _heading(console, "3", f"Why? The timeline of {shown.name} ({shown.story})")
    await _show_timeline(console, world, shown)

    _heading(console, "4", "Is it right?")
    wrong = await world.mismatches()
    if not in_time:
        wrong.append(f"still open: {await world.process.reader.queries.open_work(world.process.reader.log)}")
    for each in wrong:
        console.print(Text(f"  ✗ {each}", style="red"))
    if not wrong:
        made = sum(each.key is not None for each in licenses)
        sent = len(received)
        verdict = f"  ✓ {sent} deliveries, {made} licenses, {took:.1f} s: the sandbox holds what is desired"
        console.print(Text(verdict, style="bold green"))
    return 1 if wrong else 0


def _heading(console: Console, number: str, text: str) -> None:
    console.print()
    console.print(Text.assemble((f"{number}. ", "dim"), (text, "bold")))
    console.print()


def _show_deliveries(console: Console, people: list[Person], received: list[Delivery]) -> None:
    owner = {each.event_id: person.name for person in people for each in person.deliveries}
    came = Counter(owner[each.event_id] for each in received)
    table = _table("customer", "story", "deliveries", "twice")
    for person in people:
        twice = came[person.name] - len(person.deliveries)
        table.add_row(person.name, Text(person.story, style="dim"), str(came[person.name]), str(twice or ""))
    console.print(table)


def _show_licenses(
    console: Console, people: list[Person], views: dict[str, StreamView], licenses: list[LicenseView]
) -> None:
    by_stream: dict[Stream, list[LicenseView]] = {}
    for each in licenses:
        by_stream.setdefault(each.stream, []).append(each)
    notes = []
    table = _table("customer", "state", "licenses", "key", "works until")
    for person in people:
        customer = next(iter(person.account.book.customers), "")
        view = views.get(customer)
        if view is None:
            continue
        held = by_stream.get(view.stream, [])
        if not held:
            table.add_row(person.name, state_text(view.state), Text("none yet", style="yellow"))
            notes.append(f"{person.name}: {view.problem}")
        for number, (what, *dates) in enumerate(_groups(held)):
            name, state = (person.name, state_text(view.state)) if number == 0 else ("", "")
            table.add_row(name, state, what, *dates)
    console.print(table)
    for note in notes:
        console.print(Text(f"\n{note}", style="yellow"))


def _groups(licenses: list[LicenseView]) -> list[tuple[Text, str, str]]:
    """Licenses that are alike in one line each, those that work first: what, the first key, until when."""
    groups: dict[tuple[bool, str, str], list[str]] = {}
    for each in licenses:
        desired = each.desired
        end = desired.expiry + timedelta(hours=desired.margin_hours) if desired.expiry else None
        until = "disabled" if not desired.enabled else f"{end:%Y-%m-%d}" if end else "for ever"
        groups.setdefault((desired.enabled, desired.product_code, until), []).append(each.key or "never created")
    return [
        (
            Text(f"{len(keys)} x {product}", style="green" if enabled else "dim"),
            keys[0],
            until,
        )
        for (enabled, product, until), keys in sorted(groups.items(), reverse=True)
    ]


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for column in columns:
        table.add_column(column, justify="right" if column in {"deliveries", "twice"} else "left")
    return table


async def _show_timeline(console: Console, world: World, person: Person) -> None:
    reader = world.process.reader
    identifier = next(iter(person.account.book.subscriptions))
    stream = Stream(f"{SOURCE}/subscription/{identifier}")
    view, _ = await find_subscription(reader, stream)
    entries = await tell_stream(reader, stream)
    licenses = await reader.queries.licenses(stream=stream)
    show(console, Told(subscription=view, licenses=licenses, state=view.state, timeline=entries))


def _show_urls(console: Console, world: World) -> None:
    identifier = next(iter(world.people[0].account.book.subscriptions))
    _heading(console, "5", "Everything is still running; Ctrl-C stops it and leaves nothing behind")
    for what, text in (
        ("Tenure's API", f"{world.url}/api/v1/subscriptions"),
        ("its webhooks", f"{world.url}/webhooks/{SOURCE}"),
        ("the sandbox", f"{world.sandbox.url}/sandbox/holdings"),
        ("a timeline", f"./run --config {world.config} timeline {identifier}"),
        ("all licenses", f"./run --config {world.config} licenses"),
    ):
        console.print(Text(f"  {what:<14}{text}"), soft_wrap=True)
