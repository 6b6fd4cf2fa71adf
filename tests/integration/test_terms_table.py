"""Goes through the table of license attributes in `domain/README.md` row by row, for each store.

Every row is sold with a value that is allowed, and with every value that is not: a delivery of the store comes to the
real endpoint, and what follows is pushed to a LicenseSpring sandbox. What the sandbox holds then is what the row says.
"""

from collections.abc import Iterator, Mapping
from typing import Any, get_args

import msgspec
import pytest

from domain.attributes import Store
from domain.events import Stream
from domain.providers.table import PROVIDERS
from domain.terms_table import README, TERMS_TABLE
from projections.queries import LicenseView, StreamView
from service.sandbox.licensespring import FeatureSeed, PolicySeed, ProductSeed, SandboxSettings
from service.sandbox.licensespring.settings import CustomFieldSeed
from service.secrets import Secret, Secrets
from service.settings import Settings, Source
from tests.pushing import Pushed, pushing
from tests.sales import SHOPS, Shop, Sold
from tests.serving import SECRET, Served, served, settings
from tests.terms_samples import APP, CREW, GOLD, SAMPLES, SUITE, Sample, Wrong, attributes, wrong_attributes

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(240)]

SOURCE = "acme"
TRANSFERS = 7
CATALOG = SandboxSettings(
    products=(
        ProductSeed(
            short_code=APP,
            features=(FeatureSeed(code="export"),),
            custom_fields=(CustomFieldSeed(name="Edition"),),
            policies=(PolicySeed(code=GOLD, terms={"max_transfers": TRANSFERS}),),
        ),
        ProductSeed(short_code=CREW, authorization_method="user"),
        ProductSeed(short_code=SUITE, bundle=(APP,)),
    ),
    plan="unlimited",
    flood_protection=False,
    seed=1,
)


class Row(msgspec.Struct, frozen=True):
    """A row of the printed table."""

    attribute: str
    allowed: str
    held: tuple[str, ...]


def rows() -> Iterator[Row]:
    """The rows of the table as they are printed."""
    printed = README.read_text(encoding="utf-8").split(TERMS_TABLE.begin)[1].split(TERMS_TABLE.end)[0]
    for line in printed.splitlines():
        if line.startswith("| `"):
            attribute, _, _, _, _, allowed, _, held = (cell.strip() for cell in line.strip("|").split("|"))
            names = tuple(name.strip().strip("`") for name in held.split(",")) if held else ()
            yield Row(attribute.strip("`"), allowed.partition(";")[0], names)


ROWS = list(rows())


def test_every_row_has_a_sample_that_looks_at_all_that_the_row_says_is_held() -> None:
    assert [row.attribute for row in ROWS] == list(SAMPLES)
    for row in ROWS:
        held = SAMPLES[row.attribute].holds
        assert set(held or ()) == set(row.held), row.attribute
        assert SAMPLES[row.attribute].wrong, row.attribute


# --- the sales ----------------------------------------------------------------------------------------------


class Selling(msgspec.Struct, frozen=True):
    """What was sold of one row: right, wrong from the beginning, and right but then made wrong."""

    row: Row
    sample: Sample
    right: Sold
    wrong: tuple[tuple[Wrong, Sold], ...]
    turned: tuple[Wrong, Sold, Sold] | None


def selling(number: int, row: Row) -> Selling:
    sample = SAMPLES[row.attribute]

    def sold(name: str, given: Mapping[str, str]) -> Sold:
        return Sold(
            name=f"r{number}{name}",
            attributes=given,
            sale=sample.sale,
            quantity=sample.quantity,
            add_on=sample.add_on,
        )

    right = attributes(row.attribute, sample)
    wrong = tuple(
        (each, sold(f"w{place}", wrong_attributes(row.attribute, sample, each)))
        for place, each in enumerate(sample.wrong)
    )
    turned = None
    if sample.sale == "recurring" and not (sample.add_on or sample.harmless) and sample.holds is not None:
        worse = wrong_attributes(row.attribute, sample, sample.wrong[0])
        turned = (sample.wrong[0], sold("t", right), sold("t", worse))
    return Selling(row, sample, sold("ok", right), wrong, turned)


class Seen(msgspec.Struct, frozen=True):
    """What stands where a sale ended up."""

    stream: StreamView | None
    licenses: list[LicenseView]
    held: list[dict[str, Any]]


class Market(msgspec.Struct, frozen=True):
    """A store, the endpoint that hears of it, and what follows."""

    shop: Shop
    receiver: Served
    pushed: Pushed

    async def told(self, deliveries: list[tuple[bytes, Mapping[str, str]]]) -> None:
        for body, headers in deliveries:
            answer = await self.receiver.http.post(f"/webhooks/{SOURCE}", content=body, headers=headers)
            assert answer.status_code == 200, answer.text

    async def look(self, sold: Sold) -> Seen:
        queries = self.pushed.projected.queries
        name = Stream(f"{SOURCE}/{self.shop.stream(sold)}")
        found = [each for each in await queries.streams(limit=1000) if each.stream == name]
        licenses = await queries.licenses(stream=name)
        known = {each.applied.remote for each in licenses if each.applied}
        orders = self.pushed.sandbox.control.holdings()["orders"]
        held = [
            {**each, "is_bundle": order["is_bundle"]}
            for order in orders
            for each in order["licenses"]
            if str(each["id"]) in known
        ]
        return Seen(found[0] if found else None, licenses, held)


READERS: Mapping[str, Any] = {
    "license policy": lambda held: GOLD if held["max_transfers"] == TRANSFERS else "",
    "order managers": lambda held: held["managers"],
    "license users": lambda held: held["users"],
    "product features": lambda held: list(held["features"]),
    "bundle order": lambda held: held["is_bundle"],
    "validity_period": lambda held: str(held["validity_period"])[:10],
}
"""How what is no field of a license is looked at."""


def problems_of(seen: Seen) -> str:
    return seen.stream.problem if seen.stream else "the stream is not there"


def amiss_when_right(each: Selling, seen: Seen) -> Iterator[str]:
    holds = each.sample.holds
    if problems_of(seen):
        yield f"problem: {problems_of(seen)}"
    if holds is None:
        yield from (f"holds {held['product']} nevertheless" for held in seen.held)
        return
    if len(seen.held) != each.sample.licenses:
        refused = [view.refusal.text for view in seen.licenses if view.refusal]
        yield f"{len(seen.held)} licenses instead of {each.sample.licenses}: {refused}"
    for held in seen.held:
        for name, value in holds.items():
            there = READERS.get(name, lambda held, name=name: held[name])(held)
            if there != value:
                yield f"{name} is {there!r} instead of {value!r}"


def amiss_when_wrong(each: Selling, wrong: Wrong, problem: str, product: str) -> Iterator[str]:
    """What the problem does not say."""
    value = "is missing" if wrong.value is None else repr(wrong.value[:80])
    allowed = wrong.allowed or each.row.allowed
    for part in (wrong.attribute, product, value, allowed):
        if part not in problem:
            yield f"{wrong.attribute}={wrong.value!r}: the problem does not say {part!r}: {problem!r}"


async def amiss(market: Market, each: Selling) -> list[str]:
    """All that is not as the row says."""
    found = list(amiss_when_right(each, await market.look(each.right)))
    for wrong, sold in each.wrong:
        seen = await market.look(sold)
        if each.sample.harmless:
            found += amiss_when_right(each, seen)
            warnings = "; ".join(seen.stream.warnings) if seen.stream else ""
            found += amiss_when_wrong(each, wrong, warnings, market.shop.product(sold))
            continue
        found += amiss_when_wrong(each, wrong, problems_of(seen), market.shop.product(sold))
        # An add-on is sold beside a product, which is all right.
        if seen.held and not each.sample.add_on:
            found.append(f"{wrong.attribute}={wrong.value!r}: licensed nevertheless")
    if each.turned is not None:
        wrong, _, sold = each.turned
        seen = await market.look(sold)
        found += amiss_when_wrong(each, wrong, problems_of(seen), market.shop.product(sold))
        kept = msgspec.structs.replace(seen, stream=None)
        found += [f"turned wrong: {text}" for text in amiss_when_right(each, kept) if not text.startswith("problem: ")]
    return [f"{each.row.attribute}: {text}" for text in found]


def configured(dsn: str, store: Store) -> Settings:
    return msgspec.structs.replace(
        settings(dsn),
        sources={SOURCE: Source(provider=store, mode="test", target="ls")},
        secrets=Secrets(sources={SOURCE: (Secret(SECRET),)}, targets={"ls": Secret("ABCDEFGH.0123456789")}),
    )


@pytest.mark.parametrize("store", get_args(Store))
async def test_every_row_of_the_table_is_true_for_each_store(database: str, store: Store) -> None:
    shop = SHOPS[store]
    everything = [selling(number, row) for number, row in enumerate(ROWS)]
    async with (
        served(configured(database, store), database) as receiver,
        pushing(database, CATALOG, provider=PROVIDERS[store]) as pushed,
    ):
        market = Market(shop, receiver, pushed)
        for each in everything:
            for sold in (each.right, *(sold for _, sold in each.wrong), *([each.turned[1]] if each.turned else [])):
                await market.told(shop.sell(sold))
        await pushed.settle()
        for each in everything:
            if each.turned is not None:
                await market.told(shop.change(each.turned[2]))
        await pushed.settle()
        found = [text for each in everything for text in await amiss(market, each)]
        assert found == [], "\n".join(found)
        assert await pushed.mismatches() == []
