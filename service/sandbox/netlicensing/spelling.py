"""Properties that the documentation, the clients and the model pages spell differently."""

from __future__ import annotations

from collections.abc import Mapping

from service.sandbox.netlicensing.records import Kind
from service.sandbox.netlicensing.settings import SandboxSettings


def understood(settings: SandboxSettings, kind: Kind, form: Mapping[str, str]) -> dict[str, str]:
    """The form with the spellings that this sandbox takes; another spelling is left, as a custom property."""
    read = dict(form)
    if kind is Kind.LICENSE:
        spellings = ("parentFeature", "parentfeature")
        for spelling in spellings if settings.parent_feature_sent == "both" else (settings.parent_feature_sent,):
            if spelling in form:
                read["parentFeature"] = read.pop(spelling)
        if settings.parent_feature_sent == "parentfeature" and "parentfeature" not in form:
            read.pop("parentFeature", None)
    if kind is Kind.BUNDLE and settings.bundle_templates_field in form:
        read["licenseTemplateNumbers"] = read.pop(settings.bundle_templates_field)
    elif kind is Kind.BUNDLE:
        read.pop("licenseTemplateNumbers", None)
    return read
