"""What a timeline says of the facts, and that it names nobody."""

import pytest

from domain import facts as f
from domain.words import Teller
from tests.stories import JANUARY, paid, refunded, utc


@pytest.mark.parametrize(
    ("fact", "words"),
    [
        (refunded("pi_1", 1000), "refunded 10.00 EUR in full"),
        (refunded("pi_1", 400), "refunded 4.00 EUR of 10.00 EUR"),
        (refunded("pi_1", 0, 0), "refunded 0.00 EUR of 0.00 EUR"),
        (paid("in_0", amount=0), "nothing to pay"),
        (f.GraceEnded(since=JANUARY, days=1), "grace of 1 day ended"),
        (f.GraceEnded(since=JANUARY), "grace ended"),
        (f.FixedEndDescribed(at=utc(2026, 12, 1)), "ends by its terms on 2026-12-01"),
        (f.AnswerRead(about="prices/p?expand=x", found=False), "read back prices/p: nothing found"),
        (f.PaymentFailed(invoice="i", attempt=4, final=True), "payment failed (attempt 4), no further attempt planned"),
        (f.UsersNamed(users=(f.NamedUser(email="ada@example.com", name="Ada"),)), "1 user named"),
    ],
)
def test_a_fact_is_said_in_a_few_words(fact: f.Fact, words: str) -> None:
    assert Teller().news([fact]) == [words]


def test_what_was_said_already_is_no_news() -> None:
    teller = Teller()
    named = f.UsersNamed(users=(f.NamedUser(email="ada@example.com"),))
    assert teller.news([named, f.FixedEndDescribed(at=None)]) == ["1 user named"]
    assert teller.news([named]) == []
    assert teller.news([f.UsersNamed(users=())]) == ["0 users named"]
