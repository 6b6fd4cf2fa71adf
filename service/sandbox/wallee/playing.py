"""Lives a story through before the eyes of a service: after each act its webhooks, and the API shows that moment."""

from collections.abc import Awaitable, Callable
from itertools import groupby

import httpx2

from service.sandbox.wallee.api import WalleeApi
from service.sandbox.wallee.delivery import EVERYTHING, Listening, deliveries
from service.sandbox.wallee.model import Kind
from service.sandbox.wallee.sending import deliver
from service.sandbox.wallee.space import Space

PATIENCE = 5.0
"""How many seconds of silence mean that nobody will read what a webhook was about."""

CALM = 1.5
"""How many seconds without a question mean that all was read: a service may look for work once a second."""


async def play(
    http: httpx2.AsyncClient,
    url: str,
    space: Space,
    api: WalleeApi,
    *,
    backoff: Callable[[int], Awaitable[None]],
    listening: Listening = EVERYTHING,
    attempts: int = 5,
    patience: float = PATIENCE,
    calm: float = CALM,
) -> int:
    """Posts the webhooks act by act, waiting each time until their subject was read; gives how many were taken.

    `api` must serve the space; meanwhile it shows it as it was after each act, in the end as it is. An act that nobody
    reads about is passed over after `patience` seconds of silence; one whose webhooks are not all taken ends it.
    """
    taken = 0
    ends = {it.act: it.place for it in space.happenings}
    try:
        for act, told in groupby(deliveries(space, listening), key=lambda each: each.act):
            sent = list(told)
            api.show(space, ends[act])
            since = api.count
            for each in sent:
                since = api.count
                if not await deliver(http, url, [each], backoff=backoff, attempts=attempts):
                    return taken
                taken += 1
            path = _about(space, sent[-1].kind, sent[-1].entity)
            if await api.wait_for_call(path, since=since, patience=patience):
                await api.wait_for_calm(calm)
    finally:
        api.show(space, None)
    return taken


def _about(space: Space, kind: Kind, entity: int) -> str:
    """What a service would read to learn all that changed."""
    found = space.book.every(kind)[entity]
    transaction = entity if kind == "transaction" else getattr(found, "transaction", None)
    charges = space.book.every("charge").values()
    paying = [each for each in charges if getattr(each, "transaction", None) == transaction]
    of = entity if kind == "subscription" else getattr(paying[-1] if paying else found, "subscription", None)
    return f"/payment/transactions/{transaction}" if of is None else f"/subscriptions/{of}"
