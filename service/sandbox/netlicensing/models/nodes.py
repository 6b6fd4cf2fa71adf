"""Node-Locked: machines, known by their secrets, as many as the licenses sum up to."""

from __future__ import annotations

from service.sandbox.netlicensing.models.verdict import Licensed, Verdict, yes
from service.sandbox.netlicensing.records import Record

UNLIMITED = -1


def node_locked(licensed: Licensed) -> Verdict:
    """A machine is bound at its first validation while there is room; with predefined secrets none is ever bound."""
    licenses = licensed.of_type("QUANTITY")
    quotas = [license_.count("quota") for license_ in licenses]
    most = UNLIMITED if UNLIMITED in quotas else sum(quotas)
    bound = {secret for license_ in licenses for secret in _secrets(license_)}
    secret = licensed.sent.get("nodeSecret", "")
    effective = {"valid": most != 0, "nodes": most, "in_use": len(bound)}
    if secret in bound:
        return Verdict(told={"valid": yes(most != 0)}, effective=effective)
    room = next((license_ for license_ in licenses if _has_room(license_)), None)
    predefined = licensed.module.text("nodeSecretMode") == "PREDEFINED"
    if not secret or room is None or predefined:
        return Verdict(told={"valid": "false"}, effective=effective)
    return Verdict(told={"valid": "true"}, effective=effective, changes=(room.changed(nodes=(*room.nodes, secret)),))


def _secrets(license_: Record) -> list[str]:
    """Bound ones, and those that the vendor put into `nodeSecret`, joined by commas."""
    return [*license_.nodes, *filter(None, license_.text("nodeSecret").split(","))]


def _has_room(license_: Record) -> bool:
    quota = license_.count("quota")
    return quota == UNLIMITED or len(_secrets(license_)) < quota
