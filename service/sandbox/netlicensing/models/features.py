"""Multi-Feature: one template per feature, valid when there is a license of it."""

from __future__ import annotations

from service.sandbox.netlicensing.models.verdict import Licensed, Verdict, yes


def multi_feature(licensed: Licensed) -> Verdict:
    """One group per template, named by its number."""
    held = {template.id for _, template in licensed.licenses}
    omitted = licensed.settings.features_not_licensed == "omitted"
    told = [template for template in licensed.templates if template.id in held or not omitted]
    return Verdict(
        lists={
            template.number: {"valid": yes(template.id in held), "featureName": template.text("name")}
            for template in told
        },
        effective={
            "valid": bool(held),
            "features": {template.number: {"valid": True} for template in licensed.templates if template.id in held},
        },
    )
