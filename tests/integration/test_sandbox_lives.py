"""`tenure sandbox` sends whole lives of both stores to a service that runs."""

from collections.abc import Callable

import msgspec
import pytest
from anyio import to_thread

from domain.events import stream_of
from service.commands.failures import CommandFailed
from service.commands.sandbox import send_fastspring_life, send_stripe_life
from service.secrets import Secret
from service.settings import Settings, Source
from tests.serving import SECRET, served, settings

pytestmark = pytest.mark.anyio

GENERATOR_KEY = "a private key of the fulfillment, 32+"
SENDERS: dict[str, tuple[Callable[[str, str, str], None], str]] = {
    "stripe": (send_stripe_life, "past_due_recovered"),
    "fastspring": (send_fastspring_life, "monthly_renewals"),
}


def selling(dsn: str) -> Settings:
    base = settings(dsn)
    sources = {name: Source(provider=name, mode="test", target="ls") for name in SENDERS}
    secrets = msgspec.structs.replace(
        base.secrets,
        sources=dict.fromkeys(SENDERS, (Secret(SECRET),)),
        generator_keys={"fastspring": (Secret(GENERATOR_KEY),)},
    )
    return msgspec.structs.replace(base, sources=sources, secrets=secrets)


@pytest.mark.parametrize("provider", SENDERS)
async def test_a_life_is_sent_and_becomes_a_subscription(
    provider: str, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    send, life = SENDERS[provider]
    async with served(selling(database), database) as service:
        await to_thread.run_sync(send, life, f"{service.url}/webhooks/{provider}", SECRET)
        accepted, identifier = capsys.readouterr().out.splitlines()[-2:]
        assert accepted.endswith("deliveries accepted")
        events = await service.process.reader.log.read_stream(stream_of(provider, "subscription", identifier))
        assert len(events) > 2


@pytest.mark.parametrize("provider", SENDERS)
async def test_a_life_that_is_not_there_is_answered_with_those_that_are(provider: str) -> None:
    send, life = SENDERS[provider]
    with pytest.raises(CommandFailed, match=life):
        send("no-such-life", "http://127.0.0.1:9/webhooks/x", SECRET)


async def test_the_license_generator_is_asked_first_where_its_key_is_given(
    database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async with served(selling(database), database) as service:
        url = f"{service.url}/webhooks/fastspring"
        await to_thread.run_sync(send_fastspring_life, "one_time_of_three", url, SECRET, GENERATOR_KEY)
        keys = [line for line in capsys.readouterr().out.splitlines() if line.startswith("key on the receipt: ")]
        assert len(set(keys)) == 3
        with pytest.raises(CommandFailed, match="TENURE_SOURCE_NAME_GENERATOR_KEY"):
            await to_thread.run_sync(send_fastspring_life, "one_time_of_three", url, SECRET, "another")
