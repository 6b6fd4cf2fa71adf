"""What nobody waits for runs in a process behind the one that answers, so that no webhook waits for its turn.

Between the two lies a line, a pair of connected sockets: the process in front says that something was appended, the one
behind says every second that it lives and what it counted. Whichever ends, the other hears it.
"""

from service.background.behind import following
from service.background.front import Background

__all__ = ["Background", "following"]
