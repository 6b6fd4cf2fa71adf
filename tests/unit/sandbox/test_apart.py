"""The simulated license servers share code with each other and none with the clients that are tried at them."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[3] / "service" / "sandbox"
SHARED = ("backdoor", "backdoor_routes", "calls", "clock", "command", "connections", "faults", "serving")


def imported(file: Path) -> Iterator[str]:
    """The modules of ours that a file imports."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            own = node.module == "service.sandbox"
            names = [f"{node.module}.{alias.name}" for alias in node.names] if own else [node.module or "."]
        else:
            continue
        yield from (name for name in names if name.split(".")[0] in {"domain", "projections", "service", "tests", ""})


@pytest.mark.parametrize("sandbox", ["licensespring", "netlicensing"])
def test_a_license_servers_sandbox_imports_itself_and_what_all_share(sandbox: str) -> None:
    names = [name for file in (FOLDER / sandbox).rglob("*.py") for name in imported(file)]
    assert len(names) > 50
    own, shared = f"service.sandbox.{sandbox}", {f"service.sandbox.{name}" for name in SHARED}
    assert {name for name in names if not name.startswith(own)} <= shared


@pytest.mark.parametrize("module", SHARED)
def test_what_all_share_knows_none_of_them(module: str) -> None:
    assert set(imported(FOLDER / f"{module}.py")) <= {f"service.sandbox.{name}" for name in SHARED}
