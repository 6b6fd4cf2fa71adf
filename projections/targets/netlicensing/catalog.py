"""What an account of NetLicensing sells, as far as licenses need it: templates with their modules, and bundles.

The lists are read as a whole and remembered, as an account that allows one request a minute could not be asked for each
product. They are read page by page, and what was read stays while the account waits for its turn.
"""

import asyncio
from collections.abc import Callable
from time import monotonic

from domain.receipts import Fields
from projections.targets.errors import Refused
from projections.targets.netlicensing.client import MOST_PAGES, NetLicensing
from projections.targets.netlicensing.envelope import Item

MODULE, TEMPLATE, BUNDLE = "ProductModule", "LicenseTemplate", "Bundle"
REMEMBERED = 600.0
"""Seconds for which a list is used without a question."""
MOST_ENTRIES = 500
_AGAIN = 10.0
"""A list that lacks something is read again, but that is to cost a small part of the time only."""


class Listing:
    """All entities of one kind. `clock` gives seconds that only grow."""

    def __init__(self, client: NetLicensing, kind: str, clock: Callable[[], float]) -> None:
        self._client = client
        self._kind = kind
        self._clock = clock
        self._known: dict[str, Item] | None = None
        self._reading: dict[str, Item] = {}
        self._page = 0
        self._began: float | None = None
        self._took = 0.0
        self._read_at = 0.0
        self._one_at_a_time = asyncio.Lock()

    @property
    def is_worth_asking(self) -> bool:
        """Whether it was read, and enough time has passed to see if somebody mended what is missing."""
        return self._known is not None and self._clock() - self._read_at >= self._took * _AGAIN

    def forget(self) -> None:
        self._known = None

    async def items(self) -> dict[str, Item]:
        """By number. Goes on where an earlier attempt was held up; who else asks meanwhile waits for the same."""
        async with self._one_at_a_time:
            return await self._items()

    async def _items(self) -> dict[str, Item]:
        if self._known is not None and self._clock() - self._read_at < REMEMBERED:
            return self._known
        self._began = self._clock() if self._began is None else self._began
        while True:
            envelope = await self._client.all_of(self._kind, self._page)
            found = {item["number"]: item for item in envelope.of(self._kind) if item["number"]}
            # A server that does not know the filter sends the first page again and again.
            news = found.keys() - self._reading.keys()
            self._reading |= found
            self._page += 1
            if not envelope.more or not news or self._page >= MOST_PAGES:
                break
        self._known, self._reading, self._page = self._reading, {}, 0
        self._read_at = self._clock()
        self._took, self._began = self._read_at - self._began, None
        return self._known


class Catalog:
    """The catalog of one account, as `domain.receipts.CatalogRead` records it."""

    def __init__(self, client: NetLicensing, clock: Callable[[], float] = monotonic) -> None:
        self._modules = Listing(client, MODULE, clock)
        self._templates = Listing(client, TEMPLATE, clock)
        self._bundles = Listing(client, BUNDLE, clock)

    async def entries(self, product: str, *, is_bundle: bool) -> dict[str, Fields]:
        """The license templates of a product or of a bundle, those of no known module included; empty for none."""
        modules, templates = await self._modules.items(), await self._templates.items()
        if is_bundle:
            bundle = (await self._bundles.items()).get(product)
            named = _templates_of(bundle) if bundle else ()
            chosen = [templates[number] for number in named if number in templates]
        else:
            chosen = [each for each in templates.values() if _product_of(each, modules) in {product, ""}]
        if len(chosen) > MOST_ENTRIES:
            text = (
                f"{product} has {len(chosen)} license templates, more than {MOST_ENTRIES}: make several products of it"
            )
            raise Refused("read catalog", text=text)
        return {each["number"]: _entry(each, modules) for each in chosen}

    def forget(self) -> bool:
        """Has everything read anew, unless that was done a moment ago; whether it will be."""
        lists = (self._modules, self._templates, self._bundles)
        worth = any(each.is_worth_asking for each in lists)
        for each in lists if worth else ():
            each.forget()
        return worth


def _templates_of(bundle: Item) -> list[str]:
    # The wiki spells it in one way, both clients in another.
    text = bundle["licenseTemplateNumbers"] or bundle["licenseTemplatesNumbers"]
    return [number for number in map(str.strip, text.split(",")) if number]


def _product_of(template: Item, modules: dict[str, Item]) -> str:
    module = modules.get(template["productModuleNumber"])
    return module["productNumber"] if module else ""


def _entry(template: Item, modules: dict[str, Item]) -> Fields:
    module = modules.get(template["productModuleNumber"])
    model = module["licensingModel"] if module else ""
    by_itself = "true" in {template["automatic"].lower(), template["hidden"].lower()}
    active = "false" not in {template["active"].lower(), module["active"].lower() if module else ""}
    return {
        "type": template["licenseType"].upper(),
        "model": "".join(letter for letter in model.lower() if letter.isalpha()),
        "module": template["productModuleNumber"],
        "product": _product_of(template, modules),
        "offered": active and not by_itself and module is not None,
    }
