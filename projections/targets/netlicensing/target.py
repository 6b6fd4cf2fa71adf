"""NetLicensing as a target: makes the calls of the plan and says what came of each."""

from collections.abc import Sequence
from secrets import choice

from domain.licensing import License
from domain.receipts import (
    THERE,
    AnyReceipt,
    Applied,
    AppliedLicense,
    CatalogRead,
    CustomerChanged,
    Fields,
    KeysMinted,
    LicenseChanged,
)
from projections.targets import Call, subject_of
from projections.targets.digests import hashed
from projections.targets.errors import NotFound, Paced, Refused, Unauthorized, Unclear
from projections.targets.netlicensing.calls import (
    AS_LICENSEE,
    PART,
    ChangeLicense,
    ChangeLicensee,
    CreateLicense,
    CreateLicensee,
    DisableLicense,
    FindLicense,
    NameLicenses,
    OfPart,
    ReadCatalog,
    RefuseProperty,
)
from projections.targets.netlicensing.catalog import Catalog
from projections.targets.netlicensing.client import LICENSE, LICENSEE, NetLicensing
from projections.targets.netlicensing.envelope import Item
from projections.targets.netlicensing.express import COUNTED, REPLACED, TEMPLATE
from projections.targets.netlicensing.options import Options
from projections.targets.netlicensing.parts import adding_up
from projections.targets.netlicensing.plan import plan
from projections.targets.netlicensing.reading import (
    Seen,
    changed,
    check_holder,
    check_product,
    check_template,
    is_of,
    look_at_license,
    look_at_licensee,
    nowhere,
    seen,
    seen_of_licensee,
    there,
)
from projections.targets.netlicensing.templates import choose
from projections.targets.netlicensing.wire import form, told

SUBSCRIPTION = "tenureSubscription"
"""A property by which a person finds what a license is for."""

_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""No letter that could be read as another: four groups of four of these are 80 random bits."""


class NetLicensingTarget:
    """One NetLicensing account."""

    def __init__(self, name: str, client: NetLicensing, options: Options) -> None:
        self.name = name
        self._client = client
        self._catalog = Catalog(client)
        self._options = options

    def plan(self, desired: Sequence[License], applied: Applied) -> list[Call]:
        return plan(desired, applied, self._options)

    def problems(self, desired: Sequence[License], applied: Applied) -> list[str]:
        return adding_up(desired, applied, self.name, self._options)

    def new_keys(self, count: int, /, *, known: Sequence[str] = (), under: str = "") -> list[str]:
        if self._options.key == "license":
            return [_key() for _ in range(count)]
        if self._options.licensee != "unit":
            # All that is bought together is under one licensee, whose number is the key.
            return [known[0] if known else under or _key()] * count
        joined = [under] if under and not known else []
        return joined + [_key() for _ in range(count - len(joined))]

    async def look(self, doubt: str, applied: Applied) -> AnyReceipt | None:
        subject = subject_of(doubt)
        what, *names = (*doubt.split("\n")[1:], "")
        if what == AS_LICENSEE:
            return await look_at_licensee(self._client, self.name, subject)
        if what.startswith(PART):
            asked = set(filter(None, names))
            return await look_at_license(self._client, self.name, applied, subject, what.removeprefix(PART), asked)
        return None

    async def perform(self, call: Call, *, fresh: bool) -> AnyReceipt:  # noqa: ARG002 - numbers are unique, so a repeat is seen
        match call:
            case ReadCatalog():
                return await self._read(call)
            case NameLicenses():
                return KeysMinted(target=self.name, order=call.order, keys=call.keys, holders=call.holders)
            case CreateLicensee():
                return await self._create_licensee(call)
            case CreateLicense():
                return await self._create_license(call)
            case FindLicense():
                return await self._find(call)
            case ChangeLicense(fields=fields):
                await self._set(LICENSE, call.number, fields)
                return changed(self.name, _held(call), call.license, call.number, fields)
            case DisableLicense():
                return await self._disable(call)
            case ChangeLicensee():
                await self._set(LICENSEE, call.holder, call.fields)
                return CustomerChanged(target=self.name, customer=call.holder, fields=call.fields)
            case RefuseProperty(of=name):
                raise Refused(call.name, text=f"{name!r} is a property of NetLicensing's own: call it something else")
            case _:
                raise TypeError(f"not a call to NetLicensing: {call.name}")

    async def _read(self, call: ReadCatalog) -> CatalogRead:
        entries = await self._catalog.entries(call.product, is_bundle=call.is_bundle)
        refused = _refusal(call, entries)
        if refused and self._catalog.forget():
            entries = await self._catalog.entries(call.product, is_bundle=call.is_bundle)
            refused = _refusal(call, entries)
        if refused:
            status = call.refusal.status if call.refusal else None
            raise Refused(call.name, status=status, text=refused)
        name = f"bundle:{call.product}" if call.is_bundle else call.product
        return CatalogRead(target=self.name, product=name, entries=entries, licenses=call.subjects)

    async def _set(self, kind: str, number: str, fields: Fields) -> None:
        """Sets these values. Where a success carries an ERROR, a look says whether it was one."""
        try:
            await self._client.change(kind, number, form(fields))
        except Refused as refusal:
            if not 200 <= (refusal.status or 0) < 300:
                raise
            item = await self._look_after(refusal, kind, number)
            if item is None:
                raise NotFound(refusal.call, status=refusal.status, text=refusal.text) from refusal
            names = [name for name in fields if name != COUNTED]
            if told(item, names) != {name: fields[name] for name in names}:
                raise

    async def _look_after(self, refusal: Refused, kind: str, number: str) -> Item | None:
        """What has that number, after a refusal of which nobody knows what it means. Raises Unclear without a turn."""
        try:
            return await self._client.find(kind, number)
        except Paced as pace:
            raise Unclear(refusal.call, status=refusal.status, text=refusal.text) from pace

    async def _disable(self, call: DisableLicense) -> LicenseChanged:
        off: Fields = {"enabled": False, REPLACED: call.replaced}
        try:
            await self._set(LICENSE, call.number, {"enabled": False})
        except NotFound as refusal:
            # Something else may not have been found: that it is gone is believed when a look says so, too.
            if await self._look_after(refusal, LICENSE, call.number) is not None:
                raise
            # Who deleted it took away at least as much.
            off = {THERE: False}
        return changed(self.name, _held(call), call.license, call.number, off)

    async def _find(self, call: FindLicense) -> Seen:
        item = await self._client.find(LICENSE, call.number)
        if item is None or not is_of(item, call.holder):
            return nowhere(self.name, _held(call), call.license, call.number)
        return there(self.name, _held(call), call.license, call.number, seen(item, (), call.template))

    async def _create_licensee(self, call: CreateLicensee) -> CustomerChanged:
        fields = {"number": call.holder, "productNumber": call.product, "active": "true", **form(call.fields)}
        item, found = await self._created(LICENSEE, fields, looked=call.looked)
        known = {name: value for name, value in call.fields.items() if name != "markedForTransfer"} | {THERE: True}
        if found:
            check_product(item, call.product)
            known = seen_of_licensee(item)
        return CustomerChanged(
            target=self.name, customer=call.holder, fields=known, licenses=call.subjects, found=found
        )

    async def _create_license(self, call: CreateLicense) -> Seen:
        own = {
            "number": call.number,
            "licenseeNumber": call.holder,
            "licenseTemplateNumber": call.template,
            SUBSCRIPTION: call.subscription,
        }
        sent = form({name: value for name, value in call.fields.items() if name != COUNTED})
        item, found = await self._created(LICENSE, {**sent, **own}, looked=call.looked)
        known: Fields = {**call.fields, TEMPLATE: call.template, THERE: True}
        if found:
            check_holder(item, call.holder)
            check_template(item, call.template)
            known |= seen(item, call.fields, call.template)
        elif "startDate" in known:
            # From what it counts there the volume is to be reckoned from then on.
            known["startDate"] = told(item, ("startDate",))["startDate"] or known["startDate"]
        return there(self.name, _held(call), call.license, call.number, known)

    async def _created(self, kind: str, fields: dict[str, str], *, looked: bool) -> tuple[Item, bool]:
        """Creates it; or gives what has its number, and True: an earlier attempt, or the customer's other purchase."""
        try:
            return await self._client.create(kind, fields), False
        except (Unauthorized, NotFound):
            raise
        except Refused as refusal:
            # How a number that is taken is refused is not documented: what is there says whether it was that.
            try:
                found = await self._look_after(refusal, kind, fields["number"])
            except Unclear:
                if looked:
                    raise refusal from None
                raise
            if found is None:
                raise
            return found, True


def _refusal(call: ReadCatalog, entries: dict[str, Fields]) -> str:
    """Why what is wanted cannot be made of these templates; empty where it can, or nothing certain is wanted yet."""
    if call.wanted is None:
        return ""
    made = choose(call.wanted, entries, call.kept)
    if call.refusal and call.known == hashed(entries):
        return call.refusal.text
    if call.feature in made.unknown:
        return f"{call.product} has no license template {call.feature}: make one of that number, of type FEATURE"
    return "" if call.feature else made.refused


def _key() -> str:
    return "-".join("".join(choice(_ALPHABET) for _ in range(4)) for _ in range(4))


def _held(call: OfPart) -> AppliedLicense:
    return AppliedLicense(order=call.order, remote=call.remote)
