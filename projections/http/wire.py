"""A request as the bytes that are sent."""

import re

import httpx2

_NO_HEADER = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


def check(request: httpx2.Request) -> None:
    """Raises UnsupportedProtocol or LocalProtocolError for what cannot be sent in one piece, or not safely."""
    if request.method in {"HEAD", "CONNECT"}:
        raise httpx2.UnsupportedProtocol(f"{request.method} has answers of another form")
    if "transfer-encoding" in request.headers:
        raise httpx2.LocalProtocolError("a body is sent in one piece")
    if any(_NO_HEADER.search(part) for header in request.headers.raw for part in header):
        raise httpx2.LocalProtocolError("a header has a line break or another control character in it")


def written(request: httpx2.Request) -> bytes:
    """All of a request that was checked and has its body read; header names keep their case."""
    line = b"%s %s HTTP/1.1" % (request.method.encode("ascii"), request.url.raw_path)
    return b"\r\n".join((line, *(b"%s: %s" % header for header in request.headers.raw), b"", request.content))
