"""Logs: JSON lines for machines, coloured lines on a terminal, and nothing secret or personal in either."""

import logging
import logging.config
import re
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog
from structlog.typing import Processor

HIDDEN = "[hidden]"

_SECRET_KEYS = re.compile(
    r"authorization|cookie|secret|token|password|api_?key|signature|^body$|^headers$|e-?mail", re.IGNORECASE
)
_SECRET_TEXT = re.compile(
    r"whsec_\w+|\b[rs]k_(?:live|test)_\w+"  # Stripe
    r"|(?<=Bearer )\S+|(?<=Api-Key )\S+"  # authorization headers
    r"|(?<=://)[^/\s:@]*:[^/\s@]*(?=@)|(?<=password=)\S+"  # database URLs and connection strings
    r"|[\w.+-]+@[\w-]+(?:\.[\w-]+)+",  # e-mail addresses
    re.IGNORECASE,
)


def hide(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor that hides values under telling keys, and telling texts under any key."""
    for key, value in event.items():
        event[key] = _hidden(key, value)
    return event


def set_up_logging(level: str = "INFO", stream: TextIO | None = None) -> None:
    """Sends all logs of the process, of libraries too, to standard error."""
    stream = stream or sys.stderr
    terminal = stream.isatty()
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    # Text first, then hidden: exceptions of drivers quote values.
    rendered: list[Processor] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
        hide,
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if terminal
        else structlog.processors.JSONRenderer(),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        # Lines below the level cost a call that does nothing.
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=rendered))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # A pooled client logs every request it makes, with its URL.
    for name in ("httpx2", "httpcore2"):
        logging.getLogger(name).setLevel(logging.WARNING)


def _hidden(key: str, value: object) -> object:
    if key != "event" and _SECRET_KEYS.search(key):
        return HIDDEN
    match value:
        case str():
            return _SECRET_TEXT.sub(HIDDEN, value)
        case dict():
            return {name: _hidden(str(name), inner) for name, inner in value.items()}
        case list() | tuple():
            return [_hidden("", inner) for inner in value]
        case _:
            return value
