"""Secrets and tokens, which come from the environment alone and are never shown."""

from collections.abc import Iterable, Mapping

import msgspec

from service.tables import Finding

SHORTEST_TOKEN = 24
"""Characters; 24 random ones of base64 are 144 bits."""
SHORTEST_GENERATOR_KEY = 32
"""Characters; what a checkout sends is signed with MD5, so the key has to be long."""
HOW_TO_MAKE = "python3 -c 'import secrets; print(secrets.token_urlsafe(32))'"
"""A command that prints a random text of 43 characters."""


class Secret:
    """A text that does not show itself in logs, errors or debuggers."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "Secret(…)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)


class Secrets(msgspec.Struct, frozen=True, kw_only=True):
    """What the environment held. A source or target without a secret is missing here, not empty."""

    sources: dict[str, tuple[Secret, ...]] = {}
    """All live signing secrets of each source; several while one is being rotated."""
    api_keys: dict[str, Secret] = {}
    """With which the API of a source's provider is asked for what its deliveries leave out."""
    generator_keys: dict[str, tuple[Secret, ...]] = {}
    """With which a source's provider proves that it asks for license keys; several while one is being rotated."""
    targets: dict[str, Secret] = {}
    viewer_tokens: tuple[Secret, ...] = ()
    operator_tokens: tuple[Secret, ...] = ()


def source_variable(name: str) -> str:
    """`TENURE_SOURCE_STRIPE_MAIN_SECRETS` for `stripe-main`."""
    return f"TENURE_SOURCE_{_upper(name)}_SECRETS"


def api_key_variable(name: str) -> str:
    """`TENURE_SOURCE_STRIPE_MAIN_API_KEY` for `stripe-main`."""
    return f"TENURE_SOURCE_{_upper(name)}_API_KEY"


def generator_key_variable(name: str) -> str:
    """`TENURE_SOURCE_FASTSPRING_EU_GENERATOR_KEY` for `fastspring-eu`."""
    return f"TENURE_SOURCE_{_upper(name)}_GENERATOR_KEY"


def target_variable(name: str) -> str:
    """`TENURE_TARGET_LICENSESPRING_KEY` for `licensespring`."""
    return f"TENURE_TARGET_{_upper(name)}_KEY"


def read_secrets(
    environ: Mapping[str, str], sources: Iterable[str], targets: Iterable[str], found: list[Finding]
) -> Secrets:
    """Takes the secrets of those sources and targets, and the API tokens, out of the environment."""
    sources = list(sources)
    secrets = Secrets(
        sources={name: held for name in sources if (held := _several(environ, source_variable(name)))},
        api_keys={name: held[0] for name in sources if (held := _one(environ, api_key_variable(name)))},
        generator_keys={name: held for name in sources if (held := _several(environ, generator_key_variable(name)))},
        targets={name: held[0] for name in targets if (held := _one(environ, target_variable(name)))},
        viewer_tokens=_tokens(environ, "TENURE_VIEWER_TOKENS", found),
        operator_tokens=_tokens(environ, "TENURE_OPERATOR_TOKENS", found),
    )
    if set(secrets.viewer_tokens) & set(secrets.operator_tokens):
        remedy = "Make a token of its own for each role."
        found.append(Finding("TENURE_VIEWER_TOKENS", "shares a token with TENURE_OPERATOR_TOKENS", remedy))
    return secrets


def _tokens(environ: Mapping[str, str], variable: str, found: list[Finding]) -> tuple[Secret, ...]:
    tokens = _several(environ, variable)
    if any(len(token.reveal()) < SHORTEST_TOKEN for token in tokens):
        problem = f"holds a token of fewer than {SHORTEST_TOKEN} characters"
        found.append(Finding(variable, problem, f"Make one with: {HOW_TO_MAKE}"))
    return tokens


def _several(environ: Mapping[str, str], variable: str) -> tuple[Secret, ...]:
    return tuple(Secret(part) for text in environ.get(variable, "").split(",") if (part := text.strip()))


def _one(environ: Mapping[str, str], variable: str) -> tuple[Secret, ...]:
    text = environ.get(variable, "").strip()
    return (Secret(text),) if text else ()


def _upper(name: str) -> str:
    return name.upper().replace("-", "_")
