"""At which of a source's targets a license belongs, and where it must not be made: another has it, it is a test. Pure.

A product may name its target (`License.target`); what names none is at all of them. What works at one target is never
made a second time at another because settings or a product name another one now, and nothing is taken away for that.
"""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from domain.generated import product_of
from domain.licensing import Because, Entitlement, License
from domain.receipts import Applied, AppliedLicense


class Placed(msgspec.Struct, frozen=True):
    """One license at one target; `withheld` says why it is not to be made there, and is empty where it is."""

    license: License
    withheld: str = ""


class Placement(msgspec.Struct, frozen=True):
    """Target → what belongs there; and what a person should know."""

    at: Mapping[str, Sequence[Placed]]
    problems: Sequence[str]

    def desired(self, target: str) -> list[License]:
        """What a target is to hold."""
        return [each.license for each in self.at.get(target, ()) if not each.withheld]


def place(entitled: Mapping[str, Entitlement], applied: Mapping[str, Applied], other_mode: str = "") -> Placement:
    """Places the licenses of a stream, as each of its source's targets would have them, by what receipts tell.

    `other_mode` says why nothing is to be made of it, where it was bought in the other mode than the source's; what
    was made already stays and goes on.
    """
    working = {name: _working(held) for name, held in applied.items()}
    gone = [name for name, licenses in working.items() if licenses and name not in entitled]
    problems = [_left_behind(name) for name in gone]
    at: dict[str, list[Placed]] = {name: [] for name in entitled}
    for target, entitlement in entitled.items():
        begun = {name for name, each in (applied.get(target) or Applied()).licenses.items() if _is_begun(each)}
        for each in entitlement.licenses:
            if each.target in {"", target}:
                elsewhere = _held_elsewhere(each, target, working, gone, bool(begun))
                reason = "" if each.id in begun else other_mode or elsewhere
                at[target].append(Placed(each, reason))
                problems.append(reason)
            elif each.id in working.get(target, ()) and each.id not in working.get(each.target, ()):
                # Where it works it stays, until a person moves it.
                at[target].append(Placed(each))
    at = {target: [*_until_replaced(target, placed, at, applied, working)] for target, placed in at.items()}
    for each in next(iter(entitled.values()), Entitlement(())).licenses:
        if each.target and each.target not in entitled:
            reason = _no_target(each.target, entitled)
            at.setdefault(each.target, []).append(Placed(each, reason))
            problems.append(reason)
    problems += _keys_apart(at, applied)
    return Placement(at, [*dict.fromkeys(filter(None, problems))])


def _until_replaced(
    target: str,
    placed: Sequence[Placed],
    at: Mapping[str, Sequence[Placed]],
    applied: Mapping[str, Applied],
    working: Mapping[str, set[str]],
) -> Iterator[Placed]:
    """What works stays until the license of another target that takes its place is made: that may be refused, or late.

    Within one target the plan sees to it. What an operator disabled stops at once.
    """
    here = {(each.license.line, each.license.unit) for each in placed if each.license.enabled}
    for each in placed:
        unit = (each.license.line, each.license.unit)
        over = not each.license.enabled and not each.license.disabled_by_act
        replaced = over and each.license.id in working.get(target, ()) and unit not in here
        other = next((name for name in at if replaced and _is_awaited(unit, at[name], applied.get(name))), "")
        if other and other != target:
            until = Because(f"works until the license that takes its place is made at {other!r}")
            because = {**each.license.because, "enabled": until}
            yield msgspec.structs.replace(
                each, license=msgspec.structs.replace(each.license, enabled=True, because=because)
            )
        else:
            yield each


def _is_awaited(unit: tuple[str, int], placed: Sequence[Placed], held: Applied | None) -> bool:
    """Whether an enabled license of that line and unit is still to be made there."""
    return any(
        each.license.enabled
        and (each.license.line, each.license.unit) == unit
        and not (held or Applied()).license(each.license.id).remote
        for each in placed
    )


def _working(held: Applied) -> set[str]:
    """The ids of the licenses that a target holds, or may be about to, and that are not known to be disabled."""
    return {name for name, each in held.licenses.items() if _is_begun(each) and each.fields.get("enabled") is not False}


def _is_begun(held: AppliedLicense) -> bool:
    """Whether it was made, or its order may have been."""
    return bool(held.remote or (held.order and not held.missing))


def _held_elsewhere(
    license_: License, target: str, working: Mapping[str, set[str]], gone: Sequence[str], begun: bool
) -> str:
    """Why a target that does not have the license yet must not get it; empty when it may.

    One that has none of the stream's is not begun with while a target that was taken out of the source has some: even
    a license of another id may stand in for one that is held there.
    """
    for name, licenses in working.items():
        if name in gone and (license_.id in licenses or not begun):
            return _left_behind(name)
        if license_.target == target != name and license_.id in licenses:
            return (
                f"{license_.product_code!r} names the target {target!r}, and its license is held at {name!r}: "
                f"name that again, or move it by hand"
            )
    return ""


def _keys_apart(at: Mapping[str, Sequence[Placed]], applied: Mapping[str, Applied]) -> Iterator[str]:
    """Keys that a license generator gave for one target, of a product whose licenses are all at others."""
    products = {name: {product_of(each.license.fulfillment) for each in placed} for name, placed in at.items()}
    for name, held in applied.items():
        for product in sorted(held.generated.keys() - set(held.unasked) - products.get(name, set())):
            elsewhere = sorted(other for other, known in products.items() if product in known)
            if elsewhere:
                yield (
                    f"the license generator gave keys of {product!r} at {name!r}, and its licenses are at "
                    f"{', '.join(elsewhere)}: give the product's fulfillment the parameter target = {elsewhere[0]}, "
                    "and tell the customer the keys of the licenses"
                )


def _left_behind(name: str) -> str:
    return f"its licenses are held at {name!r}: give the source that target again, or move them by hand"


def _no_target(name: str, entitled: Mapping[str, Entitlement]) -> str:
    return (
        f"license_target {name!r} is no target of this source: name one of {', '.join(entitled)} at the product, or "
        "give the source that target"
    )
