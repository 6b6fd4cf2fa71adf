"""FastSpring ("Contextual"): batches of events, with webhook expansion or without.

An event shows the whole object as it stands when the event is sent, which may be long after it happened: a manual
resend from the store's log has a new id, a new time and maybe newer data. So access is decided on what the object
shows, orders and charges count once by the order's id, and none of them pays a debt that is younger.
"""

from domain.providers import Provider
from domain.providers.fastspring.settle import settle
from domain.providers.fastspring.translate import translate
from domain.providers.fastspring.unpack import unpack
from domain.providers.fastspring.wants import wants

PROVIDER = Provider(
    name="fastspring",
    unpack=unpack,
    translate=translate,
    settle=settle,
    wants=wants,
    # A deactivation disables licenses and devices at once, as LicenseSpring's own integration does.
    policy={"devices_at_end": "free"},
)
