"""Who buys in the demonstration, where, and who holds their licenses; in two acts.

Most lives are told in the first act up to now. Of a few the end is kept for the second, after one could see what the
first made of them.
"""

from collections.abc import Sequence
from datetime import datetime

from service.demo import fastspring, stripe
from service.demo.fastspring import FastSpringStore
from service.demo.store import AnyStore, Buyer, Later
from service.demo.stripe import StripeStore
from service.demo.wallee import WalleeStore
from service.sandbox.fastspring import demo_customers as customers_of_fastspring
from service.sandbox.wallee import demo_customers as customers_of_wallee

LICENSESPRING, NETLICENSING = "licensespring", "netlicensing"
TITLES = {LICENSESPRING: "LicenseSpring", NETLICENSING: "NetLicensing"}
"""What people call each license server."""

LATER = {
    "Rosa Engel": Later(event="invoice.paid", what="paid what was due"),
    "Sven Aurich": Later(event="customer.subscription.updated", what="needs more users"),
    "Udo Falk": Later(event="invoice.paid", what="paid what was due"),
    "Petra Winter": Later(event="subscription.deactivated", what="four notices were in vain: deactivated"),
    "Ruth Sommer": Later(event="subscription.updated", what="needs fewer users"),
    "Tomas Reiner": Later(event="subscription.charge.completed", what="the next month is paid"),
    "Vera Holt": Later(event="subscription.charge.completed", what="the next month is paid"),
    "Livia Brunner": Later(event="version.TERMINATING", what="ended at once"),
}
"""What happens in the second act, by the name of the buyer."""


def stores(now: datetime) -> list[AnyStore]:
    """Every store with its customers, whose lives reach up to `now` (aware)."""
    return [
        StripeStore("stripe-demo", LICENSESPRING, stripe.at_licensespring(now), LATER),
        StripeStore("stripe-two", NETLICENSING, stripe.at_netlicensing(now), LATER),
        FastSpringStore("fastspring-demo", LICENSESPRING, customers_of_fastspring(now), LATER),
        FastSpringStore("fastspring-two", NETLICENSING, fastspring.at_netlicensing(now), LATER),
        WalleeStore("wallee-demo", LICENSESPRING, customers_of_wallee(now), LATER),
    ]


def buyers(of: Sequence[AnyStore]) -> list[Buyer]:
    """Everybody."""
    return [buyer for store in of for buyer in store.buyers]
