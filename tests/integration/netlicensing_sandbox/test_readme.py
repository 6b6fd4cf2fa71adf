"""The README tells the truth: its commands run, and its tables name what there is."""

import asyncio
import re
import shutil
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from service.sandbox.netlicensing import SandboxSettings, faults
from service.sandbox.netlicensing.schema import MODELS
from tests.integration.netlicensing_sandbox.vendor import Vendor

pytestmark = pytest.mark.anyio

README = Path(__file__).parents[3] / "service" / "sandbox" / "netlicensing" / "README.md"


def rows_of(heading: str) -> list[list[str]]:
    """The cells of the table below a header cell."""
    lines = README.read_text().splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(f"| {heading} |"))
    table = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        table.append([cell.strip() for cell in line.strip("|").split(" | ")])
    return table


async def test_the_table_of_settings_names_each_one_with_its_default_first() -> None:
    documented = {name.strip("` "): re.findall(r"`([^`]+)`", values) for name, values, *_ in rows_of("setting")}
    fields = msgspec.structs.fields(SandboxSettings)
    assert set(documented) == {field.name for field in fields}
    defaults = msgspec.to_builtins(SandboxSettings())
    for field in fields:
        if values := documented[field.name]:
            default = defaults[field.name]
            assert values[0] == (str(default).lower() if isinstance(default, bool) else str(default)), field.name


async def test_the_table_of_faults_names_each_kind_with_its_fields() -> None:
    documented = {kind.strip("` "): set(re.findall(r"`([a-z_]+)`", names)) for kind, names, _ in rows_of("`kind`")}
    effects = get_args(faults.AnyEffect)
    assert documented.keys() == {effect.__struct_config__.tag for effect in effects}
    for effect in effects:
        assert {field.name for field in msgspec.structs.fields(effect)} <= documented[effect.__struct_config__.tag]


async def test_the_table_of_models_names_each_one() -> None:
    assert [row[0] for row in rows_of("model")] == list(MODELS)


@pytest.mark.skipif(shutil.which("curl") is None, reason="the README's commands need curl")
async def test_every_command_of_the_readme_succeeds(vendor: Vendor) -> None:
    blocks = [block for block in re.findall(r"```sh\n(.*?)```", README.read_text(), re.DOTALL) if "curl" in block]
    script = "\n".join(blocks).replace("http://127.0.0.1:8092", vendor.url)
    script = 'set -eu\ncurl() { command curl --fail --max-time 20 --output /dev/null --show-error "$@"; }\n' + script
    shell = await asyncio.create_subprocess_exec(
        "sh", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    told, _ = await shell.communicate(script.encode())
    assert shell.returncode == 0, told.decode()
    assert script.count("curl -s") > 15
