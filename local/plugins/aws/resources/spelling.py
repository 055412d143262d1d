"""Member names between Pulumi's camelCase and AWS's PascalCase.

For structures that differ in nothing else. Keys that are data (dimensions, tags) don't belong through here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def pascal(value: Any) -> Any:
    """AWS's spelling of a structure, without its absent members."""
    if isinstance(value, Mapping):
        return {
            name[:1].upper() + name[1:]: pascal(member)
            for name, member in value.items()
            if member is not None
        }
    return [pascal(member) for member in value] if isinstance(value, list) else value


def camel(value: Any) -> Any:
    """Pulumi's spelling of a structure."""
    if isinstance(value, Mapping):
        return {name[:1].lower() + name[1:]: camel(member) for name, member in value.items()}
    return [camel(member) for member in value] if isinstance(value, list) else value


def without_absent(value: Any) -> Any:
    """A structure without members that are None, at any depth."""
    if isinstance(value, Mapping):
        return {name: without_absent(member) for name, member in value.items() if member is not None}
    return [without_absent(member) for member in value] if isinstance(value, list) else value
