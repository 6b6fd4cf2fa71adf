"""A sandbox of NetLicensing's REST API: a separate application that shares no code with Tenure's client."""

from service.sandbox.netlicensing.app import create_sandbox
from service.sandbox.netlicensing.control import Control
from service.sandbox.netlicensing.runner import RunningSandbox, running_sandbox
from service.sandbox.netlicensing.seeds import BundleSeed, ModuleSeed, ProductSeed, TemplateSeed
from service.sandbox.netlicensing.settings import DEFAULT_API_KEY, SandboxSettings
from service.sandbox.netlicensing.standard import falcon

__all__ = [
    "DEFAULT_API_KEY",
    "BundleSeed",
    "Control",
    "ModuleSeed",
    "ProductSeed",
    "RunningSandbox",
    "SandboxSettings",
    "TemplateSeed",
    "create_sandbox",
    "falcon",
    "running_sandbox",
]
