"""The demonstration, as a newcomer runs it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.timeout(180)
def test_the_demonstration_ends_well_and_tells_the_whole_story(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "service", "demo", "--once"],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "COLUMNS": "80", "PYTHONWARNINGS": "error"},
        capture_output=True,
        text=True,
        check=False,
        timeout=170,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stderr == ""
    assert "the sandbox holds what is desired" in ran.stdout
    for passage in ("pending → trialing", "trialing → active", "active → past_due", "past_due → active"):
        assert passage in ran.stdout
    assert re.search(r"Jonas Reed +terminated", ran.stdout)
    assert re.search(r"Lars Finch +active +1 x falcon-pro +.*disabled", ran.stdout)
    assert max(map(len, ran.stdout.splitlines())) <= 80
    assert list(tmp_path.iterdir()) == [], "nothing is left behind"
