"""A Stripe account made of values: people act, and the webhooks come out that Stripe would send.

It stands on the other side of the wire, so it imports nothing of Tenure's own understanding of Stripe.
"""

from service.sandbox.stripe.account import Account
from service.sandbox.stripe.delivery import LICENSING, Delivery, deliveries, sign
from service.sandbox.stripe.legality import IllegalAct
from service.sandbox.stripe.lifecycles import LIFECYCLES, Lifecycle, lifecycles
from service.sandbox.stripe.people import Person, demo_customers
from service.sandbox.stripe.shapes import Shape

__all__ = [
    "LICENSING",
    "LIFECYCLES",
    "Account",
    "Delivery",
    "IllegalAct",
    "Lifecycle",
    "Person",
    "Shape",
    "deliveries",
    "demo_customers",
    "lifecycles",
    "sign",
]
