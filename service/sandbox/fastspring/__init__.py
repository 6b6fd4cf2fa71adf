"""A FastSpring store made of values: people act, and the webhooks come out that FastSpring would send.

It stands on the other side of the wire, so it imports nothing of Tenure's own understanding of FastSpring.
"""

from service.sandbox.fastspring.api import (
    THROTTLED,
    FastSpringApi,
    RunningFastSpringApi,
    running_fastspring_api,
)
from service.sandbox.fastspring.delivery import LICENSING, Delivery, Sent, deliveries, sign
from service.sandbox.fastspring.generator import GeneratorFailed, ask_for_keys, form, request_hash
from service.sandbox.fastspring.legality import IllegalAct
from service.sandbox.fastspring.lifecycle import Lifecycle
from service.sandbox.fastspring.lifecycles import LIFECYCLES
from service.sandbox.fastspring.model import GeneratorCall
from service.sandbox.fastspring.people import Person, demo_customers
from service.sandbox.fastspring.sending import deliver
from service.sandbox.fastspring.shapes import Shape
from service.sandbox.fastspring.store import Store

__all__ = [
    "LICENSING",
    "LIFECYCLES",
    "THROTTLED",
    "Delivery",
    "FastSpringApi",
    "GeneratorCall",
    "GeneratorFailed",
    "IllegalAct",
    "Lifecycle",
    "Person",
    "RunningFastSpringApi",
    "Sent",
    "Shape",
    "Store",
    "ask_for_keys",
    "deliver",
    "deliveries",
    "demo_customers",
    "form",
    "request_hash",
    "running_fastspring_api",
    "sign",
]
