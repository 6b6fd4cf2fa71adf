"""What a subscription's lines claim: which are licensed as what, now and in every form they were ever sold in."""

from collections.abc import Iterator, Sequence

import msgspec

from domain.facts import Line
from domain.licensing.seats import MOST_SEATS, too_many
from domain.subscription import EventRef, SoldLine, Subscription
from domain.terms import CodeMissing, Reading, Terms, TermsError, read_terms

MOST_UNITS = 10_000
"""Licenses of one line; buyers can choose quantities, and one of them must not exhaust the process."""

REMEDY = "correct it in the store: the next webhook that describes it counts, from some stores also this one sent again"


class Claim(msgspec.Struct, frozen=True):
    """One form of a line, as it was understood; unless `current` its licenses only remain to be disabled."""

    line: Line
    quantity: int
    terms: Terms
    feature: str
    since: EventRef
    current: bool

    @property
    def units(self) -> int:
        """How many licenses it makes."""
        return min(self.quantity, 1 if self.terms.single_license else MOST_UNITS)


class Claims(msgspec.Struct):
    """All claims of a subscription, the codes of features that add-ons give, and what is wrong."""

    current: list[Claim]
    former: list[Claim]
    add_ons: set[str]
    problems: list[str]
    warnings: list[str]


class _Understood(msgspec.Struct, frozen=True):
    """A form in which a line was sold, and what was read from it."""

    sold: SoldLine
    reading: Reading


def claims_of(s: Subscription) -> Claims:
    """Reads every line. What cannot be used or is not described yet stays as it was understood last.

    So neither a vendor's slip nor a payload that says less than the one before locks anybody out.
    """
    understood = list(_understood(s))
    claims = Claims([], [each for form in understood if (each := _former(form)) is not None], set(), [], [])
    for held in s.lines.values():
        line = held.line
        form, problem, warnings = _form_of(line, understood)
        claims.warnings += warnings
        if problem:
            claims.problems.append(f"line {line.id}: {problem}; {REMEDY}")
        if isinstance(form, Reading):
            _claim(claims, line, form, held.since)
        elif form is not None:
            _claim(claims, _still(form.sold.line, line), form.reading, form.sold.since)
    return claims


def warnings_of(s: Subscription) -> tuple[str, ...]:
    """What is ignored of the lines' attributes, each once."""
    return tuple(dict.fromkeys(claims_of(s).warnings))


def _understood(s: Subscription) -> Iterator[_Understood]:
    """Every form in which a line was ever sold, the latest first. What was never understood made no licenses."""
    for sold in reversed(s.sold):
        try:
            yield _Understood(sold, _read(sold.line))
        except TermsError:
            continue


def _read(line: Line) -> Reading:
    return read_terms(line.attributes, product=line.product, recurring=line.recurring)


def _former(form: _Understood) -> Claim | None:
    sold, reading = form.sold, form.reading
    if reading.terms is None:
        return None
    # What one license of several units allows follows from how many there were at last.
    most = min(sold.most, MOST_SEATS)
    quantity = min(sold.line.quantity or most, MOST_SEATS) if reading.terms.single_license else most
    return Claim(sold.line, quantity, reading.terms, reading.feature, sold.since, current=False)


def _form_of(
    line: Line, understood: Sequence[_Understood]
) -> tuple[Reading | _Understood | None, str, tuple[str, ...]]:
    """What counts for a line, its own reading or a former one; what is wrong with it; and warnings."""
    last = next((each for each in understood if each.sold.line.id == line.id and _says(each.reading)), None)
    if not line.described:
        return last, "", ()
    try:
        reading, missing = _read(line), ""
    except CodeMissing as error:
        reading, missing = Reading(None, error.warnings), str(error)
    except TermsError as error:
        return last, str(error), error.warnings
    reading = _with_its_target(line, reading, understood)
    warnings = (*reading.warnings, *_edited(line, reading, understood))
    lost = next((each for each in understood if _same_price(each.sold.line, line) and _says(each.reading)), None)
    if lost is None or reading.terms is not None or reading.ignored:
        return (last if missing else reading), missing, warnings
    # The same price was licensed before: its code was lost by a slip, not by a choice of the customer.
    if lost.reading.terms is not None:
        slip = f"price {line.price} lost its product code {lost.reading.terms.product_code!r}"
    elif not reading.feature:
        slip = f"price {line.price} lost its feature code {lost.reading.feature!r}"
    else:
        return reading, "", warnings
    return lost, "; ".join(filter(None, (slip, missing))), warnings


def _with_its_target(line: Line, reading: Reading, understood: Sequence[_Understood]) -> Reading:
    """The same, at the target that the price was sold for, should its name have been lost.

    What names no target is licensed at all of them, and nobody would be sold a second license by leaving a word out.
    """
    terms = reading.terms
    if terms is None or terms.target:
        return reading
    sold = (each.reading.terms for each in understood if _sale(each.sold.line) == _sale(line))
    named = next((each.target for each in sold if each is not None and each.target), "")
    if not named:
        return reading
    lost = f"price {line.price} lost its license_target {named!r}, which is kept: name the target that it is to have"
    terms = msgspec.structs.replace(terms, target=named)
    return msgspec.structs.replace(reading, terms=terms, warnings=(*reading.warnings, lost))


def _edited(line: Line, reading: Reading, understood: Sequence[_Understood]) -> Iterator[str]:
    """The catalog was edited after the price was sold: licenses of the new code replace those of the old one.

    To edit it back brings the old ones back, with their keys; so a slip can be mended.
    """
    now = reading.terms
    sold = (each.reading.terms for each in understood if _sale(each.sold.line) == _sale(line))
    for before in sold:
        if now is not None and before is not None and _code(before) != _code(now):
            yield (
                f"price {line.price} was sold as {before.product_code!r} ({before.license_type}) before and is "
                f"{now.product_code!r} ({now.license_type}) now: its licenses are replaced"
            )


def _says(reading: Reading) -> bool:
    return reading.terms is not None or bool(reading.feature)


def _same_price(before: Line, now: Line) -> bool:
    return _price(before) == _price(now)


def _price(line: Line) -> tuple[str, str, str]:
    return line.id, line.price, line.product


def _sale(line: Line) -> tuple[str, str, str, bool]:
    return *_price(line), line.recurring


def _code(terms: Terms) -> tuple[str, str]:
    """What makes another license when it changes."""
    return terms.product_code, terms.license_type


def _still(understood: Line, now: Line) -> Line:
    """What was understood last, with the quantity and period of now."""
    return msgspec.structs.replace(
        understood, quantity=now.quantity, period_start=now.period_start, period_end=now.period_end
    )


def _claim(claims: Claims, line: Line, reading: Reading, since: EventRef) -> None:
    if reading.terms is None:
        if reading.feature and line.quantity > 0:
            claims.add_ons.add(reading.feature)
        return
    most = MOST_SEATS if reading.terms.single_license else MOST_UNITS
    if line.quantity > most:
        claims.problems.append(
            f"line {line.id}: quantity {line.quantity} is more than Tenure licenses for one line; "
            f"the first {most} units are licensed"
        )
    quantity = min(line.quantity, most)
    if much := too_many(reading.terms, quantity):
        claims.problems.append(f"line {line.id}: {much}; so many are licensed")
    claims.current.append(Claim(line, quantity, reading.terms, reading.feature, since, current=True))
