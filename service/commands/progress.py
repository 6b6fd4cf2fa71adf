"""A bar for what reads the whole store, on standard error; none where that is no terminal."""

import sys
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn


class Reading:
    """How many events were read of how many; use it as a context manager.

    `amid`: rows are printed meanwhile, which on a terminal show by themselves how it goes on.
    """

    def __init__(self, what: str, *, amid: bool = False) -> None:
        console = Console(stderr=True)
        self._progress = Progress(
            TextColumn(what),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("events"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            # Rows are for standard output, wherever that leads.
            redirect_stdout=False,
            redirect_stderr=False,
            disable=not console.is_terminal or (amid and sys.stdout.isatty()),
        )
        self._task: TaskID = self._progress.add_task("", total=None)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def expect(self, events: int) -> None:
        self._progress.update(self._task, total=events)

    def read(self, events: int) -> None:
        self._progress.advance(self._task, events)
