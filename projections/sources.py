"""What projecting a source's events needs to know of it."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Literal

import msgspec

from domain.events import Event, Stream, source_of
from domain.policy import Policy
from domain.providers import Provider, Untranslatable

WRONG_MODE: Literal["wrong-mode"] = "wrong-mode"


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """One configured provider account: how its events are understood and where its licenses go.

    `targets` are the license servers it feeds, each with the policy as it is there; products may choose among them.
    `patience` is how long a webhook is given to say what could also be asked from the provider's API; `unasked` says
    why that API is not asked at all, with the remedy, and is empty where it is. `live` is the mode of the deliveries
    that count; those of the other one are set aside in streams of kind WRONG_MODE.
    """

    name: str
    provider: Provider
    targets: Mapping[str, Policy]
    patience: timedelta = timedelta(seconds=20)
    unasked: str = ""
    live: bool = True
    decided: Mapping[str, Mapping[str, str]] = {}
    """Target → key of the policy → where it is set; what is not in there is Tenure's own default."""

    def other_mode(self, test: bool | None) -> str:
        """Why a purchase that is a test, or is not, makes no license here; empty where it does, or nothing tells."""
        match self.live, test:
            case True, True:
                return (
                    "paid in the provider's test environment, and this source is in live mode: no license is made, "
                    'and nothing is to be done; tests are licensed where mode = "test"'
                )
            case False, False:
                return (
                    "paid for real, and this source is in test mode: no license is made; to license it "
                    'write mode = "live"'
                )
            case _:
                return ""

    @property
    def policies(self) -> tuple[Policy, ...]:
        return tuple(self.targets.values())


def _unconfigured(name: str) -> Source:
    """A source that is in the store but no longer in the settings: its streams stop and say so."""

    def translate(_: object) -> list[object]:
        raise Untranslatable(f"the source {name!r} is not in the settings; add it again to go on")

    def settle(tied: Sequence[Event], earlier: Sequence[Event] = ()) -> Sequence[Event]:  # noqa: ARG001
        return tied

    provider = Provider(name="", unpack=lambda *_: [], translate=translate, settle=settle)  # type: ignore[arg-type]
    return Source(name=name, provider=provider, targets={})


def source_for(sources: Mapping[str, Source], stream: Stream) -> Source:
    """The source a stream belongs to."""
    name = source_of(stream)
    return sources.get(name) or _unconfigured(name)
