"""Whatever a vendor writes into attributes, the check tells what comes of it and agrees with the rules."""

from typing import Literal

from hypothesis import given
from hypothesis import strategies as st

from domain.attributes import ATTRIBUTES, CUSTOM_FIELD
from domain.terms import Reading, TermsError, read_terms
from service.terms_check import check
from service.terms_files import Offer

NAMES = [*ATTRIBUTES, CUSTOM_FIELD, f"{CUSTOM_FIELD}Edition", "shortcode", "Max-Activations", "product_short_cod"]
TEXTS = st.one_of(
    st.sampled_from(["true", "false", "1", "0", "3", "30d", "1y", "subscription", "perpetual", "consumption", "app"]),
    st.text(max_size=12),
)
OFFERS = st.builds(
    Offer,
    name=st.text(min_size=1, max_size=8),
    provider=st.sampled_from(["stripe", "fastspring"]),
    recurring=st.booleans(),
    attributes=st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=12), TEXTS, max_size=6),
)


def read(offer: Offer) -> Reading | TermsError:
    try:
        kind: Literal["price", "product"] = "price" if offer.provider == "stripe" else "product"
        return read_terms(offer.attributes, product=offer.name, recurring=offer.recurring, kind=kind)
    except TermsError as error:
        return error


@given(offer=OFFERS, quantity=st.integers(1, 4))
def test_the_verdict_is_that_of_the_rules_and_something_is_said_of_every_error(offer: Offer, quantity: int) -> None:
    found = check(offer, quantity=quantity)
    reading = read(offer)
    if isinstance(reading, TermsError):
        assert (found.verdict, found.errors, found.licenses) == ("wrong", reading.errors, 0)
        return
    assert not found.errors
    if reading.terms is None:
        assert found.verdict == ("ok" if reading.feature else "not licensed")
        assert found.feature == reading.feature
        assert found.licenses == 0
    else:
        assert found.verdict == "ok"
        assert found.licenses == (1 if reading.terms.single_license else quantity)
        assert (found.product_code, found.license_type) == (reading.terms.product_code, reading.terms.license_type)
