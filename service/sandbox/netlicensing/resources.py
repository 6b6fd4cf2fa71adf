"""Creating, changing and deleting entities: what all kinds have in common. `rules` has what sets them apart."""

from __future__ import annotations

from collections.abc import Mapping

from service.sandbox.netlicensing import errors, rules
from service.sandbox.netlicensing.change import Change
from service.sandbox.netlicensing.records import Kind, Record
from service.sandbox.netlicensing.schema import ENTITIES, FIXED, READ_ONLY, REQUIRED
from service.sandbox.netlicensing.spelling import understood
from service.sandbox.netlicensing.values import number as a_number

Form = Mapping[str, str]

CHILDREN: Mapping[Kind, tuple[Kind, ...]] = {
    Kind.PRODUCT: (Kind.MODULE, Kind.LICENSEE),
    Kind.MODULE: (Kind.TEMPLATE,),
    Kind.LICENSEE: (Kind.LICENSE,),
}
QUOTA = 402


def create(change: Change, kind: Kind, form: Form) -> Record:
    """Makes an entity of a form. Raises Refused, and nothing is kept then."""
    form = understood(change.settings, kind, form)
    parent = _parent(change, kind, form)
    template = _template(change, form) if kind is Kind.LICENSE else None
    if parent is not None and template is not None:
        rules.check_may_be_made(parent, template)
    number = a_number("number", form["number"], change.now) if form.get("number") else change.new_number(kind)
    if change.store.get(kind, number) is not None:
        _taken(change, kind, number)
    limit = change.settings.quota.get(ENTITIES[kind].path)
    if limit is not None and len(change.store.all(kind)) >= limit:
        raise errors.Refused(QUOTA, "IllegalOperationException", errors.PLAN_EXCEEDED.format(f"{limit} {kind.words}s"))
    values, custom = _read(change, kind, form)
    record = Record(
        kind=kind,
        id=change.store.new_id(),
        number=number,
        parent=None if parent is None else parent.id,
        template=None if template is None else template.id,
        values={**ENTITIES[kind].defaults, **values},
        custom={name: value for name, value in custom.items() if value},
    )
    if missing := [name for name in REQUIRED.get(kind, ()) if not record.text(name)]:
        raise errors.malformed(errors.NOT_PROVIDED.format(missing[0]))
    made = change.store.put(rules.completed(change, record))
    rules.check(change, made)
    if kind is Kind.LICENSEE:
        _automatic_licenses(change, made)
    return made


def update(change: Change, record: Record, form: Form) -> Record:
    """Changes what the form names and nothing else; an empty custom property is deleted. Raises Refused."""
    kind = record.kind
    form = understood(change.settings, kind, form)
    _same_relations(change, record, form)
    number = a_number("number", form["number"], change.now) if form.get("number") else record.number
    if number != record.number:
        if in_use(change, record):
            raise errors.illegal(errors.FIXED.format("Number", kind.words, record.number))
        if (other := change.store.get(kind, number)) is not None and other.id != record.id:
            _taken(change, kind, number)
    values, custom = _read(change, kind, form)
    for name in FIXED:
        if name in values and values[name] != record.text(name) and in_use(change, record):
            raise errors.illegal(errors.FIXED.format(name, kind.words, record.number))
    values = rules.allowed(change, record, values)
    kept = {name: value for name, value in {**record.custom, **custom}.items() if value}
    changed = record.changed(number=number, values={**record.values, **values}, custom=kept)
    made = change.store.put(changed)
    rules.check(change, made)
    return made


def delete(change: Change, record: Record, *, cascade: bool) -> None:
    """Raises Refused when something belongs to the entity and `cascade` is not set."""
    if not cascade and in_use(change, record):
        raise errors.illegal(errors.IN_USE.format(record.kind.words, record.number))
    for kind in CHILDREN.get(record.kind, ()):
        for child in change.store.owned(kind, record):
            delete(change, child, cascade=True)
    if record.kind is Kind.TEMPLATE:
        for license_ in change.store.owned(Kind.LICENSE, record):
            change.store.remove(license_.id)
    change.store.remove(record.id)


def in_use(change: Change, record: Record) -> bool:
    """Whether something belongs to the entity; modules and templates are in use once there are licenses."""
    store = change.store
    match record.kind:
        case Kind.PRODUCT:
            return bool(store.owned(Kind.LICENSEE, record))
        case Kind.MODULE:
            return any(store.owned(Kind.LICENSE, template) for template in store.owned(Kind.TEMPLATE, record))
        case Kind.TEMPLATE:
            return bool(store.owned(Kind.LICENSE, record))
        case Kind.LICENSEE:
            return bool(store.owned(Kind.LICENSE, record))
        case Kind.LICENSE | Kind.BUNDLE:
            return False


def _automatic_licenses(change: Change, licensee: Record) -> None:
    """Every automatic template gives a new licensee one license; a trial waits for the first validation."""
    for module in change.store.owned(Kind.MODULE, change.store.the(licensee.parent)):
        for template in change.store.owned(Kind.TEMPLATE, module):
            trial = module.text("licensingModel") == "TryAndBuy" and template.text("licenseType") == "TIMEVOLUME"
            if template.flag("automatic") and template.flag("active") and not trial:
                form = {"licenseeNumber": licensee.number, "licenseTemplateNumber": template.number}
                create(change, Kind.LICENSE, {**form, "startDate": "now"})


def _parent(change: Change, kind: Kind, form: Form) -> Record | None:
    relation = ENTITIES[kind].parent
    if relation is None:
        return None
    parent_kind, name = relation
    if not form.get(name):
        raise errors.malformed(errors.NOT_PROVIDED.format(name))
    return change.found(parent_kind, form[name])


def _template(change: Change, form: Form) -> Record:
    if not form.get("licenseTemplateNumber"):
        raise errors.malformed(errors.NOT_PROVIDED.format("licenseTemplateNumber"))
    return change.found(Kind.TEMPLATE, form["licenseTemplateNumber"])


def _same_relations(change: Change, record: Record, form: Form) -> None:
    """What an entity belongs to may be sent again, but not be changed."""
    parent = ENTITIES[record.kind].parent
    relations = [(*parent, record.parent)] if parent else []
    if record.kind is Kind.LICENSE:
        relations.append((Kind.TEMPLATE, "licenseTemplateNumber", record.template))
    for kind, name, related in relations:
        if form.get(name) and change.found(kind, form[name]).id != related:
            raise errors.illegal(errors.FIXED.format(name, record.kind.words, record.number))


def _taken(change: Change, kind: Kind, number: str) -> None:
    settings = change.settings
    text = errors.TAKEN.format(kind.words.capitalize(), number)
    raise errors.Refused(settings.duplicate_number_status, settings.duplicate_number_id, text)


def _read(change: Change, kind: Kind, form: Form) -> tuple[dict[str, str], dict[str, str]]:
    """What was sent, apart: known properties in one spelling, and custom ones."""
    entity = ENTITIES[kind]
    reserved = {"number", entity.parent[1] if entity.parent else "number"} | READ_ONLY
    if kind is Kind.LICENSE:
        reserved |= {"licenseTemplateNumber", "price", "currency"}
        if change.settings.license_price == "refused" and form.keys() & {"price", "currency"}:
            raise errors.malformed("price and currency of a license come from its template.")
    if ("price" in form) != ("currency" in form) and "price" in entity.readers:
        raise errors.malformed(errors.PRICE_AND_CURRENCY)
    known = {
        name: entity.readers[name](name, sent, change.now) for name, sent in form.items() if name in entity.readers
    }
    custom = {name: sent for name, sent in form.items() if name not in entity.readers and name not in reserved}
    return known, custom
