"""`tenure demo`: three stores, two license servers and their customers, from webhooks to licenses, in half a minute."""

import asyncio
import time

from rich.console import Console
from rich.text import Text

from projections.queries import LicenseView, StreamView
from service.commands.timeline import Told, show
from service.demo import tables
from service.demo.people import TITLES
from service.demo.store import Buyer
from service.demo.world import World, demo_world, mixed, temporary_database
from service.logging import set_up_logging
from service.lookup import find_subscription, tell_stream
from service.serving import stop_signals

SHOWN = ("Hanna Brandt", "Petra Winter", "Livia Brunner")
"""Whose timelines are told."""
CONSUMER, USED = "Tomas Reiner", 64
"""Who uses how much of a license between the acts."""


def demonstrate(*, once: bool) -> int:
    """Runs the demonstration; 1 when anything is not as desired. Without `once` it goes on running until stopped."""
    set_up_logging("ERROR")
    console = Console()
    with temporary_database() as (folder, dsn):

        async def main() -> int:
            with stop_signals() as stop:
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
    keys = await world.check_out()
    acts = [buyer.webhooks() for buyer in world.buyers]
    _heading(console, "1", "Three stores send their webhooks: signed, some twice, some out of order")
    sent = await world.receive(mixed([webhook for first, _ in acts for webhook in first]))
    in_time = await world.settle()
    _use(world, await _of(world, CONSUMER))
    before = await _standings(world)
    sent += await world.receive(mixed([webhook for _, second in acts for webhook in second]))
    in_time = in_time and await world.settle()
    took = time.monotonic() - began
    console.print(tables.deliveries(world.stores, sent))
    console.print(f"\nBefore, at the checkout, FastSpring asked for {keys} license keys and got them.", style="dim")

    views, licenses = await _views(world), await world.licenses()
    _heading(console, "2", "What Tenure made of them, and what the license servers now hold")
    console.print(tables.held(world.stores, views, licenses))
    for view in views:
        if view.problem:
            console.print(Text(f"\n{view.email}: {view.problem}", style="yellow"))

    _heading(console, "3", f"{len(before)} of them at their license servers, before and after their last webhooks")
    console.print(tables.changes(world.buyers, before, await _standings(world)))

    for number, name in enumerate(SHOWN, 4):
        shown = next(buyer for buyer in world.buyers if buyer.name == name)
        _heading(console, str(number), f"Why? The timeline of {shown.name}")
        await _show_timeline(console, world, shown)

    _heading(console, str(4 + len(SHOWN)), "Is it right?")
    return await _judge(console, world, in_time=in_time, sent=len(sent), took=took)


async def _judge(console: Console, world: World, *, in_time: bool, sent: int, took: float) -> int:
    wrong = await world.mismatches()
    if not in_time:
        wrong.append(f"still open: {await world.process.reader.queries.open_work(world.process.reader.log)}")
    for each in wrong:
        console.print(Text(f"  ✗ {each}", style="red"))
    if not wrong:
        held = " + ".join(str(server.held()) for server in world.servers)
        verdict = f"  ✓ {sent} webhooks, {held} licenses, {took:.1f} s: all sandboxes hold what is desired"
        console.print(Text(verdict, style="bold green"))
    return 1 if wrong else 0


def _heading(console: Console, number: str, text: str) -> None:
    console.print()
    console.print(Text.assemble((f"{number}. ", "dim"), (text, "bold")))
    console.print()


async def _views(world: World) -> list[StreamView]:
    return await world.process.reader.queries.streams(limit=1000)


async def _of(world: World, name: str) -> list[LicenseView]:
    buyer = next(each for each in world.buyers if each.name == name)
    streams = {view.stream for view in tables.of_buyer(buyer, await _views(world))}
    return [each for each in await world.licenses() if each.stream in streams]


def _use(world: World, licenses: list[LicenseView]) -> None:
    """The customer's application uses up some of what the license grants."""
    for each in licenses:
        if each.key is not None:
            world.licensespring.use(each.key, USED)


async def _standings(world: World) -> dict[str, str]:
    """How the licenses stand of those whose last webhooks come later, by name."""
    return {
        buyer.name: world.standing(await _of(world, buyer.name)) for buyer in world.buyers if buyer.later is not None
    }


async def _show_timeline(console: Console, world: World, buyer: Buyer) -> None:
    reader = world.process.reader
    stream = next(view.stream for view in tables.of_buyer(buyer, await _views(world)))
    view, _ = await find_subscription(reader, stream)
    entries = await tell_stream(reader, stream)
    licenses = await reader.queries.licenses(stream=stream)
    show(console, Told(subscription=view, licenses=licenses, state=view.state, timeline=entries))


def _show_urls(console: Console, world: World) -> None:
    _heading(console, str(5 + len(SHOWN)), "Everything is still running; Ctrl-C stops it and leaves nothing behind")
    for what, text in (
        ("Tenure's API", f"{world.url}/api/v1/subscriptions"),
        *(("webhooks", f"{world.url}/webhooks/{store.source}") for store in world.stores),
        *(("key requests", f"{world.url}/fulfillment/{each.source}") for each in world.stores if each.generator_key),
        *((TITLES[server.target], f"{server.url}/sandbox/holdings") for server in world.servers),
        ("a timeline", f"./run --config {world.config} timeline {world.buyers[0].subscription}"),
        ("all licenses", f"./run --config {world.config} licenses"),
    ):
        console.print(Text(f"  {what:<14}{text}"), soft_wrap=True)
