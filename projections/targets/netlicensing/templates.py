"""By which license templates a license is made: those that the vendor named, else the only one that fits. Pure.

What a template is follows from its type and from the licensing model of its module. One that makes licenses by itself,
such as the trial of Try & Buy, is never chosen unless it is named.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from domain.licensing import License
from domain.receipts import Fields

SUBSCRIPTION, TRY_AND_BUY, RENTAL, PRICING_TABLE = "subscription", "tryandbuy", "rental", "pricingtable"
PAY_PER_USE, NODE_LOCKED, MULTI_FEATURE = "payperuse", "nodelocked", "multifeature"
ADDS_UP = frozenset({SUBSCRIPTION, PRICING_TABLE, ""})
"""Models in which the times of all licenses of one licensee add up."""

_MOST_NAMED = 20


class Template(msgspec.Struct, frozen=True, kw_only=True):
    """A license template. `model` is in lower-case letters, empty where it is not known; `offered`: may be chosen."""

    number: str
    type: str
    model: str = ""
    module: str = ""
    product: str = ""
    offered: bool = True

    @property
    def adds_up(self) -> bool:
        return self.type == "TIMEVOLUME" and self.model in ADDS_UP


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """The templates of a license, one license there for each, with codes of features that are no templates.

    `refused` says why there is no choice, with the remedy.
    """

    templates: tuple[Template, ...] = ()
    unknown: tuple[str, ...] = ()
    refused: str = ""


def catalog_name(desired: License) -> str:
    """The name under which the catalog is recorded: a product and a bundle may be called the same."""
    return f"bundle:{desired.product_code}" if desired.is_bundle else desired.product_code


def template_of(number: str, entry: Fields) -> Template:
    """A recorded template."""
    told = {name: str(entry.get(name) or "") for name in ("type", "model", "module", "product")}
    return Template(number=number, offered=entry.get("offered") is True, **told)


def choose(desired: License, entries: Mapping[str, Fields], kept: Collection[str] = ()) -> Choice:
    """The templates by which a license is to be made, of those that the product or the bundle has.

    `kept` are those by which it works already: while they fit, no other that is offered by now takes their place.
    """
    templates = {number: template_of(number, entries[number]) for number in sorted(entries)}
    if desired.is_bundle:
        return _bundle(desired, list(templates.values()))
    if not templates:
        return Choice(refused=f"NetLicensing has no license templates for a product {desired.product_code}; make them")
    features = [templates[code] for code in desired.features if code in templates]
    unknown = tuple(code for code in desired.features if code not in templates)
    named = [name for name in map(str.strip, desired.policy_code.split(",")) if name]
    if missing := [name for name in named if name not in templates]:
        has = _listed(templates)
        return Choice(refused=f"{desired.product_code} has no license template {_listed(missing)}; it has {has}")
    chosen = [templates[name] for name in named] if named else _only(desired, templates, kept)
    if isinstance(chosen, str):
        return Choice(refused=chosen)
    # What is rented comes before its time, which names it.
    parents_first = sorted([*chosen, *features], key=lambda each: each.type != "FEATURE" if _is_rental(each) else 0)
    return Choice(templates=tuple(dict.fromkeys(parents_first)), unknown=unknown)


def amount_of(desired: License, model: str) -> int | None:
    """What a license of type QUANTITY grants; -1 is any number, None the template's own."""
    users = desired.max_license_users
    if model == NODE_LOCKED:
        return desired.max_activations
    if model == PAY_PER_USE:
        return desired.max_consumptions
    granted = (desired.max_consumptions, None if users is None else users or -1, desired.max_activations)
    return next((each for each in granted if each is not None), None)


def sessions_of(desired: License) -> int | None:
    """How many may use a floating license at once; None is the template's own number."""
    return desired.max_activations if desired.floating_users is None else desired.floating_users


def ends(desired: License) -> bool:
    """Whether it ends by a date."""
    return desired.expiry is not None or desired.valid_duration is not None


def _bundle(desired: License, templates: Sequence[Template]) -> Choice:
    products = sorted({each.product for each in templates if each.product})
    if not products:
        return Choice(refused=f"NetLicensing has no bundle {desired.product_code} with license templates; make it")
    if len(products) > 1:
        told = f"the bundle {desired.product_code} holds templates of {_listed(products)}"
        return Choice(refused=f"{told}, but a licensee has one product: sell them apart")
    return Choice(templates=tuple(templates))


def _only(desired: License, templates: Mapping[str, Template], kept: Collection[str]) -> list[Template] | str:
    """The only templates that fit, or why there are none. Those of one Rental module belong together."""
    choosable = [each for each in templates.values() if (each.offered or each.number in kept) and not _is_a_trial(each)]
    if desired.features or any(each.model != MULTI_FEATURE for each in choosable):
        # Features are sold by their codes; one that was not sold must not be given because nothing else fits.
        choosable = [each for each in choosable if each.model != MULTI_FEATURE]
    offered: dict[str, list[Template]] = {}
    for each in choosable:
        if each.number not in desired.features:
            offered.setdefault(f"module {each.module}" if _is_rental(each) else each.number, []).append(each)
    fitting = [group for group in offered.values() if any(_fits(desired, each) for each in group)]
    groups = [group for group in fitting if any(each.number in kept for each in group)]
    groups = groups or fitting or [group for group in offered.values() if any(each.offered for each in group)]
    if len(groups) == 1:
        return groups[0]
    if desired.features and not fitting:
        return []
    if not groups:
        return f"no license template of {desired.product_code} is offered: make one, or name one in license_policy"
    names = _listed(each.number for group in groups for each in group)
    told = f"several license templates fit {desired.product_code}: {names}"
    return f"{told}; name those that count in license_policy, with commas between them"


def _fits(desired: License, template: Template) -> bool:
    match template.type:
        case "TIMEVOLUME":
            return ends(desired)
        case "FLOATING":
            return desired.floating_users is not None
        case "QUANTITY":
            return desired.floating_users is None and amount_of(desired, template.model) is not None
        case _:
            return template.model == TRY_AND_BUY or not ends(desired)


def _is_rental(template: Template) -> bool:
    return template.model == RENTAL


def _is_a_trial(template: Template) -> bool:
    return template.model == TRY_AND_BUY and template.type == "TIMEVOLUME"


def _listed(names: Iterable[str]) -> str:
    told = sorted(names)
    more = f" and {len(told) - _MOST_NAMED} more" if len(told) > _MOST_NAMED else ""
    return ", ".join(told[:_MOST_NAMED]) + more
