"""Settings: `tenure.toml` for what may be read by anybody, the environment for secrets.

Everything is checked at the start, and every mistake is reported at once with its key and remedy.
"""

import re
import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import msgspec
from msgspec import Meta

from domain.policy import Decisions
from domain.providers.table import PROVIDERS
from service.secrets import Secrets, api_key_variable, read_secrets, source_variable, target_variable
from service.sources.table import RECEIVING
from service.tables import SECRET, Finding, key_of, read_table
from service.targets import NoOptions
from service.targets.table import SERVING

Part = Literal["receiver", "runner", "fetcher", "pusher", "sealer"]
PARTS: tuple[Part, ...] = get_args(Part)

SOURCE_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")
_OPEN_HTTP = re.compile(r"http://(?!(127\.0\.0\.1|localhost|\[::1\])([:/]|$))")
"""Plain http to anywhere but this machine."""


class SettingsInvalid(Exception):
    """The settings cannot be used; `findings` holds every reason."""

    def __init__(self, findings: Collection[Finding]) -> None:
        super().__init__("\n".join(str(finding) for finding in findings))
        self.findings = tuple(findings)


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of `tenure.toml`."""


Port = Annotated[int, Meta(ge=0, le=65535, description="Give a port up to 65535, or 0 for any free one.")]
Url = Annotated[
    str,
    Meta(
        pattern=r"^$|^https?://[^/\s@]+(/[^\s]*)?$",
        description="Give a whole URL, https://HOST, without user name or password.",
    ),
]
Seconds = Annotated[float, Meta(gt=0, le=3600, description="Give seconds, above 0 and up to 3600.")]
Count = Annotated[int, Meta(ge=1, le=100_000, description="Give a whole number from 1 to 100000.")]


class Database(_Table, frozen=True, kw_only=True):
    url: Annotated[str, Meta(description="Give a PostgreSQL URL, postgresql://user@host/name."), SECRET] = ""
    """Empty: an embedded server in `data_directory`. TENURE_DATABASE_URL overrides it."""
    data_directory: str = ".tenure"
    """Relative to the folder of `tenure.toml`."""
    connections: Annotated[int, Meta(ge=2, le=100, description="Give a whole number from 2 to 100.")] = 8
    """In the pool that projections and the API share; the event store has its own."""
    migrate_at_start: bool = True
    """False: `serve` refuses a database that `tenure migrate` has not been run on."""
    timeout_seconds: Annotated[float, Meta(ge=0.05, le=300, description="Give seconds from 0.05 to 300.")] = 10.0
    """How long a delivery waits until it is durable, before it is answered 503."""
    prepared_statements: bool = True
    """False where PgBouncer pools transactions."""
    start_timeout_seconds: Seconds = 60.0
    """How long a start waits for a database that is down."""


class Server(_Table, frozen=True, kw_only=True):
    host: str = "127.0.0.1"
    port: Port = 8080
    body_limit_bytes: Annotated[
        int, Meta(ge=1024, le=64 * 1024 * 1024, description="Give 1024 to 67108864 (64 MiB).")
    ] = 1_048_576
    body_timeout_seconds: Seconds = 20.0
    """How long a sender may take for one body."""
    concurrency_limit: Count = 1_000
    """Connections, beyond which the server answers 503."""
    stop_timeout_seconds: Seconds = 20.0
    """How long a stop waits for what was begun."""
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], Meta(description="Write debug, info, warning or error.")
    ] = "info"
    """`debug` has a line for every accepted delivery."""


class Api(_Table, frozen=True, kw_only=True):
    """Where a source's provider is asked for what its deliveries leave out."""

    url: Url = ""
    """Empty: the provider's own."""
    requests_per_minute: Annotated[int, Meta(ge=0, le=100_000, description="Give a whole number up to 100000.")] = 0
    """0: what the provider lets everybody ask."""


class Source(_Table, frozen=True, kw_only=True):
    provider: Annotated[str, Meta(description='Name the provider, for instance "stripe".')]
    target: Annotated[
        str | tuple[str, ...],
        Meta(description='Name the table under [targets] that holds its licenses, or several: ["one", "other"].'),
    ]
    """Of several the first is that of keys which a license generator is asked for without naming one."""
    mode: Annotated[Literal["live", "test"], Meta(description='Write "live" or "test".')] = "live"
    account: Annotated[
        str, Meta(pattern=r"^[A-Za-z0-9_-]{0,64}$", description='Give the id of the account, in quotes: "405".')
    ] = ""
    """The provider's name for it (wallee: the space), where what it signs does not say by itself for whom."""
    policy: Decisions = Decisions()
    """What is not set is as the provider's subscriptions, and the target's licenses, are best treated."""
    api: Api = Api()

    @property
    def targets(self) -> tuple[str, ...]:
        return (self.target,) if isinstance(self.target, str) else self.target

    @property
    def live(self) -> bool:
        return self.mode == "live"


class Target(_Table, frozen=True, kw_only=True):
    """An account of a license server; what is empty, 0 or not set is as that server has it (`service.targets`)."""

    server: Annotated[str, Meta(description=f"Write one of: {', '.join(sorted(SERVING))}.")]
    url: Url = ""
    requests_per_minute: Annotated[int, Meta(ge=0, le=100_000, description="Give a whole number up to 100000.")] = 0
    burst: Annotated[int, Meta(ge=0, le=100_000, description="Give a whole number up to 100000.")] = 0
    options: msgspec.Struct | None = None
    """Of that server alone: a table of its own, read as its `Serving.options`."""


class Project(_Table, frozen=True, kw_only=True):
    """Numbers of the runner, which derives subscriptions and licenses from events."""

    poll_seconds: Seconds = 0.25
    """How often heads are looked at when no append of this process wakes the runner."""
    lease_seconds: Seconds = 15.0
    """How long the partitions of a process that died stay untouched."""
    batch: Count = 500
    """Events read at once."""


class Push(_Table, frozen=True, kw_only=True):
    """Numbers of the pusher, which brings license servers in line."""

    poll_seconds: Seconds = 1.0
    lease_seconds: Seconds = 120.0
    """Must exceed the longest call to a license server."""
    concurrency: Annotated[int, Meta(ge=1, le=64, description="Give a whole number from 1 to 64.")] = 64
    longest_delay_seconds: Seconds = 600.0
    """Between two attempts."""


class Fetch(_Table, frozen=True, kw_only=True):
    """Numbers of the fetcher, which asks providers for what deliveries leave out."""

    poll_seconds: Seconds = 1.0
    lease_seconds: Seconds = 120.0
    """An answer that takes longer than half of it is given up."""
    concurrency: Annotated[int, Meta(ge=1, le=64, description="Give a whole number from 1 to 64.")] = 4
    patience_seconds: Annotated[float, Meta(ge=0, le=3600, description="Give seconds, from 0 to 3600.")] = 20.0
    """How long a webhook is given to say what could also be asked."""
    longest_delay_seconds: Seconds = 600.0
    """Between two attempts, unless the provider refused: then it is an hour."""
    doubtful_delays_seconds: Annotated[
        tuple[Seconds, ...], Meta(min_length=1, max_length=10, description="Give 1 to 10 numbers of seconds.")
    ] = (60.0, 300.0, 1800.0)
    """Between the times that FastSpring has to say that there is no such thing, as it does when asked too often."""


class Seal(_Table, frozen=True, kw_only=True):
    """Numbers of the sealer, which extends the hash chain behind the heads."""

    poll_seconds: Seconds = 1.0
    """How often it looks for what was appended."""
    batch: Annotated[int, Meta(ge=1, le=20_000, description="Give a whole number from 1 to 20000.")] = 2_000
    """Events sealed in one transaction, at most."""


class File(_Table, frozen=True, kw_only=True):
    """All of `tenure.toml`."""

    database: Database = Database()
    server: Server = Server()
    sources: dict[str, Source] = {}
    targets: dict[str, Target] = {}
    project: Project = Project()
    fetch: Fetch = Fetch()
    push: Push = Push()
    seal: Seal = Seal()


class Settings(File, frozen=True, kw_only=True):
    """What the process runs with: the file, completed by the environment."""

    secrets: Secrets = Secrets()
    directory: Path
    """The absolute folder of `tenure.toml`, which its relative paths start from."""

    @property
    def data_directory(self) -> Path:
        return self.directory / self.database.data_directory


def load(path: Path | None, environ: Mapping[str, str]) -> Settings:
    """Reads the settings from `path`, else TENURE_CONFIG, else ./tenure.toml. Raises SettingsInvalid."""
    path = (path or Path(environ.get("TENURE_CONFIG") or "tenure.toml")).absolute()
    document = _parse(path)
    found: list[Finding] = []
    file = read_table(File, _without_options(document), (), found)
    sources, targets = _tables(document, "sources"), _tables(document, "targets")
    for name, table in sources.items():
        found.extend(_check_source(name, table, targets))
    found.extend(_check_accounts(sources))
    options = {name: _read_options(name, table, found) for name, table in targets.items()}
    for name, table in targets.items():
        found.extend(_check_target(name, table))
    secrets = read_secrets(environ, sources, targets, found)
    if file is None or found:
        raise SettingsInvalid(found)
    database = msgspec.structs.replace(file.database, url=environ.get("TENURE_DATABASE_URL") or file.database.url)
    accounts = {name: msgspec.structs.replace(each, options=options[name]) for name, each in file.targets.items()}
    fields = {name: getattr(file, name) for name in File.__struct_fields__}
    fields |= {"database": database, "targets": accounts}
    return Settings(**fields, secrets=secrets, directory=path.parent)


def require(settings: Settings, parts: Collection[Part]) -> None:
    """Raises SettingsInvalid when those parts of the process cannot work with what is configured."""
    found: list[Finding] = []
    if not settings.sources:
        found.append(Finding("[sources]", "is empty", "Add a table [sources.NAME], see tenure.example.toml."))
    if "receiver" in parts:
        found.extend(finding for name in settings.sources for finding in _unproven(settings, name))
    if "pusher" in parts:
        found.extend(
            Finding(target_variable(name), "is not set", f"Give the API key of target {name}.")
            for name in settings.targets
            if name not in settings.secrets.targets
        )
    if found:
        raise SettingsInvalid(found)


def _unproven(settings: Settings, name: str) -> list[Finding]:
    """What is missing to tell whether deliveries of a source are authentic."""
    if RECEIVING[settings.sources[name].provider].key_id is not None:
        remedy = f"Give the API key of source {name}, with which public keys are asked for."
        return [] if name in settings.secrets.api_keys else [Finding(api_key_variable(name), "is not set", remedy)]
    remedy = f"Give the signing secrets of source {name}, comma separated."
    return [] if name in settings.secrets.sources else [Finding(source_variable(name), "is not set", remedy)]


def _parse(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        problem, remedy = "does not exist", "Give --config, or copy service/tenure.example.toml to ./tenure.toml."
    except OSError as error:
        problem, remedy = f"cannot be read ({error.strerror})", "Give --config with a readable file."
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        problem, remedy = f"is not TOML ({error})", "Correct that line."
    raise SettingsInvalid([Finding(str(path), problem, remedy)])


def _tables(document: Mapping[str, Any], name: str) -> dict[str, Mapping[str, Any]]:
    """The tables below one of the file, as far as they are tables: their links are checked even if they are wrong."""
    tables = document.get(name)
    if not isinstance(tables, dict):
        return {}
    return {name: table for name, table in tables.items() if isinstance(table, dict)}


def _without_options(document: Mapping[str, Any]) -> dict[str, Any]:
    """The file without what only a license server itself can read."""
    targets = document.get("targets")
    if not isinstance(targets, dict):
        return dict(document)
    return {**document, "targets": {name: _without(table, "options") for name, table in targets.items()}}


def _without(table: object, name: str) -> object:
    return {key: value for key, value in table.items() if key != name} if isinstance(table, dict) else table


def _read_options(name: str, table: Mapping[str, Any], found: list[Finding]) -> msgspec.Struct | None:
    """What a target's own server makes of `[targets.NAME.options]`; None, with findings, where it cannot be read."""
    serving, options, path = (
        SERVING.get(str(table.get("server"))),
        table.get("options", {}),
        ("targets", name, "options"),
    )
    if serving is None:
        return None
    if not isinstance(options, dict):
        found.append(Finding(key_of(path), "is not a table", f"Write it as a table, [{'.'.join(path)}]."))
        return None
    if options and serving.options is NoOptions:
        remedy = f"Remove it: {table.get('server')} has none."
        found.append(Finding(f"[{'.'.join(path)}]", "is not used", remedy))
        return None
    return read_table(serving.options, options, path, found)


def _check_source(name: str, table: Mapping[str, Any], targets: Collection[str]) -> list[Finding]:
    found = _check_name(name, "sources")
    provider = table.get("provider")
    if isinstance(provider, str) and provider not in PROVIDERS:
        remedy = f"Known providers: {', '.join(sorted(PROVIDERS))}."
        found.append(Finding(key_of(("sources", name, "provider")), f"= {provider!r} is not known", remedy))
    found += _check_targets(key_of(("sources", name, "target")), table.get("target"), targets)
    found += _check_account(name, table)
    api = table.get("api")
    return found + (_check_url(api, ("sources", name, "api")) if isinstance(api, dict) else [])


def _check_targets(key: str, named: object, targets: Collection[str]) -> list[Finding]:
    names = [named] if isinstance(named, str) else named if isinstance(named, list) else None
    if names is None:
        return []
    known = f", or name one of: {', '.join(sorted(targets))}." if targets else "."
    found = [
        Finding(key, f"= {name!r} does not exist", f"Add [targets.{name}]{known}")
        for name in dict.fromkeys(each for each in names if isinstance(each, str))
        if name not in targets
    ]
    if not names:
        found.append(Finding(key, "names no target", "Name at least one table under [targets]."))
    if len(names) > len({str(name) for name in names}):
        found.append(Finding(key, "names a target twice", "Name each only once."))
    return found


def _check_account(name: str, table: Mapping[str, Any]) -> list[Finding]:
    provider, account = str(table.get("provider")), table.get("account", "")
    receiving, key = RECEIVING.get(provider), key_of(("sources", name, "account"))
    if receiving is None or not isinstance(account, str) or bool(account) == (receiving.account_of is not None):
        return []
    if account:
        remedy = f"Remove it: what {provider} signs is of one account alone."
        return [Finding(key, "is not used", remedy)]
    remedy = f'Give the id of the account at {provider} (wallee: of the space), for instance account = "405".'
    return [Finding(key, "is not set", remedy)]


def _check_accounts(sources: Mapping[str, Mapping[str, Any]]) -> list[Finding]:
    """Two sources of one account would license every purchase twice: ids of licenses bear the source's name."""
    found: list[Finding] = []
    first: dict[tuple[str, str], str] = {}
    for name, table in sources.items():
        account = table.get("account")
        if isinstance(account, str) and account:
            other = first.setdefault((str(table.get("provider")), account), name)
            if other != name:
                remedy = f"Give each account one source, or every purchase would be licensed twice: {other} has it."
                found.append(Finding(key_of(("sources", name, "account")), f"= {account!r} is used twice", remedy))
    return found


def _check_target(name: str, table: Mapping[str, Any]) -> list[Finding]:
    found, server = _check_name(name, "targets"), table.get("server")
    if isinstance(server, str) and server not in SERVING:
        remedy = f"Known license servers: {', '.join(sorted(SERVING))}."
        found.append(Finding(key_of(("targets", name, "server")), f"= {server!r} is not known", remedy))
    return found + _check_url(table, ("targets", name))


def _check_url(table: Mapping[str, Any], path: tuple[str, ...]) -> list[Finding]:
    url = table.get("url")
    if not isinstance(url, str) or not _OPEN_HTTP.match(url):
        return []
    return [Finding(key_of((*path, "url")), "is http", "Use https: the API key would cross the network in the open.")]


def _check_name(name: str, table: str) -> list[Finding]:
    if SOURCE_NAME.fullmatch(name):
        return []
    remedy = "Use lower-case letters, digits and hyphens, a letter or digit first."
    return [Finding(f"[{table}.{name}]", "is not a usable name", remedy)]
