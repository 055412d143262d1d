"""Property values between the engine's wire form and Python.

Owns unknown and secret values. Secrets are taken off on the way in (their paths are kept) and put back on the
way out, so that the code between sees plain values. Doesn't own what a property means.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from google.protobuf import struct_pb2

_UNKNOWN_SENTINEL: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_SIGNATURE_KEY: Final = "4dabf18193072939515e22adb298388d"
_SECRET_SIGNATURE: Final = "1b47061264138c4ac30d75fd1eb44270"
_OUTPUT_SIGNATURE: Final = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
_RESOURCE_SIGNATURE: Final = "5cf8f73096256a8f31e491e813e4eb8e"

Path = tuple[str, ...]
"""Keys from the top down to a value. A path ends at a list: what is in a list is secret as a whole."""


class _Unknown:
    """A value that only the update will know."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = _Unknown()


def has_unknown(value: Any) -> bool:
    """Whether the value is unknown or holds an unknown one at any depth."""
    if value is UNKNOWN:
        return True
    if isinstance(value, Mapping):
        return any(has_unknown(member) for member in value.values())
    if isinstance(value, list | tuple):
        return any(has_unknown(member) for member in value)
    return False


def decode(properties: struct_pb2.Struct) -> tuple[dict[str, Any], frozenset[Path]]:
    """The plain properties, and the paths of those that were secret."""
    secrets: set[Path] = set()
    plain = {key: _decode(value, (key,), secrets, False) for key, value in properties.fields.items()}
    return plain, frozenset(secrets)


def _decode(value: struct_pb2.Value, path: Path, secrets: set[Path], in_list: bool) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return _decode_struct(value.struct_value, path, secrets, in_list)
    if kind == "list_value":
        return [_decode(member, path, secrets, True) for member in value.list_value.values]
    if kind == "string_value":
        return UNKNOWN if value.string_value == _UNKNOWN_SENTINEL else value.string_value
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    return value.bool_value if kind == "bool_value" else None


def _decode_struct(struct: struct_pb2.Struct, path: Path, secrets: set[Path], in_list: bool) -> Any:
    signature = struct.fields[_SIGNATURE_KEY].string_value if _SIGNATURE_KEY in struct.fields else ""
    if signature == _SECRET_SIGNATURE:
        secrets.add(path)
        return _decode(struct.fields["value"], path, secrets, in_list)
    if signature == _OUTPUT_SIGNATURE:
        if struct.fields["secret"].bool_value:
            secrets.add(path)
        if "value" not in struct.fields:
            return UNKNOWN
        return _decode(struct.fields["value"], path, secrets, in_list)
    if signature == _RESOURCE_SIGNATURE:
        return _decode(struct.fields["id"], path, secrets, in_list)
    return {
        key: _decode(member, path if in_list else (*path, key), secrets, in_list)
        for key, member in struct.fields.items()
    }


def encode(properties: Mapping[str, Any], secrets: Iterable[Path] = ()) -> struct_pb2.Struct:
    """The wire form, with the values at the given paths marked secret; a path that isn't there is skipped."""
    marked = frozenset(secrets)
    struct = struct_pb2.Struct()
    for key, value in properties.items():
        _encode(value, struct.fields[key], (key,), marked)
    return struct


def _encode(value: Any, into: struct_pb2.Value, path: Path, secrets: frozenset[Path]) -> None:
    if path in secrets and value is not None:
        into.struct_value.fields[_SIGNATURE_KEY].string_value = _SECRET_SIGNATURE
        into = into.struct_value.fields["value"]
        secrets = frozenset()
    if value is UNKNOWN:
        into.string_value = _UNKNOWN_SENTINEL
    elif value is None:
        into.null_value = struct_pb2.NULL_VALUE
    elif isinstance(value, bool):
        into.bool_value = value
    elif isinstance(value, int | float):
        into.number_value = value
    elif isinstance(value, str):
        into.string_value = value
    elif isinstance(value, Mapping):
        into.struct_value.SetInParent()
        for key, member in value.items():
            _encode(member, into.struct_value.fields[key], (*path, key), secrets)
    elif isinstance(value, list | tuple | set | frozenset):
        into.list_value.SetInParent()
        for member in value:
            _encode(member, into.list_value.values.add(), path, frozenset())
    else:
        raise TypeError(f"{'.'.join(path)} holds a {type(value).__name__}, which no property can hold")
