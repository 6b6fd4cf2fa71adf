"""The part of a delivery that one event is."""

import msgspec

_Container = dict[str, msgspec.Raw] | list[msgspec.Raw]


def part_of(body: bytes, item: str) -> bytes | msgspec.Raw:
    """The undecoded part of a JSON body that `item` (a JSON pointer, RFC 6901; empty: all of it) names.

    Raises ValueError where the body is not JSON or has no such part.
    """
    if not item:
        return body
    part: bytes | msgspec.Raw = body
    for token in item.split("/")[1:]:
        name = token.replace("~1", "/").replace("~0", "~")
        container = msgspec.json.decode(part, type=_Container)
        try:
            part = container[int(name)] if isinstance(container, list) else container[name]
        except LookupError:
            raise ValueError(f"the body has no part {item}") from None
    return part
