"""Which version of an object an event shows.

A manual resend from the store's log has a new id and a new time, and may show the object as it was when it was sent
first. What an event of its type has shown before is no news, whatever has happened since.
"""

from hashlib import sha256

from msgspec import Struct, json

from domain import facts as f
from domain.events import Event
from domain.providers.fastspring.subscription_shapes import Subscription
from domain.readback import TYPE

UPDATED = "subscription.updated"


def shown(subscription: Subscription, event: Event, beside: Struct | None = None) -> list[f.Shown]:
    """The version of a subscription, or of `beside`, which holds one; none where no change of it is dated.

    What was read back is as new as the question. An update may lead back to what was: seats that were paid for again
    must not be taken for an old event sent by hand.
    """
    if subscription.changed is None or event.type.startswith(TYPE) or event.type == UPDATED:
        return []
    told = json.encode((event.type, subscription if beside is None else beside))
    return [f.Shown(key=sha256(told).hexdigest()[:16])]
