"""Who bought, and for whom."""

from domain import facts as f
from domain.events import Event
from domain.providers.fastspring.order_shapes import Order
from domain.providers.fastspring.shapes import Account, Contact, id_of


def buyer(account: str | Account | None, customer: Contact | None = None) -> list[f.Fact]:
    """The account's contact; where the account is only named, whoever paid, as they stand on the bill."""
    reference = id_of(account)
    own = account.contact if isinstance(account, Account) else None
    links: list[f.Fact] = [f.StreamsLinked(streams=(f"account/{reference}",))] if reference else []
    if own is not None and own.email:
        return [*links, _described(reference, own)]
    if not reference and customer is None:
        return []
    return [*links, _described(reference, customer or Contact(), as_billed=True)]


def account_changed(account: Account, event: Event) -> list[f.Fact]:  # noqa: ARG001 - one of a table's functions
    return [_described(account.identifier, account.contact or Contact())]


def users_named(order: Order) -> list[f.Fact]:
    """Those an order was bought for, where the buyer is not the only one."""
    people = [each.recipient for each in order.recipients or () if each.recipient is not None and each.recipient.email]
    own = order.account.contact if isinstance(order.account, Account) else None
    buyers = {_address(contact) for contact in (order.customer, own) if contact is not None}
    if all(_address(person) in buyers for person in people):
        return []
    users = {_address(person): f.NamedUser(person.email or "", person.name) for person in people}
    return [f.UsersNamed(users=tuple(users.values()))]


def _address(contact: Contact) -> str:
    return (contact.email or "").casefold()


def _described(reference: str, contact: Contact, *, as_billed: bool = False) -> f.CustomerDescribed:
    return f.CustomerDescribed(
        reference=reference,
        email=contact.email or "",
        name=contact.name,
        company=contact.company or "",
        as_billed=as_billed,
    )
