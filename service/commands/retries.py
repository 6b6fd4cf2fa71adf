"""The commands that ask for another attempt."""

import getpass
from pathlib import Path

from domain.events import Stream
from projections.queries import retry_refused
from service.commands.failures import not_found, usage
from service.commands.output import print_line
from service.commands.reading import ask
from service.lookup import Reader, find_license, find_stream


def retry_dead_letter(config: Path | None, text: str, author: str | None) -> None:
    """Has a refused license pushed again. Raises NotFound, and CommandFailed when it is not refused."""
    author = author or _user()

    async def request(reader: Reader) -> str:
        letter = await find_license(reader, text)
        if letter.refusal is None:
            raise not_found(f"{letter.id} is not refused, there is nothing to retry.")
        await retry_refused(reader.log, letter, author)
        return letter.id

    print_line(f"{ask(config, request)} will be pushed again.")


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        raise usage("This machine does not know who asks: name yourself with --author.") from None


def retry_stream(config: Path | None, text: str) -> None:
    """Has a stopped stream folded again. Raises NotFound, Ambiguous, and CommandFailed when it is not stopped."""

    async def request(reader: Reader) -> Stream:
        stream = await find_stream(reader, text)
        if not await reader.queries.ask_again(stream):
            raise not_found(f"{stream} is not stopped, there is nothing to retry.")
        return stream

    print_line(f"{ask(config, request)} will be folded again.")
