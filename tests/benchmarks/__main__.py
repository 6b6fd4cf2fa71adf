"""`./run bench`: measures on a PostgreSQL of its own, with durability on, and clears everything away."""

import argparse
import asyncio
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec
from rich.console import Console

from service.embedded import EmbeddedServerError, embedded_server
from tests.benchmarks.loops import loop_factory
from tests.benchmarks.machine import look
from tests.benchmarks.measuring import FULL, TINY, Outcome, Place, Size, measure
from tests.benchmarks.report import Report, as_json, as_tables
from tests.benchmarks.table import BENCHES
from tests.databases import Server


def main(arguments: Sequence[str]) -> int:
    parsed = _parser().parse_args(arguments)
    size: Size = TINY if parsed.tiny else FULL
    if parsed.rounds:
        size = msgspec.structs.replace(size, rounds=parsed.rounds)
    # A polite kill ends as Ctrl-C does: with everything stopped.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        report = _run(list(dict.fromkeys(parsed.names)) or list(BENCHES), size)
    except EmbeddedServerError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("bench: interrupted, everything is stopped", file=sys.stderr)
        return 130
    if parsed.json:
        print(as_json(report))
    else:
        as_tables(report, Console())
    return 0


def _parser() -> argparse.ArgumentParser:
    about = "\n".join(f"  {bench.name:9}{bench.about}" for bench in BENCHES.values())
    parser = argparse.ArgumentParser(
        prog="./run bench",
        description="Measures Tenure against plain baselines, on an embedded PostgreSQL with durability on.",
        epilog=f"benches:\n{about}\n\nHow to read the numbers: tests/benchmarks/README.md",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", type=_bench, metavar="NAME", help="which ones; all by default")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--rounds", type=_rounds, help=f"how often each case is measured (default {FULL.rounds})")
    parser.add_argument("--tiny", action="store_true", help="only show that everything works: the numbers mean nothing")
    return parser


def _bench(text: str) -> str:
    if text not in BENCHES:
        raise argparse.ArgumentTypeError(f"there is no {text!r}, but {', '.join(BENCHES)}")
    return text


def _rounds(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 1000:
        raise argparse.ArgumentTypeError("give a whole number from 1 to 1000")
    return int(text)


def _run(names: Sequence[str], size: Size) -> Report:
    with (
        tempfile.TemporaryDirectory(prefix="tenure-bench-", ignore_cleanup_errors=True) as folder,
        embedded_server(Path(folder) / "postgresql") as embedded,
        asyncio.Runner(loop_factory=loop_factory()) as runner,
    ):
        server = Server(maintenance_dsn=embedded.dsn(), chosen_because="durability is measured")
        machine = look(embedded.dsn(), Path(folder), type(runner.get_loop()).__module__)
        if not machine.durable:
            raise EmbeddedServerError(f"The server must keep what it confirms, but has {machine.durability}.")
        return Report(machine=machine, benches=runner.run(_measure(names, server, Path(folder), size)))


async def _measure(names: Sequence[str], server: Server, folder: Path, size: Size) -> list[Outcome]:
    outcomes = []
    for name in names:
        own = folder / name
        own.mkdir()
        place = Place(server=server, folder=own, size=size)
        outcomes.append(await measure(BENCHES[name], place, _say))
    return outcomes


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
