"""Why a subscription or purchase has no license, or none that works; each reason with what to do about it. Pure."""

from collections.abc import Iterator

import msgspec

from domain.licensing.claims import REMEDY, claims_of
from domain.lifecycle import State
from domain.subscription import Subscription, all_given_back
from domain.terms import CodeMissing, TermsError, read_terms


class Reason(msgspec.Struct, frozen=True):
    """What stands in the way, and what to do."""

    what: str
    todo: str


def why_no_license(s: Subscription, extend: str = "") -> list[Reason]:
    """What keeps a folded subscription from having a license that works; empty when nothing does.

    `extend` is a license that an operator may extend, if there is one.
    """
    return [
        *_of_state(s, f"; or tenure license extend {extend} --by 7d" if extend else ""),
        *_of_lines(s),
        *_of_disputes(s),
    ]


def _of_state(s: Subscription, extend: str) -> Iterator[Reason]:
    reason = f" ({s.state_reason})" if s.state_reason else ""
    since = f" since {s.state_since.at:%Y-%m-%d %H:%M} UTC" if s.state_since is not None else ""
    match s.state:
        case State.PENDING:
            yield Reason(
                "nothing is paid yet: it is pending",
                "wait for the first payment; the attribute unpaid_active_license_period gives licenses before it",
            )
        case State.SUSPENDED if s.grace is not None:
            yield Reason(
                f"it is past due{since}, and its grace is over",
                f"have the open payment made; policy past_due_days grants more{extend}",
            )
        case State.SUSPENDED:
            yield Reason(
                f"the provider suspended it{reason}{since}",
                f"have it resumed at the provider; for pauses there is the policy on_pause{extend}",
            )
        case State.TERMINATED if s.purchase and all_given_back(s):
            yield Reason(f"all that was paid went back{since}", 'policy on_refund = "keep" keeps such licenses')
        case State.TERMINATED:
            yield Reason(f"it ended{reason}{since}", f"a new purchase{extend}")
        case State.TRIALING | State.ACTIVE | State.PAST_DUE:
            return


def _of_lines(s: Subscription) -> Iterator[Reason]:
    if not s.lines:
        yield Reason("it is not known what was bought: no event named its lines", "see whether a webhook is missing")
        return
    for problem in claims_of(s).problems:
        yield Reason(problem.removesuffix(f"; {REMEDY}"), REMEDY)
    for held in s.lines.values():
        line = held.line
        if not line.described:
            yield Reason(f"line {line.id}: the terms of price {line.price} are not known yet", "they are read back")
            continue
        try:
            reading = read_terms(line.attributes, product=line.product, recurring=line.recurring)
        except (CodeMissing, TermsError):
            continue  # among the problems
        if line.quantity == 0:
            yield Reason(f"line {line.id}: its quantity is 0", "nothing, unless it should be more")
        elif reading.ignored:
            yield Reason(
                f"line {line.id}: ignore_product_in_licensespring says to sell it without a license",
                "take that attribute away in the store, and have the line described again",
            )
        elif reading.terms is None and reading.feature:
            yield Reason(
                f"line {line.id}: feature {reading.feature!r} alone is an add-on of the licenses beside it",
                "give it a short_code, too, if it is a license by itself",
            )
        elif reading.terms is None:
            yield Reason(
                f"line {line.id}: price {line.price} has no product code",
                "give it the attribute short_code (product_short_code) in the store, and have the line described again",
            )


def _of_disputes(s: Subscription) -> Iterator[Reason]:
    if s.disputes and any(each.outcome is None for each in s.disputes.values()):
        yield Reason("a payment is disputed", 'wait for the outcome; policy on_dispute = "keep" keeps licenses')
