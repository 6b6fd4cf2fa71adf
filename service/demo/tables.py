"""What the demonstration prints: who bought what, what became of it, and what changed; at 80 columns."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta

from rich.table import Table
from rich.text import Text

from projections.queries import LicenseView, StreamView
from service.commands.output import state_text
from service.demo.people import TITLES
from service.demo.store import AnyStore, Buyer, Webhook


def table(*columns: str, right: Iterable[str] = (), gap: int = 2) -> Table:
    made = Table(box=None, pad_edge=False, padding=(0, 0, 0, gap), header_style="dim")
    for column in columns:
        made.add_column(column, justify="right" if column in right else "left")
    return made


def by_store(stores: Sequence[AnyStore], made: Table, place: int) -> Iterator[Buyer]:
    """The buyers, with the name of each store in a row of its own, and in that column the license server."""
    for store in stores:
        where = Text(f"at {TITLES[store.target]}", style="dim")
        made.add_row(Text(store.title, style="bold"), *[""] * (place - 1), where)
        yield from store.buyers


def deliveries(stores: Sequence[AnyStore], sent: Sequence[Webhook]) -> Table:
    """Who bought, and how many webhooks told of it."""
    came = Counter(each.buyer for each in sent)
    once = {(each.buyer, id(each.delivery)) for each in sent}
    different = Counter(buyer for buyer, _ in once)
    made = table("customer", "story", "webhooks", "twice", right=("webhooks", "twice"))
    for buyer in by_store(stores, made, 1):
        twice = came[buyer.name] - different[buyer.name]
        made.add_row(buyer.name, Text(buyer.story, style="dim"), str(came[buyer.name]), str(twice or ""))
    return made


def held(stores: Sequence[AnyStore], views: Sequence[StreamView], licenses: Sequence[LicenseView]) -> Table:
    """What Tenure made of each buyer's purchases."""
    made = table("customer", "state", "licenses", "key", "until", gap=1)
    for buyer in by_store(stores, made, 2):
        for view in of_buyer(buyer, views):
            own = [each for each in licenses if each.stream == view.stream]
            for number, row in enumerate(_groups(own) or [(Text("none yet", style="yellow"), "", "")]):
                name, state = (buyer.name, state_text(view.state)) if number == 0 else ("", Text())
                made.add_row(name, state, *row)
    return made


def of_buyer(buyer: Buyer, views: Sequence[StreamView]) -> list[StreamView]:
    return [view for view in views if (view.source, view.email) == (buyer.source, buyer.email)]


def _groups(licenses: Sequence[LicenseView]) -> list[tuple[Text, str, str]]:
    """Licenses that are alike in one line each, those that work first: what, the first key, until when."""
    groups: dict[tuple[bool, str, str], list[str]] = {}
    for each in licenses:
        desired = each.desired
        end = desired.expiry + timedelta(hours=desired.margin_hours) if desired.expiry else None
        until = "disabled" if not desired.enabled else f"{end:%Y-%m-%d}" if end else "for ever"
        name = each.key or ("by user" if each.applied and each.applied.remote else "never created")
        groups.setdefault((desired.enabled, desired.product_code, until), []).append(name)
    rows = [
        (Text(f"{len(keys)} x {product}", style="green" if enabled else "dim"), keys[0], until)
        for (enabled, product, until), keys in sorted(groups.items(), reverse=True)
    ]
    members = sum(len(each.applied.companions) for each in licenses if each.applied)
    return [*rows, *([(Text(f"+ {members} in the bundle", style="dim"), "", "")] if members else [])]


def changes(buyers: Sequence[Buyer], before: Mapping[str, str], after: Mapping[str, str]) -> Table:
    """What the second act changed, by the name of the buyer."""
    made = table("customer", "before", "then", "after")
    for buyer in buyers:
        if buyer.later is not None:
            made.add_row(buyer.name, before[buyer.name], Text(buyer.later.what, style="dim"), after[buyer.name])
    return made
