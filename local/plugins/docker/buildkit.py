"""BuildKit's messages, which are protocol buffers without a published Python form.

Owns just enough of the wire format to read progress (names of steps, what they print, and their errors) and
to answer a session's questions.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping

from google.protobuf import empty_pb2
from google.protobuf.message import DecodeError
from google.protobuf.unknown_fields import UnknownFieldSet

_VERTEXES, _LOGS = 1, 3
_VERTEX_NAME, _VERTEX_ERROR, _VERTEX_STARTED, _VERTEX_COMPLETED = 3, 7, 5, 6
_LOG_MESSAGE = 4


def lines(encoded: str) -> list[str]:
    """Return the lines of one progress message; one that can't be read has none."""
    try:
        message = base64.b64decode(encoded, validate=True)
        return [line for text in _texts(message) for line in text.splitlines() if line.strip()]
    except (binascii.Error, DecodeError):
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


def read_fields(message: bytes) -> list[tuple[int, bytes]]:
    """Number and content of each field that has a length; raises DecodeError for anything malformed."""
    fields = UnknownFieldSet(empty_pb2.Empty.FromString(message))
    return [(field.field_number, field.data) for field in fields if isinstance(field.data, bytes)]


def write_fields(texts: Mapping[int, str]) -> bytes:
    """Write a message of texts by field number."""
    message = b""
    for number, text in texts.items():
        content = text.encode()
        message += _varint(number << 3 | 2) + _varint(len(content)) + content
    return message


def _varint(value: int) -> bytes:
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)
