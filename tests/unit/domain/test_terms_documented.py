"""The tables of license attributes and of policies in the documentation are those of the code."""

import re

from domain.attributes import ATTRIBUTES
from domain.policy import Policy
from domain.terms_table import AT_LICENSESPRING, NO_FIELD, README, TERMS_TABLE, table


def test_the_table_in_the_readme_is_that_of_the_code() -> None:
    text = README.read_text(encoding="utf-8")
    assert text == TERMS_TABLE.put_into(text), f"stale: run `{TERMS_TABLE.command}`"


def test_every_attribute_has_a_row_that_says_what_becomes_of_it() -> None:
    rows = {line.split("`")[1]: line for line in table().splitlines() if line.startswith("| `")}
    assert list(rows) == list(ATTRIBUTES)
    for name, attribute in ATTRIBUTES.items():
        assert attribute.allowed in rows[name]
        assert all(f"`{field}`" in rows[name] for field in attribute.license)
        assert attribute.license or name in NO_FIELD


def test_no_field_is_named_that_no_attribute_sets() -> None:
    assert set(AT_LICENSESPRING) == {field for row in ATTRIBUTES.values() for field in row.license}


def test_every_policy_is_documented_with_its_default() -> None:
    section = README.read_text(encoding="utf-8").split("### Policies")[1].split("\n#")[0]
    documented = dict(re.findall(r"^\| `(\w+)` \| (\w+) \|", section, re.MULTILINE))
    defaults = {name: str(getattr(Policy(), name)) for name in Policy.__struct_fields__ if name != "products"}
    assert documented == defaults
