"""A PostgreSQL server of Tenure's own, for demos, tests and small installations.

It is started from whatever binaries are found, listens on a Unix socket only, and is shared by every process that
names the same directory; the last one out stops it. Durability settings are PostgreSQL's defaults.
"""

from service.embedded.errors import EmbeddedServerError
from service.embedded.server import EmbeddedServer, embedded_server

__all__ = ["EmbeddedServer", "EmbeddedServerError", "embedded_server"]
