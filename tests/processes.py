"""Tenure and a LicenseSpring sandbox as real processes, which can be killed and started again."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

_URL = re.compile(rb"http://127\.0\.0\.1:\d+")
_ROOT = Path(__file__).parent.parent
PATIENCE = 60.0


class Running:
    """A process of ours that says its URL when it is ready; its output goes to a file."""

    def __init__(self, name: str, arguments: list[str], folder: Path, environment: Mapping[str, str] = {}) -> None:
        self.name = name
        self._arguments = [sys.executable, "-m", *arguments]
        self._folder = folder
        self._environment = {**os.environ, "PYTHONPATH": str(_ROOT), **environment}
        self._log = folder / f"{name}.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.starts = 0
        self.url = ""

    def start(self) -> None:
        """Starts the process and returns when it has said where it listens."""
        self.starts += 1
        begin = self._log.stat().st_size if self._log.exists() else 0
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._arguments, cwd=self._folder, env=self._environment, stdout=log, stderr=log
            )
        deadline = time.monotonic() + PATIENCE
        while not (found := _URL.search(self._written(begin))):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"{self.name} did not start:\n{self._written(begin).decode()[-3000:]}")
            time.sleep(0.01)
        self.url = found.group().decode()

    def _written(self, begin: int) -> bytes:
        return self._log.read_bytes()[begin:]

    def kill(self) -> None:
        """SIGKILL: no chance to say goodbye."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(PATIENCE)

    @property
    def pid(self) -> int:
        """Of the process that runs, or ran last."""
        assert self._process is not None
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def log(self) -> str:
        return self._log.read_text(errors="replace")
