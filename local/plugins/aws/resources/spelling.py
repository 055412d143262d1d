"""Member names between Pulumi's camelCase and AWS's PascalCase.

For structures that differ in nothing else. Keys that are data (dimensions, tags) don't belong through here.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any


def pascal(value: Any, names: Mapping[str, str] = MappingProxyType({})) -> Any:
    """AWS's spelling of a structure, without its absent members; `names` are those that differ in more."""
    if isinstance(value, Mapping):
        return {
            names.get(name, name[:1].upper() + name[1:]): pascal(member, names)
            for name, member in value.items()
            if member is not None
        }
    return [pascal(member, names) for member in value] if isinstance(value, list) else value


def camel(value: Any, names: Mapping[str, str] = MappingProxyType({})) -> Any:
    """Pulumi's spelling of a structure; `names` are those that differ in more."""
    if isinstance(value, Mapping):
        return {
            names.get(name, name[:1].lower() + name[1:]): camel(member, names)
            for name, member in value.items()
        }
    return [camel(member, names) for member in value] if isinstance(value, list) else value
