"""What one desired license is there: a license for each template, each with what it should have and has. Pure."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from domain.licensing import License
from domain.receipts import THERE, Applied, AppliedLicense, Fields
from projections.targets.netlicensing.express import REPLACED, TEMPLATE, express
from projections.targets.netlicensing.naming import license_number
from projections.targets.netlicensing.options import Options
from projections.targets.netlicensing.templates import (
    RENTAL,
    TRY_AND_BUY,
    Choice,
    Template,
    catalog_name,
    choose,
    ends,
    template_of,
)


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One license there, wanted by one template. `there` is whether it is known to be, `looked` to be not."""

    number: str
    template: Template
    wanted: Fields
    held: Fields
    there: bool
    looked: bool


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """A desired license with what is known to be held of it, and its parts as far as they are known.

    `choice` is None until the catalog was read.
    """

    desired: License
    held: AppliedLicense
    choice: Choice | None
    entries: Mapping[str, Fields]
    """What the catalog had for it."""
    kept: tuple[str, ...]
    """The templates by which it works there, or did when it was over."""
    parts: tuple[Part, ...]
    holds: bool
    """Its licensee is known to be there."""

    @property
    def product(self) -> str:
        """The product there: a bundle's templates say it."""
        told = (each.product for each in self.choice.templates if each.product) if self.choice else iter(())
        return next(told, self.desired.product_code)

    @property
    def is_chosen(self) -> bool:
        return self.choice is not None and not self.choice.refused

    @property
    def complete(self) -> bool:
        """Whether everything that it should be there exists."""
        known = self.is_chosen or bool(self.parts)
        return known and self.holds and all(part.there for part in self.parts)


def wish_of(desired: License, applied: Applied, options: Options) -> Wish:
    """What a license is to be there, as far as that can be known."""
    held = applied.license(desired.id)
    entries = applied.catalog.get(catalog_name(desired))
    kept = tuple(sorted(_kept(held)))
    choice = None if entries is None else choose(desired, entries, kept)
    templates: Sequence[Template] = ()
    if entries is not None and choice is not None:
        # While nothing else can be chosen, what is there is kept up.
        known = [template_of(number, entries[number]) for number in kept if number in entries]
        templates = known if choice.refused else choice.templates
    if desired.trial:
        # The server itself gives a trial, when a licensee is validated for the first time.
        templates = [each for each in templates if each.model != TRY_AND_BUY]
    holds = bool(held.holder) and applied.customers.get(held.holder, {}).get(THERE) is True
    parts = tuple(_parts(desired, held, templates, options))
    return Wish(desired=desired, held=held, choice=choice, entries=entries or {}, kept=kept, parts=parts, holds=holds)


def adding_up(desired: Sequence[License], applied: Applied, target: str, options: Options) -> list[str]:
    """What lasts longer there than it was bought for, because units have one licensee; in plain words."""
    sharing: dict[tuple[str, str], int] = {}
    for each in desired:
        wish = wish_of(each, applied, options)
        if each.enabled and wish.holds and ends(each) and any(part.template.adds_up for part in wish.parts):
            place = (wish.product, wish.held.holder)
            sharing[place] = sharing.get(place, 0) + 1
    return [
        f"{count} units of {product} share one licensee at {target} and their times add up: "
        f'set licensee = "unit" in [targets.{target}.options]'
        for (product, _), count in sorted(sharing.items())
        if count > 1
    ]


def numbers_by_template(held: AppliedLicense) -> dict[str, str]:
    """The licenses that are known to be there, by the template they are of."""
    return {str(fields.get(TEMPLATE)): number for number, fields in held.parts.items() if is_there(fields)}


def is_there(fields: Fields) -> bool:
    return fields.get(THERE) is not False


def is_enabled(fields: Fields) -> bool:
    return is_there(fields) and fields.get("enabled") is not False


def _kept(held: AppliedLicense) -> set[str]:
    """The templates of what works, or did when it was over."""
    parts = [fields for fields in held.parts.values() if is_there(fields)]
    last = [fields for fields in parts if is_enabled(fields)] or [each for each in parts if not each.get(REPLACED)]
    return {str(fields.get(TEMPLATE)) for fields in last}


def _parts(desired: License, held: AppliedLicense, templates: Sequence[Template], options: Options) -> Iterator[Part]:
    existing = numbers_by_template(held)
    parents: dict[str, str] = {}
    for place, template in enumerate(templates):
        number = existing.get(template.number) or license_number(desired, held, template, options, first=place == 0)
        parent = ""
        if template.model == RENTAL and template.type == "FEATURE":
            parents.setdefault(template.module, number)
        elif template.model == RENTAL:
            parent = parents.get(template.module, "")
        fields = held.parts.get(number, {})
        there = number in existing.values()
        yield Part(
            number=number,
            template=template,
            wanted=express(desired, template, fields, parent=parent, first=place == 0),
            held=fields,
            there=there,
            looked=held.missing if not held.remote else not is_there(fields),
        )
