"""How commands that go on and on run."""

import asyncio
import gc
from collections.abc import Callable


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """The fastest event loop there is."""
    try:
        import uvloop
    except ImportError:  # Windows
        return None
    return uvloop.new_event_loop


def settled() -> None:
    """Called when all is set up: what exists now lives as long as the process, so the collector need not look again."""
    gc.collect()
    gc.freeze()
