"""Who asks, where a command keeps that in the history."""

import getpass

from service.commands.failures import usage


def user_of_this_machine() -> str:
    """Raises CommandFailed where the machine does not know."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        raise usage("This machine does not know who asks: name yourself with --author.") from None
