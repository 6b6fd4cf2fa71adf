"""From licenses that are desired and not there to what has to be read, recorded and created. Pure."""

from collections.abc import Iterator, Sequence

from domain.licensing import License
from domain.receipts import THERE, Applied, Fields, Refusal
from projections.targets import Call
from projections.targets.digests import hashed, is_refused
from projections.targets.keys import MintKeys, TakeKeys, preparations
from projections.targets.netlicensing.calls import (
    CreateLicense,
    CreateLicensee,
    FindLicense,
    NameLicenses,
    ReadCatalog,
    digest,
    doubt_of,
)
from projections.targets.netlicensing.express import CUSTOM_FIELD, TEMPLATE, express_licensee
from projections.targets.netlicensing.naming import holders, is_random, unit_number
from projections.targets.netlicensing.options import Options
from projections.targets.netlicensing.parts import Part, Wish
from projections.targets.netlicensing.templates import catalog_name
from projections.targets.netlicensing.wire import is_reserved


def catalogs(wishes: Sequence[Wish], *, of_features: bool = False) -> Iterator[Call]:
    """What has to be read before anything can be made, or with `of_features` before all of it can."""
    unread: dict[str, list[License]] = {}
    for wish in wishes:
        desired = wish.desired
        if not desired.enabled:
            continue
        if wish.choice is None:
            if not of_features:
                unread.setdefault(catalog_name(desired), []).append(desired)
        elif of_features:
            for code in wish.choice.unknown:
                about = hashed([catalog_name(desired), code])
                yield _read([desired], f"feature {about}:{about}", wanted=wish, feature=code)
        elif wish.choice.refused:
            yield _read([desired], digest("choose", desired), wanted=wish)
    for name, licenses in unread.items():
        yield _read(licenses, f"catalog:{hashed(name)}")


def _read(
    licenses: Sequence[License],
    what: str,
    wanted: Wish | None = None,
    feature: str = "",
    refusal: Refusal | None = None,
) -> ReadCatalog:
    return ReadCatalog(
        subjects=tuple(each.id for each in licenses),
        digest=what,
        product=licenses[0].product_code,
        is_bundle=licenses[0].is_bundle,
        wanted=wanted.desired if wanted else None,
        kept=wanted.kept if wanted else (),
        feature=feature,
        known=hashed(wanted.entries) if wanted and refusal else "",
        refusal=refusal,
    )


def names(wishes: Sequence[Wish], applied: Applied, options: Options) -> Iterator[Call]:
    """Keys and licensees for licenses that have none, once it is known what they are made of."""
    by_line: dict[tuple[str, str, str], list[Wish]] = {}
    for wish in wishes:
        desired = wish.desired
        by_line.setdefault((desired.line, desired.product_code, desired.license_type), []).append(wish)
    shared = options.key == "licensee" and options.licensee != "unit"
    for group in by_line.values():
        if any(wish.is_chosen for wish in group if wish.desired.enabled and not wish.held.order):
            licenses = [wish.desired for wish in group]
            for call in preparations(licenses, applied, digest=digest, shared=shared):
                yield _named(call, group, wishes, applied, options)


def _named(call: Call, group: Sequence[Wish], wishes: Sequence[Wish], applied: Applied, options: Options) -> Call:
    """The same call with all names in it: they follow from what is known, and nobody need be asked."""
    naming = [wish.desired for wish in group if wish.desired.id in call.subjects]
    first = next(wish for wish in group if wish.is_chosen)
    apart = any(template.adds_up for template in first.choice.templates) if first.choice else False
    desired = [wish.desired for wish in wishes]
    held_by = dict(holders(naming, desired, applied, first.product, options, apart=apart))
    match call:
        case TakeKeys(keys=keys):
            if options.key == "licensee":
                held_by |= keys
        case MintKeys() if options.key == "licensee":
            keys = held_by
        case _:
            keys = {each.id: unit_number(each) for each in naming}
    return NameLicenses(
        subjects=call.subjects,
        digest=call.digest,
        order=call.order,
        fulfillment=call.fulfillment,
        keys=dict(keys),
        holders=held_by,
    )


def creations(wishes: Sequence[Wish], applied: Applied, options: Options) -> Iterator[Call]:
    """Licensees that are not there, and the licenses of those that are."""
    waiting: dict[str, list[Wish]] = {}
    for wish in wishes:
        if wish.desired.enabled and wish.held.holder and wish.is_chosen and not wish.holds:
            waiting.setdefault(wish.held.holder, []).append(wish)
    for holder, members in waiting.items():
        create = _licensee(holder, members, applied, options)
        yield _licensee(holder, members, applied, options, bare=True) if is_refused(create, applied) else create
    for wish in wishes:
        for part in wish.parts if wish.desired.enabled and wish.holds else ():
            if not part.there:
                yield from _license_of(wish, part, applied)


def _license_of(wish: Wish, part: Part, applied: Applied) -> Iterator[Call]:
    """Its creation; was that refused, without what may be refused though the license itself would be taken.

    Was that refused, too, the template may be another one by now than when the catalog was read.
    """
    create = _license(wish, part)
    if is_refused(create, applied) and any(name.startswith(CUSTOM_FIELD) for name in create.fields):
        create = _license(wish, part, bare=True)
    yield create
    if is_refused(create, applied) and wish.is_chosen:
        refusal = applied.refusals[wish.desired.id]
        about = hashed([create.digest, wish.entries])
        yield _read([wish.desired], f"again {part.number}:{about}", wanted=wish, refusal=refusal)


def finds(wishes: Sequence[Wish]) -> Iterator[Call]:
    """Whether there is what was about to be made when it was no longer wanted."""
    for wish in wishes:
        for part in wish.parts if wish.holds and not wish.desired.enabled else ():
            if not part.there and not part.looked:
                yield FindLicense(
                    subjects=(wish.desired.id,),
                    digest=f"find {part.number}:{part.number}",
                    order=wish.held.order,
                    sets=doubt_of(part.number, f"{TEMPLATE} {part.template.number}"),
                    license=wish.desired.id,
                    number=part.number,
                    template=part.template.number,
                    holder=wish.held.holder,
                    remote=wish.held.remote,
                )


def _licensee(
    holder: str, members: Sequence[Wish], applied: Applied, options: Options, *, bare: bool = False
) -> CreateLicensee:
    """`bare` is without what is known of the customer: it is told afterwards, or never."""
    first = members[0]
    fields = {} if bare else express_licensee(first.desired.customer, options)
    mark = options.mark_for_transfer
    if is_random(holder, applied) if mark == "generated" else mark:
        fields |= {"markedForTransfer": True}
    return CreateLicensee(
        subjects=tuple(wish.desired.id for wish in members),
        digest=f"licensee{' bare' if bare else ''} {holder}:{hashed([first.product, fields])}",
        holder=holder,
        product=first.product,
        fields=fields,
        looked=applied.customers.get(holder, {}).get(THERE) is False,
    )


def _license(wish: Wish, part: Part, *, bare: bool = False) -> CreateLicense:
    # Nothing was consumed yet, so that there is nothing to set back.
    fields: Fields = {
        name: value
        for name, value in part.wanted.items()
        if not (name.startswith(CUSTOM_FIELD) and (bare or is_reserved(name.removeprefix(CUSTOM_FIELD))))
    }
    return CreateLicense(
        subjects=(wish.desired.id,),
        digest=f"create{' bare' if bare else ''} {part.number}:{hashed(fields)}",
        order=wish.held.order,
        sets=doubt_of(part.number, f"{TEMPLATE} {part.template.number}", *fields),
        license=wish.desired.id,
        number=part.number,
        remote=wish.held.remote,
        holder=wish.held.holder,
        template=part.template.number,
        fields=fields,
        subscription=wish.desired.subscription,
        looked=part.looked,
    )
