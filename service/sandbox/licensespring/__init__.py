"""A sandbox of LicenseSpring's Management API: a separate application that shares no code with Tenure's client."""

from service.sandbox.licensespring.app import create_sandbox
from service.sandbox.licensespring.control import Control
from service.sandbox.licensespring.runner import RunningSandbox, running_sandbox
from service.sandbox.licensespring.settings import (
    DEFAULT_API_KEY,
    FeatureSeed,
    PolicySeed,
    ProductSeed,
    SandboxSettings,
)

__all__ = [
    "DEFAULT_API_KEY",
    "Control",
    "FeatureSeed",
    "PolicySeed",
    "ProductSeed",
    "RunningSandbox",
    "SandboxSettings",
    "create_sandbox",
    "running_sandbox",
]
