"""The one error of the embedded server."""


class EmbeddedServerError(Exception):
    """The embedded server cannot be had; the message says what is wrong and what to do about it."""
