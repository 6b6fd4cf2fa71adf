"""Which licensee of an earlier purchase another one may join, when the checkout names it.

The name comes from a form whose values a buyer may write, through the tags of an order. So it opens nothing by itself:
it has to be a key that was given by this source, at the same target, for the same product there, to a customer of the
e-mail address that the form tells of the buyer. Anything else is treated as if nobody had named one: the purchase gets
a licensee of its own, as a refusal would fail a checkout that may be paid already, and would tell which names exist.
"""

from collections.abc import Awaitable, Callable, Sequence

from domain.events import source_of
from domain.generated import product_of
from projections.queries import LicenseView
from service.sources import KeyRequest

Holders = Callable[[str], Awaitable[Sequence[LicenseView]]]
"""The licenses that have this key, or this id."""


async def account_to_join(holders: Holders, request: KeyRequest, *, source: str, target: str) -> str:
    """The licensee named by the request, if the buyer has it; else empty. Raises what `holders` raises."""
    if not request.licensee or not request.email:
        return ""
    for view in await holders(request.licensee):
        account = view.applied.holder if view.applied else ""
        if account and view.key == request.licensee and _is_buyers(view, request, source, target):
            return account
    return ""


def _is_buyers(view: LicenseView, request: KeyRequest, source: str, target: str) -> bool:
    same_customer = view.desired.customer.email.casefold() == request.email.casefold()
    return same_customer and (source_of(view.stream), view.target) == (source, target) and _is_same(view, request)


def _is_same(view: LicenseView, request: KeyRequest) -> bool:
    """Whether it is of the product that is bought: a licensee belongs to one."""
    if request.product_code:
        return view.desired.product_code == request.product_code
    return product_of(view.desired.fulfillment) == request.product
