"""BuildKit's messages, which are protocol buffers without a published Python form.

Owns just enough of the wire format to read progress (names of steps, what they print, and their errors) and
to answer a session's questions.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping

_VERTEXES, _LOGS = 1, 3
_VERTEX_NAME, _VERTEX_ERROR, _VERTEX_STARTED, _VERTEX_COMPLETED = 3, 7, 5, 6
_LOG_MESSAGE = 4


def lines(encoded: str) -> list[str]:
    """Return the lines of one progress message; one that can't be read has none."""
    try:
        message = base64.b64decode(encoded, validate=True)
        return [line for text in _texts(message) for line in text.splitlines() if line.strip()]
    except (binascii.Error, ValueError):
        return []


def _texts(message: bytes) -> Iterator[str]:
    for number, content in read_fields(message):
        if number == _VERTEXES:
            vertex = dict(read_fields(content))
            name = vertex.get(_VERTEX_NAME, b"").decode(errors="replace")
            if _VERTEX_ERROR in vertex:
                yield f"{name}: {vertex[_VERTEX_ERROR].decode(errors='replace')}"
            elif _VERTEX_STARTED in vertex and _VERTEX_COMPLETED not in vertex:
                yield name
        elif number == _LOGS:
            yield dict(read_fields(content)).get(_LOG_MESSAGE, b"").decode(errors="replace")


def read_fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield number and content of each field that has a length; raises ValueError for anything malformed."""
    position = 0
    while position < len(message):
        key, position = _varint(message, position)
        kind = key & 7
        if kind == 0:
            _, position = _varint(message, position)
        elif kind in (1, 5):
            position += 8 if kind == 1 else 4
        elif kind == 2:
            length, position = _varint(message, position)
            if position + length > len(message):
                raise ValueError("a field ends after its message")
            yield key >> 3, message[position : position + length]
            position += length
        else:
            raise ValueError(f"a field has the unknown kind {kind}")


def write_fields(texts: Mapping[int, str]) -> bytes:
    """Write a message of texts by field number."""
    message = b""
    for number, text in texts.items():
        content = text.encode()
        message += _written_varint(number << 3 | 2) + _written_varint(len(content)) + content
    return message


def _written_varint(value: int) -> bytes:
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)


def _varint(message: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while position < len(message):
        byte = message[position]
        value |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if not byte & 0x80:
            return value, position
    raise ValueError("a number ends after its message")
