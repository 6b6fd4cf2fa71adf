"""Policy: what the vendor decided, for a source and differently for one product."""

import msgspec
import pytest

from domain.policy import Policy, ProductPolicy


def test_a_product_is_treated_as_the_source_says_where_it_says_nothing_itself() -> None:
    policy = Policy(renewal_margin_hours=24, on_refund="keep", products={"PRO": ProductPolicy(past_due_days=7)})
    own = policy.of("PRO")
    assert (own.past_due_days, own.renewal_margin_hours, own.on_refund) == (7, 24, "keep")
    assert policy.of("APP") is policy


def test_whatever_a_source_can_decide_can_be_decided_for_a_product() -> None:
    assert set(ProductPolicy.__struct_fields__) == set(Policy.__struct_fields__) - {"products"}


def test_a_product_can_go_back_to_what_is_so_by_default() -> None:
    policy = Policy(past_due_days=7, products={"PRO": ProductPolicy(past_due_days="provider")})
    assert policy.of("PRO").past_due_days == "provider"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ('{"past_due_days": -1}', 'past_due_days must be "provider" or between 0 and 366'),
        ('{"past_due_days": 367}', 'past_due_days must be "provider" or between 0 and 366'),
        ('{"past_due_days": "always"}', "Invalid enum value 'always'"),
        ('{"renewal_margin_hours": 8785}', "renewal_margin_hours must be between 0 and 8784"),
        ('{"products": {"PRO": {"past_due_days": 367}}}', 'past_due_days must be "provider" or between 0 and 366'),
        ('{"products": {"PRO": {"on_fire": "keep"}}}', "unknown field `on_fire`"),
        ('{"on_pause": "maybe"}', "Invalid enum value 'maybe'"),
    ],
)
def test_what_is_not_allowed_is_refused_with_what_is(text: str, error: str) -> None:
    with pytest.raises(msgspec.ValidationError) as refused:
        msgspec.json.decode(text, type=Policy)
    assert error in str(refused.value)
