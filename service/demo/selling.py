"""How the imaginary vendor Falcon Software is set up: products at the license server, and Tenure's settings."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from domain.attributes import CUSTOM_FIELD
from domain.policy import Decisions, ProductPolicy
from service.demo.people import FASTSPRING, GRACE_DAYS, SOLO, SOLO_CODE, STRIPE
from service.sandbox.fastspring import catalog as at_fastspring
from service.sandbox.licensespring.settings import CustomFieldSeed, ProductSeed
from service.sandbox.stripe import catalog as at_stripe
from service.secrets import Secret, Secrets
from service.settings import Api, Database, Fetch, Server, Settings, Source, Target

TARGET = "licensespring"
# Stays below the sandbox's 200 calls in 10 seconds, which no plan lifts.
CALLS_PER_MINUTE = 1_100
PROVIDERS = {STRIPE: "stripe", FASTSPRING: "fastspring"}
BY_USER = "falcon-desk"
BUNDLE = "falcon-suite"
BUNDLED = ("falcon-pro", "falcon-studio")


def products() -> tuple[ProductSeed, ...]:
    """What the license server knows of all that the stores sell."""
    sold = list(_sold())
    codes = sorted({code for attributes in sold for code in _codes(attributes)})
    return tuple(_product(code, [each for each in sold if code in _codes(each)]) for code in codes)


def _product(code: str, sold: Iterable[Mapping[str, str]]) -> ProductSeed:
    fields = {name.removeprefix(CUSTOM_FIELD) for each in sold for name in each if name.startswith(CUSTOM_FIELD)}
    return ProductSeed(
        short_code=code,
        authorization_method="user" if code == BY_USER else "license-key",
        custom_fields=tuple(CustomFieldSeed(name=name) for name in sorted(fields)),
        bundle=BUNDLED if code == BUNDLE else (),
    )


def _sold() -> Iterable[Mapping[str, str]]:
    yield from (price.metadata for price in (*at_stripe.RECURRING, at_stripe.PERPETUAL, SOLO))
    yield from (product.attributes for product in at_fastspring.ALL)


def _codes(attributes: Mapping[str, str]) -> list[str]:
    return [attributes[name] for name in ("short_code", "product_short_code") if name in attributes]


def configured(
    folder: Path,
    dsn: str,
    *,
    license_server: tuple[str, str],
    apis: Mapping[str, tuple[str, str]],
    signing: Mapping[str, str],
    generator_key: str,
) -> Settings:
    """Tenure's settings; each other side is given as its URL and key."""
    policy = Decisions(products={SOLO_CODE: ProductPolicy(past_due_days=GRACE_DAYS)})
    url, key = license_server
    return Settings(
        directory=folder,
        database=Database(url=dsn),
        server=Server(port=0),
        sources={
            name: Source(provider=provider, mode="test", target=TARGET, policy=policy, api=Api(url=apis[name][0]))
            for name, provider in PROVIDERS.items()
        },
        targets={TARGET: Target(server="licensespring", url=url, requests_per_minute=CALLS_PER_MINUTE)},
        # Nobody here is late for long.
        fetch=Fetch(patience_seconds=1, poll_seconds=0.1),
        secrets=Secrets(
            sources={name: (Secret(text),) for name, text in signing.items()},
            api_keys={name: Secret(api_key) for name, (_, api_key) in apis.items()},
            generator_keys={FASTSPRING: (Secret(generator_key),)},
            targets={TARGET: Secret(key)},
        ),
    )


def written(settings: Settings) -> Path:
    """The same settings as a file, so that other commands can look at the demonstration."""
    path = settings.directory / "tenure.toml"
    sources = "".join(
        f'[sources.{name}]\nprovider = "{source.provider}"\nmode = "{source.mode}"\ntarget = "{source.target}"\n'
        f'[sources.{name}.api]\nurl = "{source.api.url}"\n'
        for name, source in settings.sources.items()
    )
    target = settings.targets[TARGET]
    path.write_text(
        f'[database]\nurl = "{settings.database.url}"\n'
        f'{sources}[targets.{TARGET}]\nserver = "{target.server}"\nurl = "{target.url}"\n',
        encoding="utf-8",
    )
    return path
