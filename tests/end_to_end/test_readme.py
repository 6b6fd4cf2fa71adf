"""The commands of the README, run as a newcomer runs them: one shell, from a checkout of its own."""

import re
import shutil
import socket
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from service.demo.people import buyers, stores
from service.sandbox import fastspring, stripe

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
# Waiting for a server is a person's part, which the README need not spell out.
READY = """
ready() { until python3 -c "import socket; socket.create_connection(('127.0.0.1', $1), 1)" 2>/dev/null; do :; done; }
"""


def commands() -> str:
    """The blocks marked for running, in order, with free ports for the README's."""
    blocks = re.findall(r"^```sh demo\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 4
    script = "ready 8091; ready 8080\n".join(blocks)
    for port in ("8091", "8080"):
        with socket.create_server(("127.0.0.1", 0)) as free:
            script = script.replace(port, str(free.getsockname()[1]))
    return script


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The tree as it stands, with the environment of this run."""
    target = tmp_path / "a checkout"
    ignored = shutil.ignore_patterns(".git", ".venv", ".cache", ".tenure", "__pycache__", "tests", "tenure.toml")
    shutil.copytree(ROOT, target, ignore=ignored)
    return target


@pytest.mark.timeout(240)
def test_the_readme_leads_from_nothing_to_a_license_and_its_timeline(checkout: Path) -> None:
    run = f"""#!/bin/sh
exec "{sys.executable}" -m service "$@"
"""
    (checkout / "run").write_text(run, encoding="utf-8")
    script = f"""set -eu
trap 'trap - EXIT; kill $(jobs -p) 2>/dev/null; wait' EXIT
{READY}{commands()}
id=$(./run subscriptions --json | sed -n 's/.*"identifier": "\\(sub_[^"]*\\)".*/\\1/p' | head -n 1)
for _ in $(seq 100); do ./run timeline "$id" > timeline.txt; grep -q 'license created' timeline.txt && break; done
cat timeline.txt
for _ in $(seq 100); do ./run licenses --json > licenses.json; grep -q falcon-team licenses.json && break; done
cat licenses.json
"""
    ran = subprocess.run(["bash", "-c", script], cwd=checkout, capture_output=True, text=True, check=False, timeout=220)
    assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr[-3000:]
    for line in (
        "payment failed (attempt 1)",
        "active → past_due",
        "past_due → active",
        "1 license created",
        "2 units → 2 subscription licenses of falcon-pro",
        "price_pro  OK, with warnings",
        "! attribute 'grace_perod' of price price_pro is not known and was ignored; was",
    ):
        assert line in ran.stdout
        assert line in README, "the README shows what is printed"
    header = ["license", "product", "until", "key", "pushed"]
    assert header in [line.split() for line in ran.stdout.splitlines()]
    assert header in [line.split() for line in README.splitlines()]
    assert '"product_code": "falcon-pro"' in ran.stdout
    assert '"product_code": "falcon-team"' in ran.stdout, "what was bought at FastSpring"


def test_the_readme_counts_right() -> None:
    assert f" {len(buyers(stores(datetime.now(UTC))))} customers" in README
    assert f"there are {len(stripe.LIFECYCLES) + len(fastspring.LIFECYCLES)}" in README
