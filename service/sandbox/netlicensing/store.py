"""Keeps the records: changes happen whole or not at all, and survive the process where a state file is named.

Everything runs in one event loop and nothing awaits inside a change, so changes never mix.
"""

from __future__ import annotations

import os
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from service.sandbox.netlicensing.records import Kind, Record


class Snapshot(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All records of an account; also the content of a state file."""

    records: tuple[Record, ...] = ()


class Store:
    """Records by kind and number, and by what they belong to; lists are in the order of their making.

    With a path, the file is replaced at once after each change, so that a killed process loses nothing that it
    answered for. It is written for the death of the process, not of the machine: there is no fsync.
    """

    def __init__(self, path: Path | None = None, *, case_sensitive: bool = True) -> None:
        """Raises ValueError when the file is there but is no state of this sandbox."""
        self._path = path
        self._case_sensitive = case_sensitive
        self._by_id: dict[int, Record] = {}
        self._ids: dict[tuple[Kind, str], int] = {}
        self._owned: defaultdict[tuple[Kind, int], set[int]] = defaultdict(set)
        self._last_id = 0
        self._undo: dict[int, Record | None] | None = None
        if path is not None and path.exists():
            for record in _read(path).records:
                self._insert(record)

    @contextmanager
    def change(self) -> Iterator[None]:
        """Keeps what the block puts and removes; when it raises, all of it is taken back."""
        if self._undo is not None:
            raise RuntimeError("A change is under way already; changes do not nest.")
        self._undo = {}
        try:
            yield
            if self._undo:
                self._save()
        except BaseException:
            for key, before in self._undo.items():
                self._take_out(key)
                if before is not None:
                    self._insert(before)
            raise
        finally:
            self._undo = None

    def new_id(self) -> int:
        self._last_id += 1
        return self._last_id

    def put(self, record: Record) -> Record:
        self.remove(record.id)
        self._insert(record)
        return record

    def remove(self, key: int) -> None:
        if self._undo is None:
            raise RuntimeError("Records change only inside change().")
        before = self._take_out(key)
        self._undo.setdefault(key, before)

    def get(self, kind: Kind, number: str) -> Record | None:
        key = self._ids.get((kind, self._spelled(number)))
        return None if key is None else self._by_id[key]

    def the(self, key: int | None) -> Record:
        """The record a stored reference points at; KeyError would be a fault of the sandbox."""
        return self._by_id[key or 0]

    def all(self, kind: Kind | None = None) -> list[Record]:
        return [record for _, record in sorted(self._by_id.items()) if kind in (None, record.kind)]

    def owned(self, kind: Kind, owner: Record) -> list[Record]:
        """What belongs to a record; to a template belong the licenses made from it."""
        return [self._by_id[key] for key in sorted(self._owned.get((kind, owner.id), ()))]

    def dump(self) -> Snapshot:
        return Snapshot(records=tuple(self.all()))

    def replace(self, snapshot: Snapshot) -> None:
        """Holds exactly these records from now on."""
        for key in list(self._by_id):
            self.remove(key)
        for record in snapshot.records:
            self.put(record)

    def _insert(self, record: Record) -> None:
        self._by_id[record.id] = record
        self._ids[record.kind, self._spelled(record.number)] = record.id
        for owner in record.owners:
            self._owned[record.kind, owner].add(record.id)
        self._last_id = max(self._last_id, record.id)

    def _take_out(self, key: int) -> Record | None:
        before = self._by_id.pop(key, None)
        if before is not None:
            del self._ids[before.kind, self._spelled(before.number)]
            for owner in before.owners:
                self._owned[before.kind, owner].discard(key)
        return before

    def _spelled(self, number: str) -> str:
        return number if self._case_sensitive else number.casefold()

    def _save(self) -> None:
        if self._path is None:
            return
        handle, name = tempfile.mkstemp(dir=self._path.parent, prefix=f".{self._path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(msgspec.json.encode(self.dump()))
            Path(name).replace(self._path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


def _read(path: Path) -> Snapshot:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Snapshot)
    except msgspec.DecodeError as error:
        raise ValueError(f"{path} is no state of this sandbox ({error}); name another file.") from error
