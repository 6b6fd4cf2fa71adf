"""A wallee space made of values: people act, and the webhooks come out that wallee would send; its API tells the rest.

It stands on the other side of the wire, so it imports nothing of Tenure's own understanding of wallee.
"""

from service.sandbox.wallee.api import DEFAULT_KEY, RunningWalleeApi, WalleeApi, running_wallee_api
from service.sandbox.wallee.delivery import EVERYTHING, LICENSING, Delivery, Listening, deliveries, delivery
from service.sandbox.wallee.desk import SPACE
from service.sandbox.wallee.habits import Habits
from service.sandbox.wallee.legality import IllegalAct, Standing, legal_acts
from service.sandbox.wallee.lifecycle import START, Lifecycle
from service.sandbox.wallee.lifecycles import LIFECYCLES
from service.sandbox.wallee.model import Happening, Kind
from service.sandbox.wallee.people import Person, demo_customers
from service.sandbox.wallee.playing import PATIENCE, play
from service.sandbox.wallee.reading import Page, Unreadable
from service.sandbox.wallee.sending import deliver
from service.sandbox.wallee.signing import SigningKey
from service.sandbox.wallee.space import Space
from service.sandbox.wallee.tokens import Credentials

__all__ = [
    "DEFAULT_KEY",
    "EVERYTHING",
    "LICENSING",
    "LIFECYCLES",
    "PATIENCE",
    "SPACE",
    "START",
    "Credentials",
    "Delivery",
    "Habits",
    "Happening",
    "IllegalAct",
    "Kind",
    "Lifecycle",
    "Listening",
    "Page",
    "Person",
    "RunningWalleeApi",
    "SigningKey",
    "Space",
    "Standing",
    "Unreadable",
    "WalleeApi",
    "deliver",
    "deliveries",
    "delivery",
    "demo_customers",
    "legal_acts",
    "play",
    "running_wallee_api",
]
