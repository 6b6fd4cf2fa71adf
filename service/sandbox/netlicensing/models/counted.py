"""Models that count: Pay-per-Use and Quota."""

from __future__ import annotations

from service.sandbox.netlicensing.models.verdict import Licensed, Verdict, yes
from service.sandbox.netlicensing.records import Record
from service.sandbox.netlicensing.values import count

UNLIMITED = -1


def pay_per_use(licensed: Licensed) -> Verdict:
    """What is used or reserved is taken from the oldest license that has some left; more than is left is not valid."""
    licenses = licensed.of_type("QUANTITY")
    remaining = sum(_left(license_) for license_ in licenses)
    asked = sum(
        int(count(name, licensed.sent[name], licensed.now))
        for name in ("usedQuantity", "reserveQuantity")
        if name in licensed.sent
    )
    enough = remaining > 0 and asked <= remaining
    changes = tuple(_used(licenses, asked)) if enough else ()
    left = remaining - asked if enough else remaining
    return Verdict(
        told={"valid": yes(enough), "remainingQuantity": str(left)},
        effective={"valid": remaining > 0, "remaining": remaining},
        changes=changes,
    )


def _left(license_: Record) -> int:
    return max(0, license_.count("quantity") - license_.count("usedQuantity"))


def _used(licenses: list[Record], amount: int) -> list[Record]:
    changed = []
    for license_ in licenses:
        taken = min(amount, _left(license_))
        amount -= taken
        if taken:
            changed.append(license_.with_values(usedQuantity=str(license_.count("usedQuantity") + taken)))
    return changed


def quota(licensed: Licensed) -> Verdict:
    """The sum of the licenses; one unlimited license makes it unlimited."""
    amounts = [license_.count("quantity") for license_ in licensed.of_type("QUANTITY")]
    total = UNLIMITED if UNLIMITED in amounts else sum(amounts)
    return Verdict(
        told={"valid": yes(total != 0), "quota": str(total)}, effective={"valid": total != 0, "quota": total}
    )
