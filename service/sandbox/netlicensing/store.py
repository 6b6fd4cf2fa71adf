"""Keeps the records: changes happen whole or not at all, and survive the process where a state file is named.

Everything runs in one event loop and nothing awaits inside a change, so changes never mix.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from service.sandbox.netlicensing.records import Kind, Record


class Snapshot(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All records of an account; also the content of a state file."""

    records: tuple[Record, ...] = ()


class Store:
    """Records by kind and number, in the order of their making.

    With a path, the file is replaced at once after each change, so that a killed process loses nothing that it
    answered for. It is written for the death of the process, not of the machine: there is no fsync.
    """

    def __init__(self, path: Path | None = None, *, case_sensitive: bool = True) -> None:
        """Raises ValueError when the file is there but is no state of this sandbox."""
        self._path = path
        self._spell = (lambda number: number) if case_sensitive else str.casefold
        self._by_id: dict[int, Record] = {}
        self._ids: dict[tuple[Kind, str], int] = {}
        self._last_id = 0
        self._changing = False
        if path is not None and path.exists():
            self.restore(_read(path))

    @contextmanager
    def change(self) -> Iterator[None]:
        """Keeps what the block puts and removes; when it raises, all of it is taken back."""
        if self._changing:
            raise RuntimeError("A change is under way already; changes do not nest.")
        before = dict(self._by_id), dict(self._ids)
        self._changing = True
        try:
            yield
            if self._by_id != before[0]:
                self._save()
        except BaseException:
            self._by_id, self._ids = before
            raise
        finally:
            self._changing = False

    def new_id(self) -> int:
        self._last_id += 1
        return self._last_id

    def put(self, record: Record) -> Record:
        self.remove(record.id, kept_place=True)
        self._by_id[record.id] = record
        self._ids[record.kind, self._spell(record.number)] = record.id
        return record

    def remove(self, key: int, *, kept_place: bool = False) -> None:
        before = self._by_id.get(key)
        if before is None:
            return
        del self._ids[before.kind, self._spell(before.number)]
        if not kept_place:
            del self._by_id[key]

    def get(self, kind: Kind, number: str) -> Record | None:
        key = self._ids.get((kind, self._spell(number)))
        return None if key is None else self._by_id[key]

    def the(self, key: int | None) -> Record:
        """The record a stored reference points at; KeyError would be a fault of the sandbox."""
        return self._by_id[key or 0]

    def all(self, kind: Kind) -> list[Record]:
        return [record for record in self._by_id.values() if record.kind is kind]

    def children(self, kind: Kind, parent: Record) -> list[Record]:
        return [record for record in self.all(kind) if record.parent == parent.id]

    def made_from(self, template: Record) -> list[Record]:
        """The licenses of a template."""
        return [record for record in self.all(Kind.LICENSE) if record.template == template.id]

    def dump(self) -> Snapshot:
        return Snapshot(records=tuple(self._by_id.values()))

    def restore(self, snapshot: Snapshot) -> None:
        """Holds exactly these records from now on."""
        self._by_id, self._ids = {}, {}
        for record in snapshot.records:
            self.put(record)
        self._last_id = max(self._by_id, default=0)

    def clear(self) -> None:
        self._by_id, self._ids = {}, {}
        self._save()

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
