"""The commands that ask for another attempt."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from service import attention
from service.attention import Retried
from service.commands.asker import user_of_this_machine
from service.commands.output import print_json, print_line
from service.commands.reading import ask
from service.lookup import Reader
from service.recording import Said


def retry_dead_letter(config: Path | None, text: str, author: str | None, reason: str, *, as_json: bool) -> None:
    """Has a refused license pushed again, or all of a subscription.

    Raises NotFound, Ambiguous, NothingToRetry, ActRefused, and CommandFailed if nobody is known to ask.
    """

    async def request(reader: Reader, said: Said) -> Retried:
        return await attention.retry_refused(reader, text, said.author, said.reason, by_key=True)

    _retry(config, author, reason, request, "will be pushed again", as_json=as_json)


def retry_stream(config: Path | None, text: str, author: str | None, reason: str, *, as_json: bool) -> None:
    """Has a stopped stream folded again, or what another lacks fetched. Raises what `retry_dead_letter` does."""

    async def request(reader: Reader, said: Said) -> Retried:
        return await attention.retry_stream(reader, text, said.author, said.reason, by_key=True)

    _retry(config, author, reason, request, "will be tried again", as_json=as_json)


def _retry(
    config: Path | None,
    author: str | None,
    reason: str,
    request: Callable[[Reader, Said], Awaitable[Retried]],
    will: str,
    *,
    as_json: bool,
) -> None:
    said = Said(author=author or user_of_this_machine(), reason=reason)
    retried = ask(config, lambda reader: request(reader, said))
    if as_json:
        print_json(retried)
        return
    print_line(f"{retried.accepted} {will}.")
    for note in retried.notes:
        print_line(f"! {note}")
