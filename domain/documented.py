"""Parts of a README that are made from the code: between two markers, written by `python -m MODULE [--check]`."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A generated part of a README: `made()` gives its Markdown, `module` is what writes it, `what` names it."""

    module: str
    what: str
    made: Callable[[], str]

    @property
    def command(self) -> str:
        return f"python -m {self.module}"

    @property
    def begin(self) -> str:
        return f"<!-- written by `{self.command}`: begin -->\n"

    @property
    def end(self) -> str:
        return f"<!-- written by `{self.command}`: end -->\n"

    def put_into(self, text: str) -> str:
        """The text with a fresh part. Raises ValueError where the markers are not there once each, in order."""
        begin, end = self.begin, self.end
        if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
            raise ValueError(f"put these two lines into it, once each:\n{begin}{end}")
        head, rest = text.split(begin)
        _, tail = rest.split(end)
        return f"{head}{begin}{self.made()}{end}{tail}"

    def main(self, arguments: list[str] | None, readme: Path) -> int:
        """Writes the part, or with `--check` only says whether it is stale; 0 when it is as it should be."""
        parser = argparse.ArgumentParser(prog=self.command, description=f"Writes the {self.what}.")
        parser.add_argument("--check", action="store_true", help=f"change nothing; fail if the {self.what} is stale")
        check = parser.parse_args(arguments).check
        before = readme.read_text(encoding="utf-8")
        try:
            after = self.put_into(before)
        except ValueError as error:
            sys.stderr.write(f"{readme} has no place for the {self.what}: {error}\n")
            return 1
        if before == after:
            return 0
        if check:
            sys.stderr.write(f"The {self.what} in {readme} is not that of the code: run `{self.command}`.\n")
            return 1
        readme.write_text(after, encoding="utf-8")
        return 0
