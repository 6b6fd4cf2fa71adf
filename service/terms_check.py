"""What a price or product will be licensed as, found by selling it: a made-up purchase goes through the real rules.

Nothing of those rules stands here a second time. The purchase is made on the first of January and, where it is
recurring, paid through January.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from domain import facts as f
from domain.attributes import ATTRIBUTES, CUSTOM_FIELD, attribute_of
from domain.events import stream_of
from domain.fold import fold_event
from domain.licensing import Entitlement, License, entitle
from domain.policy import Policy
from domain.providers.table import PROVIDERS
from domain.subscription import EventRef, Subscription
from domain.terms import TermsError, read_terms
from service.terms_files import Offer

BOUGHT = datetime(2026, 1, 1, tzinfo=UTC)
PAID_THROUGH = datetime(2026, 2, 1, tzinfo=UTC)
BUYER = "buyer@example.com"
_STREAM = stream_of("check", "subscription", "made-up")
_SALE = EventRef("made-up", "made up", BOUGHT)
_OFFER, _BESIDE = "offer", "beside"

Verdict = Literal["ok", "wrong", "not licensed"]


class Becomes(msgspec.Struct, frozen=True, kw_only=True):
    """An attribute, and what it makes of a license. `license` holds its fields with their values, empty for none.

    `unpaid`: it does so before anything is paid.
    """

    attribute: str
    value: str
    license: dict[str, Any]
    unpaid: bool = False


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """What was found out about one offer, sold in that quantity.

    `follows` are the fields of the first license that are otherwise for one unit; `licenses` counts them. Values are
    those of the made-up purchase. `feature` is what the offer adds to licenses beside it, if it does only that.
    """

    name: str
    provider: str
    recurring: bool
    verdict: Verdict
    product_code: str = ""
    license_type: str = ""
    feature: str = ""
    is_bundle: bool = False
    quantity: int
    licenses: int = 0
    follows: dict[str, Any] = {}
    attributes: tuple[Becomes, ...] = ()
    warnings: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()


def check(offer: Offer, *, quantity: int = 1, targets: Mapping[str, Policy] | None = None) -> Check:
    """Sells the offer and says what came of it; never raises for what a vendor wrote.

    `targets` are those of the source that offers it, each with the policy as it is there; None where it is not known.
    """
    kind = PROVIDERS[offer.provider].sells
    try:
        reading = read_terms(offer.attributes, product=offer.name, recurring=offer.recurring, kind=kind)
    except TermsError as error:
        return _checked(offer, quantity, "wrong", errors=error.errors, warnings=error.warnings)
    if reading.terms is None and not reading.feature:
        return _checked(offer, quantity, "not licensed")
    named = reading.terms.target if reading.terms else ""
    if targets and named and named not in targets:
        unknown = f"license_target {named!r} is no target of this source: name one of {', '.join(targets)}"
        return _checked(offer, quantity, "wrong", errors=(unknown,), warnings=reading.warnings)
    policy = (targets or {}).get(named) or next(iter((targets or {}).values()), Policy())
    sold, warnings = _sold(offer, quantity, policy), reading.warnings
    if sold.problems:
        errors = tuple(each.removeprefix(f"line {_OFFER}: ") for each in sold.problems)
        return _checked(offer, quantity, "wrong", errors=errors, warnings=warnings)
    licenses = _of_offer(sold)
    if reading.terms is None or not licenses:
        features = ", ".join(feature for each in sold.licenses for feature in each.features)
        return _checked(offer, quantity, "ok", feature=features, warnings=warnings)
    single = _of_offer(_sold(offer, 1, policy))[0]
    unpaid = _of_offer(_sold(offer, quantity, policy, paid=False))
    return _checked(
        offer,
        quantity,
        "ok",
        product_code=reading.terms.product_code,
        license_type=reading.terms.license_type,
        is_bundle=licenses[0].is_bundle,
        licenses=len(licenses),
        follows=_differences(licenses[0], single),
        attributes=tuple(_becomes(offer, licenses[0], unpaid[0] if unpaid else None)),
        warnings=warnings,
    )


def _checked(offer: Offer, quantity: int, verdict: Verdict, **found: Any) -> Check:
    return Check(
        name=offer.name,
        provider=offer.provider,
        recurring=offer.recurring,
        quantity=quantity,
        verdict=verdict,
        **found,
    )


# --- the made-up purchase -----------------------------------------------------------------------------------


def _sold(offer: Offer, quantity: int, policy: Policy, *, paid: bool = True) -> Entitlement:
    """What is licensed when the offer is bought together with another product, to which add-ons add."""
    period = (BOUGHT, PAID_THROUGH) if offer.recurring else (None, None)
    line = f.Line(
        id=_OFFER,
        product=offer.name,
        price=offer.name,
        quantity=quantity,
        attributes=offer.attributes,
        recurring=offer.recurring,
        period_start=period[0],
        period_end=period[1],
    )
    beside = msgspec.structs.replace(line, id=_BESIDE, quantity=1, attributes={"short_code": _BESIDE})
    told: list[f.Fact] = [
        f.CustomerDescribed(email=BUYER, name="A Buyer"),
        f.LinesDescribed(lines=(line, beside)),
        *(_subscribed(paid=paid) if offer.recurring else [f.PurchaseCompleted(paid=paid)]),
    ]
    subscription = Subscription()
    fold_event(subscription, _SALE, told)
    return entitle(_STREAM, subscription, policy)


def _subscribed(*, paid: bool) -> Sequence[f.Fact]:
    if not paid:
        return (f.SubscriptionBegan(), f.SubscriptionOpened())
    periods = tuple(f.PaidPeriod(line=line, start=BOUGHT, end=PAID_THROUGH) for line in (_OFFER, _BESIDE))
    payment = f.PeriodPaid(invoice="made-up", periods=periods, amount=1, currency="eur", first=True)
    return (f.SubscriptionBegan(), f.SubscriptionActivated(), payment)


def _of_offer(sold: Entitlement) -> list[License]:
    return [each for each in sold.licenses if each.line == _OFFER]


def _differences(one: License, other: License) -> dict[str, Any]:
    """The fields of the first license that the second has otherwise."""
    return {
        name: value
        for name in License.__struct_fields__
        if name != "because" and (value := getattr(one, name)) != getattr(other, name)
    }


# --- what each attribute did --------------------------------------------------------------------------------


def _becomes(offer: Offer, license_: License, unpaid: License | None) -> Iterable[Becomes]:
    """One entry per known attribute, in the order of the table."""
    order = list(ATTRIBUTES)
    known = [(row, name) for name in offer.attributes if (row := attribute_of(name)) is not None]
    for row, name in sorted(known, key=lambda each: (order.index(each[0].name), each[1])):
        before = row.field == "unpaid_duration"
        source = unpaid if before else license_
        values = {} if source is None else {field: _value(source, field, name) for field in row.license}
        yield Becomes(attribute=name, value=offer.attributes[name], license=values, unpaid=before)


def _value(license_: License, field: str, attribute: str) -> Any:
    value = getattr(license_, field)
    return value.get(attribute.removeprefix(CUSTOM_FIELD)) if field == "custom_fields" else value
