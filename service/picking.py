"""Which of the past's subscriptions and licenses a list is about: the filters of the lists of the present."""

from collections.abc import Sequence

from domain.events import Stream
from projections.past import Then
from projections.queries import KNOWN, LicenseView, StreamView


def pick_stream(
    then: Then, *, state: str | None = None, source: str | None = None, problems: bool = False
) -> Sequence[StreamView]:
    """The stream, if it was a subscription or purchase and the filters let it pass."""
    view = then.view
    passes = (
        view.status in KNOWN
        and state in {None, view.state}
        and source in {None, view.source}
        and (not problems or bool(view.problem))
    )
    return [view] if passes else []


def pick_licenses(
    then: Then, *, stream: Stream | None = None, target: str | None = None, enabled: bool | None = None
) -> Sequence[LicenseView]:
    """Those of its licenses that the filters let pass."""
    if stream not in {None, then.view.stream}:
        return []
    return [view for view in then.licenses if target in {None, view.target} and enabled in {None, view.enabled}]
