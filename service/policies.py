"""Policies as they might be: a TOML file whose decisions go over those of the settings."""

import tomllib
from pathlib import Path
from typing import Any

import msgspec
from msgspec import UNSET

from domain.policy import Decisions, ProductPolicy
from service.settings import Settings, SettingsInvalid
from service.tables import Finding, read_table


class SourcePolicy(msgspec.Struct, frozen=True, kw_only=True):
    policy: Decisions = Decisions()


class PolicyFile(msgspec.Struct, frozen=True, kw_only=True):
    """`[policy]` for every source, and `[sources.NAME.policy]`, as in `tenure.toml`, over it for one."""

    policy: Decisions = Decisions()
    sources: dict[str, SourcePolicy] = {}


def with_policies(settings: Settings, path: Path) -> Settings:
    """The settings with what the file decides otherwise. Raises SettingsInvalid, with every mistake in it."""
    found: list[Finding] = []
    file = read_table(PolicyFile, _parse(path), (), found)
    remedy = f"Name one of: {', '.join(sorted(settings.sources))}."
    unknown = [name for name in (file.sources if file else ()) if name not in settings.sources]
    found.extend(Finding(f"[sources.{name}]", "is no source of the settings", remedy) for name in unknown)
    if file is None or found:
        raise SettingsInvalid(found)
    if not _decided(file.policy) and not any(_decided(each.policy) for each in file.sources.values()):
        remedy = "Write for instance [policy] and past_due_days = 14."
        raise SettingsInvalid([Finding(str(path), "decides nothing", remedy)])
    sources = {}
    for name, source in settings.sources.items():
        own = file.sources.get(name, SourcePolicy()).policy
        sources[name] = msgspec.structs.replace(source, policy=_over(own, _over(file.policy, source.policy)))
    return msgspec.structs.replace(settings, sources=sources)


def _parse(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        problem = f"cannot be read ({error.strerror})"
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        problem = f"is not TOML ({error})"
    raise SettingsInvalid([Finding(str(path), problem, "Give a TOML file with [policy] or [sources.NAME.policy].")])


def _over(own: Decisions, other: Decisions) -> Decisions:
    products = {
        name: msgspec.structs.replace(other.products.get(name, ProductPolicy()), **_decided(each))
        for name, each in own.products.items()
    }
    decided = {name: value for name, value in _decided(own).items() if name != "products"}
    return msgspec.structs.replace(other, **decided, products={**other.products, **products})


def _decided(policy: ProductPolicy) -> dict[str, object]:
    given = {name: getattr(policy, name) for name in policy.__struct_fields__}
    return {name: value for name, value in given.items() if value is not UNSET and value != {}}
