"""What operators decide: it counts over everything that a provider says, until it is undone or lapses."""

from datetime import datetime, timedelta

import msgspec
import pytest

from domain import facts as f
from domain.acts import (
    DEEDS,
    AnyDeed,
    FieldSet,
    LicenseDisabled,
    LicenseEnabled,
    LicenseExtended,
    Merged,
    OperatorActed,
    Undone,
    read_body,
    type_of,
    write_body,
)
from domain.events import Event
from domain.licensing.settable import NotSettable, read_value
from tests.stories import (
    FEBRUARY,
    JANUARY,
    LATE_JANUARY,
    MARCH,
    MID_JANUARY,
    PAID_FEBRUARY,
    PAID_JANUARY,
    STREAM,
    SUBSCRIBED,
    Story,
    acted,
    because,
    described,
    given,
    happened,
    line,
    paid,
    paying,
    period,
    refunded,
    utc,
)

MID_FEBRUARY = utc(2026, 2, 15)
OTHER = "acme/subscription/sub_2"
ENDED = happened(FEBRUARY, f.SubscriptionTerminated(), named="ended")


def license_of(story: Story) -> str:
    return story.license().id


def act(
    story: Story, deed: type[LicenseDisabled | LicenseEnabled], at: datetime = MID_JANUARY, **more: object
) -> Event:
    return acted(at, deed(license=license_of(story)), **{"named": f"act_{deed.__name__}", **more})  # type: ignore[arg-type]


# --- disable and enable -------------------------------------------------------------------------------------


def test_a_disabled_license_says_who_decided_it_and_why_and_which_event_that_is() -> None:
    story = paying()
    stopped = story.when(act(story, LicenseDisabled)).license()
    assert stopped.enabled is False
    assert because(stopped, "enabled") == (
        "operator act: disabled by ada: asked on the phone",
        "act_LicenseDisabled",
    )
    assert because(stopped, "expiry") == because(story.license(), "expiry")


def test_webhooks_do_not_wipe_what_an_operator_disabled() -> None:
    story = paying()
    renewed = story.when(act(story, LicenseDisabled), PAID_FEBRUARY, happened(MARCH, f.SubscriptionActivated()))
    assert renewed.license().enabled is False
    assert renewed.license().expiry == MARCH


def test_an_enabled_license_works_although_the_subscription_ended_and_keeps_its_devices() -> None:
    story = given(SUBSCRIBED, PAID_JANUARY, ENDED, policy=paying(devices_at_end="free").policy)
    assert (story.license().enabled, story.license().free_devices) == (False, True)
    back = story.when(act(story, LicenseEnabled, MARCH)).license()
    assert (back.enabled, back.free_devices) == (True, False)


def test_of_two_acts_on_one_license_the_later_counts_whichever_was_recorded_first() -> None:
    story = paying()
    first, second = act(story, LicenseDisabled, MID_JANUARY), act(story, LicenseEnabled, LATE_JANUARY)
    assert story.when(first, second).license().enabled is True
    assert story.when(second, first).license().enabled is True


def test_of_two_acts_of_one_instant_the_greater_id_counts() -> None:
    story = paying()
    a, b = act(story, LicenseDisabled, named="act_a"), act(story, LicenseEnabled, named="act_b")
    assert story.when(b, a).license().enabled is True


def test_neither_enabling_nor_extending_brings_back_a_unit_that_is_no_longer_sold() -> None:
    two = given(happened(JANUARY, described(line(quantity=2, start=JANUARY, end=FEBRUARY)), f.SubscriptionActivated()))
    _, second = two.licenses
    lowered = two.when(happened(MID_JANUARY, described(line(quantity=1, start=JANUARY, end=FEBRUARY))))
    for deed in (LicenseEnabled(license=second.id), LicenseExtended(license=second.id, until=MARCH)):
        assert [each.enabled for each in lowered.when(acted(LATE_JANUARY, deed)).licenses] == [True, False]


# --- extend -------------------------------------------------------------------------------------------------


def test_an_extension_moves_the_expiry_to_what_was_asked_and_keeps_the_margin() -> None:
    story = paying()
    longer = story.when(acted(MID_JANUARY, LicenseExtended(license=license_of(story), until=MID_FEBRUARY))).license()
    assert longer.expiry == MID_FEBRUARY
    assert longer.margin_hours == story.license().margin_hours
    assert "extended to 2026-02-15" in longer.because["expiry"].rule


def test_an_extension_never_shortens_what_is_paid_for() -> None:
    story = paying()
    extended = story.when(acted(MID_JANUARY, LicenseExtended(license=license_of(story), until=MID_FEBRUARY)))
    assert extended.when(PAID_FEBRUARY).license().expiry == MARCH
    early = story.when(acted(MID_JANUARY, LicenseExtended(license=license_of(story), until=LATE_JANUARY)))
    assert early.license().expiry == FEBRUARY


def test_an_extended_license_works_until_then_although_its_subscription_ends_and_not_longer() -> None:
    story = paying()
    extension = acted(MID_JANUARY, LicenseExtended(license=license_of(story), until=MID_FEBRUARY), named="act_1")
    ended = story.when(extension, ENDED)
    assert ended.license().enabled is True
    assert [(timer.type, timer.at) for timer in ended.timers] == [("tenure.override_lapsed", MID_FEBRUARY)]
    over = ended.at(MID_FEBRUARY)
    assert over.license().enabled is False
    assert over.timers == ()


def test_an_extension_does_not_give_back_what_was_refunded_or_disabled_by_hand() -> None:
    story = paying()
    extension = acted(MID_JANUARY, LicenseExtended(license=license_of(story), until=MID_FEBRUARY))
    back = happened(LATE_JANUARY, refunded("pi_1", 1000))
    assert story.when(extension, back).license().enabled is False
    assert story.when(extension, act(story, LicenseDisabled)).license().enabled is False


# --- fields -------------------------------------------------------------------------------------------------


def field_set(story: Story, field: str, value: object, at: datetime = MID_JANUARY, **more: object) -> Event:
    deed = FieldSet(license=license_of(story), field=field, value=value)  # type: ignore[arg-type]
    return acted(at, deed, **more)  # type: ignore[arg-type]


def test_a_field_that_was_set_keeps_its_value_whatever_the_catalog_says_later() -> None:
    story = paying()
    changed = happened(LATE_JANUARY, described(line(attributes={"product_short_code": "APP", "max_activations": "4"})))
    later = story.when(field_set(story, "max_activations", 9), changed).license()
    assert later.max_activations == 9
    assert because(later, "max_activations")[0] == "operator act: set by ada: asked on the phone"


def test_each_custom_field_is_decided_by_itself() -> None:
    story = paying()
    both = story.when(
        field_set(story, "custom_fields.tier", "gold"),
        field_set(story, "custom_fields.region", "eu", LATE_JANUARY),
        field_set(story, "custom_fields.tier", "silver", FEBRUARY),
    )
    assert both.license().custom_fields == {"tier": "silver", "region": "eu"}


def test_more_at_the_same_time_than_may_activate_raises_the_activations_too() -> None:
    story = paying()
    assert story.license().max_activations == 3
    floating = story.when(field_set(story, "floating_users", 5)).license()
    assert (floating.floating_users, floating.max_activations) == (5, 5)


def test_a_recorded_value_that_no_field_can_have_changes_nothing() -> None:
    story = paying()
    assert story.when(field_set(story, "max_activations", "many")).license() == story.license()
    assert story.when(field_set(story, "product_code", "OTHER")).license() == story.license()


@pytest.mark.parametrize(
    ("field", "given_value", "read"),
    [
        ("max_activations", "5", 5),
        ("max_activations", 5, 5),
        ("maintenance", "yes", True),
        ("maintenance", False, False),
        ("maintenance_duration", "1y", "1y"),
        ("features", "b, a,b", ("a", "b")),
        ("features", "", ()),
        ("note", "ask first", "ask first"),
        ("custom_fields.tier", "gold", "gold"),
    ],
)
def test_values_are_read_as_the_catalogs_attributes_are(field: str, given_value: object, read: object) -> None:
    assert read_value(field, given_value) == read  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("max_activations", "many", "a whole number"),
        ("max_activations", True, "a whole number"),
        ("enabled", "no", "tenure license enable"),
        ("expiry", "2027-01-01", "tenure license extend"),
        ("colour", "red", "max_activations, floating_users"),
        ("custom_fields.", "x", "1 to 100"),
        ("custom_fields.a\x1b", "x", "can be printed"),
        ("custom_fields.\ud800", "x", "can be printed"),
        ("\x1bcolour", "red", r"\\x1bcolour cannot be set"),
        ("features", "a\x00b", "can be printed"),
        ("features", ("a", "\x1b[31m"), "can be printed"),
        ("features", "\ud800", "can be printed"),
        ("note", "two\nlines", "one line"),
    ],
)
def test_what_cannot_be_set_is_refused_with_what_can(field: str, value: object, told: str) -> None:
    with pytest.raises(NotSettable, match=told):
        read_value(field, value)  # type: ignore[arg-type]


def test_a_field_that_means_nothing_for_the_type_is_refused() -> None:
    with pytest.raises(NotSettable, match="it is for consumption"):
        read_value("max_consumptions", "5", "subscription")


# --- expiry and undoing -------------------------------------------------------------------------------------


def test_an_act_with_an_expiry_lapses_by_a_timer_once_and_as_of_that_day() -> None:
    story = paying()
    stopped = story.when(act(story, LicenseDisabled, expires=LATE_JANUARY))
    assert stopped.license().enabled is False
    (timer,) = stopped.timers
    assert (timer.at, timer.event_id) == (LATE_JANUARY, "tenure.override_lapsed:act_LicenseDisabled")
    lapsed = stopped.at(LATE_JANUARY)
    assert lapsed.license().enabled is True
    assert lapsed.timers == ()


def test_an_undone_act_counts_no_more_and_rings_no_more() -> None:
    story = paying()
    undone = story.when(
        act(story, LicenseDisabled, expires=FEBRUARY), acted(LATE_JANUARY, Undone(undoes="act_LicenseDisabled"))
    )
    assert undone.license() == story.license()
    assert undone.timers == ()


def test_an_undoing_can_be_undone() -> None:
    story = paying()
    again = story.when(
        act(story, LicenseDisabled),
        acted(LATE_JANUARY, Undone(undoes="act_LicenseDisabled"), named="act_u"),
        acted(FEBRUARY, Undone(undoes="act_u"), named="act_uu"),
    )
    assert again.license().enabled is False


def test_nothing_undoes_what_is_younger_than_itself() -> None:
    story = paying()
    early = acted(JANUARY, Undone(undoes="act_LicenseDisabled"))
    assert story.when(early, act(story, LicenseDisabled)).license().enabled is False


# --- merge --------------------------------------------------------------------------------------------------


def merged(duplicate: str, kept: str, at: datetime = MID_JANUARY, named: str = "act_m") -> Event:
    return acted(at, Merged(duplicate=duplicate, kept=kept), named=named)


def test_the_licenses_of_a_duplicate_are_disabled_and_name_the_one_that_is_kept() -> None:
    gone = paying().when(merged(STREAM, OTHER))
    assert gone.license().enabled is False
    assert f"merged into {OTHER} by ada" in gone.license().because["enabled"].rule
    assert gone.when(acted(MARCH, Undone(undoes="act_m"))).license().enabled is True


def test_the_one_that_is_kept_stays_as_it_is() -> None:
    story = paying()
    assert story.when(merged(OTHER, STREAM)).license() == story.license()


def test_a_duplicate_stays_without_license_whatever_else_is_decided_or_paid() -> None:
    story = paying()
    enabled = act(story, LicenseEnabled, FEBRUARY)
    extended = acted(FEBRUARY, LicenseExtended(license=license_of(story), until=MARCH))
    assert story.when(merged(STREAM, OTHER), enabled, extended, PAID_FEBRUARY).license().enabled is False


def test_of_two_that_were_merged_into_each_other_the_later_merge_keeps_exactly_one() -> None:
    there, back = merged(STREAM, OTHER, named="act_1"), merged(OTHER, STREAM, LATE_JANUARY, named="act_2")
    assert paying().when(there, back).license().enabled is True
    assert paying().when(back, there).license().enabled is True


def test_a_duplicate_that_is_paid_for_again_is_a_problem_that_says_what_to_do() -> None:
    again = paying().when(merged(STREAM, OTHER), PAID_FEBRUARY)
    (problem,) = again.entitlement.problems
    assert "end it at the provider" in problem
    assert "tenure license undo act_m" in problem


def test_one_that_was_kept_and_ends_is_a_problem_that_says_what_to_do() -> None:
    ended = paying().when(merged(OTHER, STREAM), ENDED)
    (problem,) = ended.entitlement.problems
    assert "tenure license undo act_m" in problem


# --- bodies -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "deed",
    [
        LicenseDisabled(license="lic_1"),
        LicenseExtended(license="lic_1", until=FEBRUARY),
        FieldSet(license="lic_1", field="features", value=("a", "b")),
        Merged(duplicate=STREAM, kept=OTHER),
        Undone(undoes="act_1", what="license lic_1 disabled"),
    ],
)
def test_a_body_is_read_as_it_was_written(deed: AnyDeed) -> None:
    fact = OperatorActed(author="ada", reason="because", deed=deed, expires=MARCH + timedelta(hours=1))
    assert read_body(write_body(fact)) == fact


def test_a_body_of_version_1_as_it_was_first_written_is_read_for_ever() -> None:
    body = (
        b'{"version":1,"author":"ada","reason":"fraud","deed":{"act":"license_disabled","license":"lic_1"},'
        b'"expires":"2026-03-01T00:00:00Z"}'
    )
    assert read_body(body) == OperatorActed(
        author="ada", reason="fraud", deed=LicenseDisabled(license="lic_1"), expires=MARCH
    )


def test_a_body_of_a_later_version_stops_the_stream_and_says_to_upgrade() -> None:
    story = paying()
    event = act(story, LicenseDisabled)
    newer = msgspec.structs.replace(event, body=event.body.replace(b"{", b'{"version":2,', 1))
    assert "version 2" in story.when(newer).fold.stopped
    assert "upgrade" in story.when(newer).fold.stopped


def test_every_deed_has_a_type_of_its_own() -> None:
    assert {f"operator.{each.__struct_config__.tag}" for each in DEEDS} == {
        "operator.license_disabled",
        "operator.license_enabled",
        "operator.license_extended",
        "operator.field_set",
        "operator.merged",
        "operator.undone",
    }
    assert type_of(Undone(undoes="x")) == "operator.undone"


def test_a_second_line_is_paid_and_extended_by_itself() -> None:
    lines = described(line("a", start=JANUARY, end=FEBRUARY), line("b", start=JANUARY, end=FEBRUARY))
    both = period(JANUARY, FEBRUARY, "a"), period(JANUARY, FEBRUARY, "b")
    story = given(happened(JANUARY, lines, f.SubscriptionActivated(), paid("in_1", *both)))
    _, second = story.licenses
    longer = story.when(acted(MID_JANUARY, LicenseExtended(license=second.id, until=MARCH)))
    assert [each.expiry for each in longer.licenses] == [FEBRUARY, MARCH]
