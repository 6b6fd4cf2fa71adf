"""Floating: sessions are checked out and in, as many at once as the licenses sum up to."""

from __future__ import annotations

from datetime import datetime, timedelta

from service.sandbox.netlicensing import errors
from service.sandbox.netlicensing.models.verdict import Licensed, Verdict, yes
from service.sandbox.netlicensing.records import Record
from service.sandbox.netlicensing.values import CHECKOUT_ACTIONS, choice, count, written

USUAL_VALIDITY = {"seconds": 86_400, "days": 1}
"""For a module without `maxCheckoutValidity`."""


def floating(licensed: Licensed) -> Verdict:
    """Raises Refused for a session without its id or with an unknown action."""
    most = sum(license_.count("maxSessions") for license_ in licensed.of_type("FLOATING"))
    held = {
        session: ends
        for session, ends in licensed.licensee.sessions.get(licensed.module.id, {}).items()
        if ends > licensed.now
    }
    effective = {"valid": most > 0, "sessions": most, "in_use": len(held)}
    if "sessionId" not in licensed.sent and "action" not in licensed.sent:
        listed = licensed.settings.floating_without_session == "listed"
        return Verdict(told={"valid": yes(len(held) < most)}, effective=effective, listed=listed)
    session = licensed.sent.get("sessionId", "")
    if not session:
        raise errors.malformed(errors.NO_SESSION.format(licensed.module.number))
    action = choice(*CHECKOUT_ACTIONS)("action", licensed.sent.get("action", ""), licensed.now)
    if action == "checkIn":
        held.pop(session, None)
        return Verdict(told={"valid": "true"}, effective=effective, changes=(_with(licensed, held),))
    if session not in held and len(held) >= most:
        return Verdict(told={"valid": "false"}, effective=effective)
    ends = licensed.now + _validity(licensed)
    told = {"valid": "true", "expirationTimestamp": written(ends)}
    return Verdict(told=told, effective=effective, changes=(_with(licensed, {**held, session: ends}),))


def _validity(licensed: Licensed) -> timedelta:
    """What the program asks for, up to what the module allows."""
    unit = licensed.settings.checkout_validity_unit
    most = licensed.module.count("maxCheckoutValidity") or USUAL_VALIDITY[unit]
    asked = licensed.sent.get("maxCheckoutValidity")
    wanted = most if asked is None else min(most, int(count("maxCheckoutValidity", asked, licensed.now)))
    return timedelta(seconds=min(wanted * (86_400 if unit == "days" else 1), 10**9))


def _with(licensed: Licensed, held: dict[str, datetime]) -> Record:
    return licensed.licensee.changed(sessions={**licensed.licensee.sessions, licensed.module.id: held})
