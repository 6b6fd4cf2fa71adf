"""`tenure sources check`: what is configured for each source, and what is still missing."""

import asyncio
import os
from pathlib import Path

import msgspec

from service.commands.failures import NOT_FOUND
from service.commands.output import print_json, print_line, print_table
from service.secrets import (
    HOW_TO_MAKE,
    SHORTEST_GENERATOR_KEY,
    api_key_variable,
    generator_key_variable,
    source_variable,
    target_variable,
)
from service.settings import Settings, load
from service.sources.table import GENERATORS, READING, RECEIVING
from service.wiring.asking import check_api_keys


class SourceCheck(msgspec.Struct, frozen=True, kw_only=True):
    """One source as it is configured, with the remedies for what is not.

    `missing` names what it cannot work without, `hints` what it works better with. `secrets` counts the signing
    secrets, None where the provider signs with keys of its own.
    """

    source: str
    provider: str
    mode: str
    webhook: str
    secrets: int | None
    targets: list[str]
    missing: list[str]
    hints: list[str]


def check_sources(config: Path | None, *, as_json: bool) -> int:
    """Prints each source; 1 when one of them lacks something, or there is none. Raises SettingsInvalid."""
    settings = load(config, os.environ)
    asyncio.run(check_api_keys(settings))
    checks = [_check(settings, name) for name in settings.sources]
    if as_json:
        print_json(checks)
    else:
        _print(checks)
    return 0 if checks and not any(check.missing for check in checks) else NOT_FOUND


def _check(settings: Settings, name: str) -> SourceCheck:
    source = settings.sources[name]
    secrets = None if RECEIVING[source.provider].key_id else len(settings.secrets.sources.get(name, ()))
    missing = []
    if secrets is None:
        # Its deliveries are checked with public keys, which only the API gives.
        if name not in settings.secrets.api_keys:
            missing.append(f"API key, with which public keys are asked for: set {api_key_variable(name)}")
    elif not secrets:
        missing.append(f"signing secret: set {source_variable(name)}")
    missing += [
        f"API key of target {target}: set {target_variable(target)}"
        for target in source.targets
        if target not in settings.secrets.targets
    ]
    return SourceCheck(
        source=name,
        provider=source.provider,
        mode=source.mode,
        webhook=f"/webhooks/{name}",
        secrets=secrets,
        targets=[f"{target} ({settings.targets[target].server})" for target in source.targets],
        missing=missing,
        hints=_hints(settings, name),
    )


def _hints(settings: Settings, name: str) -> list[str]:
    provider, hints = settings.sources[name].provider, []
    asked = provider in READING and RECEIVING[provider].key_id is None
    if asked and name not in settings.secrets.api_keys:
        hints.append(f"no API key, so what its deliveries leave out will wait: set {api_key_variable(name)}")
    if provider in GENERATORS:
        hints += _generator_hints(settings, name)
    return hints


def _generator_hints(settings: Settings, name: str) -> list[str]:
    keys, variable = settings.secrets.generator_keys.get(name, ()), generator_key_variable(name)
    if not keys:
        return [f"no generator key, so it is refused license keys at the checkout: set {variable}"]
    if any(len(key.reveal()) < SHORTEST_GENERATOR_KEY for key in keys):
        short = f"fewer than {SHORTEST_GENERATOR_KEY} characters"
        return [f"a generator key of {short} in {variable}, which could be guessed: make one with {HOW_TO_MAKE}"]
    return []


def _print(checks: list[SourceCheck]) -> None:
    print_table(
        ("source", "provider", "mode", "webhook", "secrets", "targets"),
        [
            (each.source, each.provider, each.mode, each.webhook, _counted(each.secrets), ", ".join(each.targets))
            for each in checks
        ],
        empty="No source is configured: add a table [sources.NAME] to tenure.toml.",
    )
    lacks: dict[str, list[str]] = {}
    for check in checks:
        for lack in check.missing:
            lacks.setdefault(lack, []).append(check.source)
    # What several lack, as the key of a target that they feed, is told once.
    for lack, named in lacks.items():
        print_line(f"{' and '.join(named)} {'is' if len(named) == 1 else 'are'} missing the {lack}")
    for check in checks:
        for hint in check.hints:
            print_line(f"{check.source} has {hint}")


def _counted(secrets: int | None) -> str:
    return "not needed" if secrets is None else str(secrets)
