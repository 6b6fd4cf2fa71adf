"""What is read of a wallee subscription gives the state and the licenses that the simulated space's books say."""

from hypothesis import given, settings

from domain.history import refold
from domain.licensing import entitle
from domain.policy import Policy
from domain.providers.wallee import PROVIDER
from service.sandbox.wallee import LIFECYCLES
from tests.expectations_wallee import expected
from tests.stories import recorded
from tests.strategies.wallee import Life, answer, lives, reading
from tests.unit.sandbox.wallee_stories import every_life


def check(life: Life) -> None:
    """Compares what one reading gives with the books."""
    fold = refold(recorded([answer(life, reading(life, life.space.now))]), PROVIDER)
    assert not fold.stopped, fold.stopped
    licenses = entitle(life.stream, fold.subscription, Policy()).licenses
    enabled = [each for each in licenses if each.enabled]
    said = expected(life.space)[f"subscription/{life.subscription}"]
    assert (fold.subscription.state.value, len(enabled)) == (said.state, said.enabled)
    assert {each.expiry for each in enabled} <= {said.paid_through}


@every_life
def test_a_named_life_leads_where_its_books_say(name: str) -> None:
    space = LIFECYCLES[name].space()
    for subscription in space.book.subscriptions:
        check(Life(space, subscription))


@settings(max_examples=150, deadline=None)
@given(lives())
def test_any_life_leads_where_its_books_say(life: Life) -> None:
    check(life)
