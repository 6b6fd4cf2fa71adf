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
    assert "all sandboxes hold what is desired" in ran.stdout
    assert "✗" not in ran.stdout
    for passage in ("pending → trialing", "trialing → active", "active → past_due", "past_due → active"):
        assert passage in ran.stdout
    for line in (
        r"Jonas Reed +terminated",
        r"Lars Finch +active +1 x falcon-pro +.*disabled",
        # Bought without the webhook saying what: read back.
        r"Nils Abbott +active +1 x falcon-pro +\S+ +for ever",
        r"Sofia Lang +active +2 x falcon-pro +\S+ +for ever",
        r"Axel Lindqvist +active +1 x falcon-suite.*\n +\+ 2 in the bundle",
        r"Bea Morgan +active +1 x falcon-desk +by user",
        # Before and after the last webhooks.
        r"Rosa Engel +1 disabled: policy +paid what was due +1 works",
        r"Ruth Sommer +25 users at once +needs fewer users +15 users at once",
        r"Tomas Reiner +64 of 100 used +the next month is +0 of 100 used",
        r"Petra Winter +2 work +four notices were in +2 disabled",
        r"FastSpring asked for 4 license keys and got them",
        # At NetLicensing: what is held there, by the account it is held under, which the checkout may have named.
        r"Sven Aurich +active +1 x falcon-floating +tenure-\w+",
        r"Vera Holt +active +1 x falcon-pro +\w{4}-\w{4}-\w{4}-\w{4} ",
        r"Sven Aurich +5 sessions at once +needs more users +8 sessions at once",
        r"Udo Falk +1 disabled: policy +paid what was due +valid until",
        r"Vera Holt +(valid until|ended).* +the next month is +valid until",
        # A store whose webhooks say almost nothing: all of this was read back.
        r"Livia Brunner +1 works +ended at once +1 disabled",
        r"Nora Frei +active +3 x falcon-team",
    ):
        assert re.search(line, ran.stdout), line
    for passage in ("the license generator asked for keys", "notice 4 of 4 sent", "past_due → terminated"):
        assert passage in ran.stdout
    # In this order, each seen at its time, and followed by the license.
    life = ran.stdout[ran.stdout.index("The timeline of Livia Brunner") :]
    states = re.findall(r"(\w+ → \w+) +by readback", life)
    assert states == ["pending → active", "active → suspended", "suspended → active", "active → terminated"]
    pushed = re.findall(r"→ (1 license created|license disabled|license enabled) at", life)
    assert pushed == ["1 license created", "license disabled", "license enabled", "license disabled"]
    assert max(map(len, ran.stdout.splitlines())) <= 80
    assert "…" not in ran.stdout, "nothing is cut off"
    assert list(tmp_path.iterdir()) == [], "nothing is left behind"
