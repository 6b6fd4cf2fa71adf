"""Keeps the rows: changes happen whole or not at all, and survive the process where a state file is named.

Everything runs in one event loop and nothing awaits inside a change, so changes never mix.
"""

from __future__ import annotations

import os
import tempfile
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from service.sandbox.licensespring.records import Record
from service.sandbox.licensespring.rows import Rows, Tables, records_of

CHANGES_REMEMBERED = 100

Slot = tuple[type[Record], int]


class Store:
    """The current rows, and those of a few changes ago for stale reads.

    With a path, the file is replaced at once after each change, so that a killed process loses nothing that it
    answered for. It is written for the death of the process, not of the machine: there is no fsync.
    """

    def __init__(self, path: Path | None = None) -> None:
        """Raises ValueError when the file is there but is no state of this sandbox."""
        self._path = path
        self._undo: dict[Slot, Record | None] | None = None
        self._history: deque[dict[Slot, Record | None]] = deque(maxlen=CHANGES_REMEMBERED)
        self.rows = Rows(self._load())

    def put(self, record: Record) -> None:
        self._remember((type(record), record.id), self.rows.put(record))

    def remove(self, record: Record) -> None:
        self._remember((type(record), record.id), self.rows.remove(type(record), record.id))

    @contextmanager
    def change(self) -> Iterator[Rows]:
        """Keeps what the block puts and removes; when it raises, all of it is taken back."""
        if self._undo is not None:
            raise RuntimeError("A change is under way already; changes do not nest.")
        self._undo = {}
        try:
            yield self.rows
            if self._undo:
                self._save()
                self._history.append(self._undo)
        except BaseException:
            _take_back(self.rows, self._undo)
            raise
        finally:
            self._undo = None

    def stale(self, changes: int) -> Rows:
        """The rows as they were before the latest `changes` changes (at most 100)."""
        rows = Rows(records_of(self.rows.tables()))
        for undo in list(self._history)[-changes:][::-1]:
            _take_back(rows, undo)
        return rows

    def forget_changes(self) -> None:
        """Lets stale reads begin anew at the current rows."""
        self._history.clear()

    def _remember(self, slot: Slot, before: Record | None) -> None:
        if self._undo is None:
            raise RuntimeError("Rows change only inside change().")
        self._undo.setdefault(slot, before)

    def _load(self) -> Iterator[Record]:
        if self._path is not None and self._path.exists():
            try:
                tables = msgspec.json.decode(self._path.read_bytes(), type=Tables)
            except msgspec.DecodeError as error:
                raise ValueError(f"{self._path} is no state of this sandbox ({error}); name another file.") from error
            yield from records_of(tables)

    def _save(self) -> None:
        if self._path is None:
            return
        handle, name = tempfile.mkstemp(dir=self._path.parent, prefix=f".{self._path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(msgspec.json.encode(self.rows.tables()))
            Path(name).replace(self._path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


def _take_back(rows: Rows, undo: dict[Slot, Record | None]) -> None:
    for (kind, key), before in undo.items():
        if before is None:
            rows.remove(kind, key)
        else:
            rows.put(before)
