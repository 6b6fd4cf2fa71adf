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

from service.commands.loops import loop_factory
from service.embedded import EmbeddedServerError, embedded_server
from service.serving import orders_to_stop
from tests.benchmarks.goals import GOALS, judge
from tests.benchmarks.machine import break_in, look, room_for
from tests.benchmarks.measuring import FULL, TINY, USUAL, Outcome, Place, Size, measure
from tests.benchmarks.peers import lacking
from tests.benchmarks.report import Measured, Report, as_json, as_markdown, as_tables, joined
from tests.benchmarks.table import BENCHES
from tests.databases import Server


def main(arguments: Sequence[str]) -> int:
    parsed = _parser().parse_args(arguments)
    # A polite kill ends as Ctrl-C does, and a closed terminal too, unless it was started with nohup: all is stopped.
    for number in orders_to_stop():
        signal.signal(number, signal.default_int_handler)
    try:
        if parsed.peers and (missing := lacking()):
            raise EmbeddedServerError(f"Not installed: {', '.join(missing)}. Run this as ./run bench --peers.")
        report = _read(parsed.of, parsed.names) if parsed.of else _run(_names(parsed), _size(parsed))
    except (EmbeddedServerError, OSError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("bench: interrupted, everything is stopped", file=sys.stderr)
        return 130
    if parsed.json:
        print(as_json(report))
    elif parsed.markdown:
        print(as_markdown(report))
    else:
        as_tables(report, Console())
    return 0


def _parser() -> argparse.ArgumentParser:
    about = "\n".join(f"  {bench.name:14}{bench.about}" for bench in BENCHES.values())
    parser = argparse.ArgumentParser(
        prog="./run bench",
        description="Measures Tenure against plain baselines, on an embedded PostgreSQL with durability on, and says "
        "of what must be reached whether it is.",
        epilog=f"benches:\n{about}\n\nHow to read the numbers: tests/benchmarks/README.md",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", type=_bench, metavar="NAME", help="which ones; else all that have goals")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print one JSON document")
    form.add_argument("--markdown", action="store_true", help="print the table of the README")
    parser.add_argument(
        "--of",
        type=Path,
        metavar="FILE",
        action="append",
        help="print a JSON document anew instead of measuring; of several, a bench as the last of them has it",
    )
    parser.add_argument("--rounds", type=_number, help=f"how often each case is measured (default {USUAL.rounds})")
    parser.add_argument("--peers", action="store_true", help="install other libraries first, and measure them too")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--tiny", action="store_true", help="only show that everything works: the numbers mean nothing")
    size.add_argument("--full", action="store_true", help="as many events as the goals speak of: hours, 40 GB of disk")
    parser.add_argument(
        "--events", type=_number, metavar="N", help=f"events that `rebuild` derives anew (default {USUAL.history:,})"
    )
    return parser


def _names(parsed: argparse.Namespace) -> list[str]:
    judged = {goal.bench for goal in GOALS}
    return list(dict.fromkeys(parsed.names)) or [name for name in BENCHES if name in judged]


def _size(parsed: argparse.Namespace) -> Size:
    size = TINY if parsed.tiny else FULL if parsed.full else USUAL
    given = {"rounds": parsed.rounds, "history": parsed.events}
    return msgspec.structs.replace(size, **{name: number for name, number in given.items() if number})


def _read(files: Sequence[Path], names: Sequence[str]) -> Report:
    """What was printed as JSON, joined; of those benches, or of all."""
    read = []
    for file in files:
        try:
            read.append(msgspec.json.decode(file.read_bytes(), type=Report))
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise EmbeddedServerError(f"{file} is not what ./run bench --json prints: {error}") from None
    return joined(read, names or list(BENCHES))


def _bench(text: str) -> str:
    if text not in BENCHES:
        raise argparse.ArgumentTypeError(f"there is no {text!r}, but {', '.join(BENCHES)}")
    return text


def _number(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError("give a whole number, 1 or more")
    return int(text)


def _run(names: Sequence[str], size: Size) -> Report:
    room_for(names, size, Path(tempfile.gettempdir()))
    with (
        tempfile.TemporaryDirectory(prefix="tenure-bench-", ignore_cleanup_errors=True) as folder,
        embedded_server(Path(folder) / "postgresql") as embedded,
        asyncio.Runner(loop_factory=loop_factory()) as runner,
    ):
        server = Server(maintenance_dsn=embedded.dsn(), chosen_because="durability is measured")
        machine = look(embedded.dsn(), Path(folder), type(runner.get_loop()).__module__)
        if not machine.durable:
            raise EmbeddedServerError(f"The server must keep what it confirms, but has {machine.durability}.")
        if size.tells and not machine.on_disk:
            raise EmbeddedServerError(
                f"{tempfile.gettempdir()} lies in memory, a flush takes {machine.flush_us:g} µs: "
                "set TMPDIR to a folder on a disk."
            )
        break_in(embedded.dsn())
        outcomes = runner.run(_measure(names, server, Path(folder), size))
        measured = Measured(machine=machine, size=size, benches=names)
        return Report(measured=[measured], benches=outcomes, goals=judge(outcomes, size))


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
