"""What is sent to NetLicensing and read from it: texts under its own names. Pure.

Facts: restful-api/services and restful-api/custom-properties of NetLicensing's wiki: any name that is not its own
becomes a property of the vendor's, and one that is sent empty is deleted.
"""

from collections.abc import Iterable, Mapping

from domain.receipts import THERE, Fields, Value
from projections.targets.netlicensing.envelope import Item
from projections.targets.netlicensing.express import (
    COUNTED,
    CUSTOM_FIELD,
    PARENT,
    TEMPLATE,
    instant_in,
    written,
)

_OF_LICENSES = "startdate timevolume timevolumeperiod quantity usedquantity maxsessions quota parentfeature graceperiod"
_RELATED = "licenseenumber licensetemplatenumber licensetype productnumber productmodulenumber transactionnumber"
_OF_ALL = "number active name price currency hidden inuse markedfortransfer aliases licenseesecret"
_OWN = frozenset(f"{_OF_ALL} {_RELATED} {_OF_LICENSES}".split())
_NUMBERS = frozenset({"timeVolume", "quantity", "quota", "maxSessions"})
_NAMES: Mapping[str, tuple[str, ...]] = {
    "enabled": ("active",),
    # The model's page says quota, and other clients send quantity; one of the two becomes a property without meaning.
    "quota": ("quota", "quantity"),
    # Likewise: the list of fields and the model's page spell it differently.
    PARENT: (PARENT, "parentFeature"),
    TEMPLATE: (),
    THERE: (),
}


def is_reserved(name: str) -> bool:
    """Whether a property of that name would be NetLicensing's own, whatever a vendor means by it."""
    return name.casefold() in _OWN or name.casefold().startswith("nodesecret")


def form(fields: Fields) -> dict[str, str]:
    """The fields as they are sent."""
    sent: dict[str, str] = {}
    for name, value in fields.items():
        if name == COUNTED:
            sent["usedQuantity"] = "0"
        elif name.startswith(CUSTOM_FIELD):
            sent[name.removeprefix(CUSTOM_FIELD)] = _text(value)
        else:
            sent |= dict.fromkeys(_NAMES.get(name, (name,)), _text(value))
    return sent


def told(item: Item, names: Iterable[str]) -> Fields:
    """What an item says under these names; None of what it does not say."""
    return {name: _told(item, name) for name in sorted(names)}


def _told(item: Item, name: str) -> Value:
    if name.startswith(CUSTOM_FIELD):
        # What is not there was deleted, or never set.
        return item[name.removeprefix(CUSTOM_FIELD)]
    text = next((item[each] for each in _NAMES.get(name, (name,)) if item[each]), "")
    if name == "enabled":
        return None if not text else text.lower() == "true"
    if name in _NUMBERS:
        return int(text) if text.removeprefix("-").isdecimal() and len(text) < 12 else None
    if name == "startDate":
        instant = instant_in(text)
        return written(instant) if instant else None
    return text or None


def _text(value: Value) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
