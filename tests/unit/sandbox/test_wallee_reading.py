"""What is shown of the simulated space: links, searches, and how it looked at another moment."""

import pytest

from service.sandbox.wallee import LIFECYCLES, Habits, Unreadable, catalog
from tests.unit.sandbox.wallee_stories import every_life, lived


def test_a_link_shows_its_id_alone_until_it_is_expanded() -> None:
    space, subscription = lived("upgraded")
    plain = space.object("subscription", subscription)
    full = space.object(
        "subscription", subscription, ["subscriber", "currentProductVersion", "currentProductVersion.product"]
    )
    half = space.object("subscription", subscription, ["currentProductVersion"])
    assert plain is not None
    assert full is not None
    assert half is not None
    assert plain["currentProductVersion"] == {"id": catalog.PRO_YEARLY.id}
    assert list(plain["subscriber"]) == ["id"]
    assert full["subscriber"]["emailAddress"] == "karl@example.com"
    assert full["currentProductVersion"]["product"]["reference"] == "falcon-pro-yearly"
    assert half["currentProductVersion"]["product"] == {"id": catalog.PRO_YEARLY.product.id}


def test_what_cannot_be_expanded_is_refused() -> None:
    space, subscription = lived("renewed")
    for wrong in ("state", "nothing", "subscriber.emailAddress"):
        with pytest.raises(Unreadable, match="cannot be expanded"):
            space.object("subscription", subscription, [wrong])


def test_what_is_not_there_is_none() -> None:
    space, subscription = lived("renewed")
    assert space.object("subscription", 1) is None
    assert space.object("charge", subscription) is None


def test_a_search_finds_what_belongs_to_a_subscription_over_links() -> None:
    space, subscription = lived("renewed")
    charges = space.search("charge", f"subscription.id:{subscription}", order="id:DESC", expand=["transaction"])
    bills = space.search("period-bill", f"subscriptionVersion.subscription.id:{subscription}", order="id:DESC")
    assert [each["transaction"]["state"] for each in charges.data] == ["FULFILL"] * 4
    assert [each["state"] for each in bills.data] == ["PENDING", "BILLED", "BILLED", "BILLED"]
    assert charges.data[0]["id"] > charges.data[-1]["id"]
    assert space.search("charge", "subscription.id:1").data == []


def test_a_search_takes_several_fields_alternatives_and_quotes() -> None:
    space, subscription = lived("suspended_until_paid")
    failed = space.search("charge", f"subscription.id:{subscription} AND state:FAILED")
    either = space.search("charge", "state:FAILED OR state:SUCCESSFUL", limit=100)
    named = space.search("subscriber", 'description:"Emil Ostrow"')
    assert len(failed.data) == 1
    assert len(either.data) == 4
    assert [each["emailAddress"] for each in named.data] == ["emil@example.com"]


def test_pages_follow_one_another_until_there_are_no_more() -> None:
    space, _ = lived("renewed")
    pages = [space.search("charge", order="id:ASC", limit=3, offset=offset) for offset in (0, 3)]
    assert [page.has_more for page in pages] == [True, False]
    assert [len(page.data) for page in pages] == [3, 1]
    assert pages[1].json() == {"data": pages[1].data, "hasMore": False, "limit": 3, "offset": 3}


@pytest.mark.parametrize(
    ("query", "more"),
    [
        ("state=ACTIVE", {}),
        ("nothing:1", {}),
        ("", {"order": "id"}),
        ("", {"limit": 101}),
        ("", {"limit": 0}),
        ("", {"offset": -1}),
    ],
)
def test_what_a_search_does_not_understand_is_refused(query: str, more: dict[str, object]) -> None:
    space, _ = lived("renewed")
    with pytest.raises(Unreadable):
        space.search("charge", query, **more)  # type: ignore[arg-type]


def test_fields_without_a_value_are_left_out_or_null() -> None:
    space, subscription = lived("renewed")
    other = LIFECYCLES["renewed"].space(habits=Habits(nulls=True))
    assert "terminatedOn" not in (space.object("subscription", subscription) or {})
    assert (other.object("subscription", subscription) or {})["terminatedOn"] is None


def test_terms_stand_in_the_comment_of_the_version_that_was_bought() -> None:
    space, subscription = lived("more_seats")
    version = space.search("version", f"subscription.id:{subscription} AND state:ACTIVE", expand=["productVersion"])
    [it] = version.data
    assert "quantity = team-seat" in it["productVersion"]["comment"]
    [chosen] = it["componentConfigurations"]
    component = space.object("component", chosen["component"], ["reference"])
    assert component is not None
    assert (component["reference"]["sku"], chosen["quantity"]) == ("team-seat", 3.5)


def test_money_given_back_shows_on_the_transaction() -> None:
    space, subscription = lived("refunded_in_part")
    [charge] = space.search("charge", f"subscription.id:{subscription}", expand=["transaction"]).data
    assert (charge["transaction"]["authorizationAmount"], charge["transaction"]["refundedAmount"]) == (29.0, 12.0)
    refunds = space.search("refund", f"transaction.id:{charge['transaction']['id']}", order="id:ASC").data
    assert [each["state"] for each in refunds] == ["SUCCESSFUL", "FAILED", "SUCCESSFUL"]


def test_levels_are_found_by_the_transaction_that_they_ask_for() -> None:
    space, subscription = lived("failed_then_paid")
    charge = space.search("charge", f"subscription.id:{subscription}", order="id:ASC").data[1]
    levels = space.search("level", f"transaction.id:{charge['transaction']['id']}", order="id:DESC").data
    assert [each["state"] for each in levels] == ["SUCCESSFUL", "FAILED"]


@every_life
def test_a_past_moment_shows_the_state_that_its_webhook_told(name: str) -> None:
    space = LIFECYCLES[name].space()
    for it in space.happenings:
        shown = space.object(it.kind, it.entity, after=it.place)
        assert shown is not None
        assert shown["state"] == it.state
        if it.changed:
            earlier = space.object(it.kind, it.entity, after=it.place - 1)
            assert earlier is None or earlier["state"] != it.state


def test_a_look_between_two_acts_shows_nothing_of_the_next() -> None:
    space, subscription = lived("renewed")
    ends = {it.act: it.place for it in space.happenings}
    about = f"subscriptionVersion.subscription.id:{subscription}"
    bills = [space.search("period-bill", about, after=place).data for place in ends.values()]
    # Created, initialized, confirmed, and renewed three times.
    assert [[each["state"] for each in held] for held in bills] == [
        [], [], ["PENDING"], ["BILLED", "PENDING"], ["BILLED"] * 2 + ["PENDING"], ["BILLED"] * 3 + ["PENDING"],
    ]  # fmt: skip
