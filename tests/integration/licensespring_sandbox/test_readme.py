"""The README tells the truth: its commands run, and its tables name what there is."""

import shutil

import pytest

from service.sandbox.licensespring import SandboxSettings
from service.sandbox.licensespring.gateway import KNOWN_BODIES
from tests.integration.licensespring_sandbox.vendor import Vendor
from tests.integration.sandboxes import Readme

pytestmark = pytest.mark.anyio

README = Readme("licensespring")


async def test_the_table_of_settings_names_each_one_with_its_default_first() -> None:
    README.names_each_setting(SandboxSettings)


async def test_the_table_of_faults_names_each_kind_with_its_fields(vendor: Vendor) -> None:
    README.names_each_fault(vendor.control.simulated.faults)
    assert KNOWN_BODIES.keys() == {403, 404, 429}


@pytest.mark.skipif(shutil.which("curl") is None, reason="the README's commands need curl")
async def test_every_command_of_the_readme_succeeds(vendor: Vendor) -> None:
    await vendor.order("by-hand", {"key": "AAAA-BBBB-CCCC-DDDD"})
    await README.run_commands("http://127.0.0.1:8181", vendor.url)
