"""The commands that ask for another attempt."""

from pathlib import Path

from domain.events import Stream
from service import attention
from service.commands.asker import user_of_this_machine
from service.commands.output import print_json, print_line
from service.commands.reading import ask
from service.lookup import Reader


def retry_dead_letter(config: Path | None, text: str, author: str | None, reason: str, *, as_json: bool) -> None:
    """Has a refused license pushed again, or all of a subscription.

    Raises NotFound, Ambiguous, NothingToRetry, and CommandFailed if nobody is known to ask.
    """
    asking = author or user_of_this_machine()

    async def request(reader: Reader) -> str:
        return await attention.retry_refused(reader, text, asking, reason, by_key=True)

    accepted = ask(config, request)
    if as_json:
        print_json({"accepted": accepted})
    else:
        print_line(f"{accepted} will be pushed again.")


def retry_stream(config: Path | None, text: str) -> None:
    """Has a stopped stream folded again, or what another lacks fetched. Raises NotFound, Ambiguous, NothingToRetry."""

    async def request(reader: Reader) -> Stream:
        return await attention.retry_stream(reader, text, by_key=True)

    print_line(f"{ask(config, request)} will be tried again.")
