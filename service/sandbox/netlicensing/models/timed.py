"""Models whose licenses run for a time: Subscription, Try & Buy, Rental."""

from __future__ import annotations

import calendar
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from service.sandbox.netlicensing.models.verdict import Licensed, Verdict, yes
from service.sandbox.netlicensing.records import Record
from service.sandbox.netlicensing.values import written

DAYS = {"DAY": 1, "WEEK": 7}
MONTHS = {"MONTH": 1, "YEAR": 12}
LAST_YEAR = 9998


class Time(NamedTuple):
    """`ends` is None when there was never any time."""

    valid: bool
    ends: datetime | None


def later(start: datetime, volume: int, period: str) -> datetime:
    """The end of a time volume; months end at the same day, or at the last of a shorter one. Never beyond 9998."""
    if period in MONTHS:
        month = start.month - 1 + volume * MONTHS[period]
        year, month = start.year + month // 12, month % 12 + 1
        if year > LAST_YEAR:
            return start.replace(year=LAST_YEAR, day=1)
        return start.replace(year=year, month=month, day=min(start.day, calendar.monthrange(year, month)[1]))
    try:
        return start + timedelta(days=volume * DAYS[period or "DAY"])
    except OverflowError:
        return start.replace(year=LAST_YEAR, day=1)


def accumulated(licenses: Iterable[Record], now: datetime) -> Time:
    """Time volumes add up: one that begins before the end of those before it counts from that end."""
    started = [(start, license_) for license_ in licenses if (start := license_.instant("startDate")) is not None]
    valid, ends = False, None
    for start, license_ in sorted(started, key=lambda pair: (pair[0], pair[1].id)):
        begins = start if ends is None else max(start, ends)
        ends = later(begins, license_.count("timeVolume"), license_.text("timeVolumePeriod"))
        valid = valid or begins <= now < ends
    return Time(valid, ends)


def subscription(licensed: Licensed) -> Verdict:
    time = accumulated(licensed.of_type("TIMEVOLUME"), licensed.now)
    expires = {} if time.ends is None else {"expires": written(time.ends)}
    return Verdict(told={"valid": yes(time.valid), **expires}, effective={"valid": time.valid, "expires": time.ends})


def try_and_buy(licensed: Licensed) -> Verdict:
    """A bought license is valid for ever; else the trial, which the first validation begins."""
    if licensed.of_type("FEATURE"):
        return Verdict(told={"valid": "true", "evaluation": "false"}, effective={"valid": True, "evaluation": False})
    trials = licensed.of_type("TIMEVOLUME")
    time, begins = accumulated(trials, licensed.now), None
    if not trials:
        begins = next((one for one in licensed.templates if one.text("licenseType") == "TIMEVOLUME"), None)
        if begins is not None:
            ends = later(licensed.now, begins.count("timeVolume"), begins.text("timeVolumePeriod"))
            time = Time(valid=True, ends=ends)
    expires = {} if time.ends is None else {"evaluationExpires": written(time.ends)}
    return Verdict(
        told={"valid": yes(time.valid), "evaluation": "true", **expires},
        effective={"valid": time.valid, "evaluation": True, "expires": time.ends},
        begins=begins,
    )


def rental(licensed: Licensed) -> Verdict:
    """Each FEATURE license is a rented thing, with the time of those that name it."""
    lists, effective = {}, {}
    times = licensed.of_type("TIMEVOLUME")
    for feature in licensed.of_type("FEATURE"):
        own = [one for one in times if one.text("parentFeature") == feature.number]
        time = accumulated(own, licensed.now)
        expires = {} if time.ends is None else {"expires": written(time.ends)}
        level = {"expirationWarningLevel": _warning_level(licensed.module, time, licensed.now)}
        lists[feature.number] = {"valid": yes(time.valid), **expires, **level}
        effective[feature.number] = {"valid": time.valid, "expires": time.ends}
    any_valid = any(feature["valid"] for feature in effective.values())
    return Verdict(lists=lists, effective={"valid": any_valid, "features": effective})


def _warning_level(module: Record, time: Time, now: datetime) -> str:
    """By the days that are left; thresholds that are not set warn of nothing."""
    if not time.valid or time.ends is None:
        return "red"
    left = (time.ends - now) / timedelta(days=1)
    return next(
        (level for level in ("red", "yellow") if left < module.count(f"{level}Threshold")),
        "green",
    )
