"""Processor time that other processes used, where the system tells (Linux); 0 elsewhere."""

import os
from pathlib import Path
from typing import Any

from psycopg import Connection

_TICKS = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")


class ServerTime:
    """Processor time of a PostgreSQL server on this machine, with all its backends, those that ended too."""

    def __init__(self, postmaster: int) -> None:
        self._postmaster = postmaster

    @classmethod
    def of(cls, connection: Connection[Any]) -> "ServerTime":
        fields = _fields(connection.info.backend_pid)
        # A server in a container has numbers of its own, which mean somebody else here.
        return cls(int(fields[1]) if fields and _name(connection.info.backend_pid) == "postgres" else 0)

    def seconds(self) -> float:
        """So far; 0 where it cannot be known."""
        if not self._postmaster:
            return 0.0
        children = [pid for pid in map(_number, _PROC.iterdir()) if pid and _parent(pid) == self._postmaster]
        return seconds_of(self._postmaster, ended=True) + sum(map(seconds_of, children))


def seconds_of(pid: int, *, ended: bool = False) -> float:
    """What that process used, user and system; with its children that have `ended`, if asked."""
    fields = _fields(pid)
    return sum(map(int, fields[11 : 15 if ended else 13])) / _TICKS if fields else 0.0


def peak_mb_of(pid: int) -> float:
    """The most memory that process ever held, in MB; 0 where it cannot be known."""
    try:
        lines = (_PROC / str(pid) / "status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1000 for line in lines if line.startswith("VmHWM:")), 0.0)


def children_of(pid: int) -> list[int]:
    return (
        [child for child in map(_number, _PROC.iterdir()) if child and _parent(child) == pid] if _PROC.exists() else []
    )


def _number(entry: Path) -> int:
    return int(entry.name) if entry.name.isdecimal() else 0


def _parent(pid: int) -> int:
    fields = _fields(pid)
    return int(fields[1]) if fields else 0


def _name(pid: int) -> str:
    return (_PROC / str(pid) / "comm").read_text(encoding="utf-8").strip()


def _fields(pid: int) -> list[str]:
    """Of `/proc/PID/stat` what follows the name: state, parent, …; nothing for a process that is gone."""
    try:
        return (_PROC / str(pid) / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return []
