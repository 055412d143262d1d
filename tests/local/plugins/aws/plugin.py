"""The aws stand-in in this process, and what it serves."""

from __future__ import annotations

from collections.abc import Mapping
from pkgutil import iter_modules
from typing import Any

from pulumi.runtime.proto import provider_pb2

from local.plugins.aws import registry, resources
from local.plugins.aws.provider import Provider
from local.plugins.aws.resource import Resource
from local.plugins.common.values import encode
from tests.local.plugins import plugin
from tests.local.plugins.plugin import RefusedError

__all__ = ["Plugin", "RefusedError", "served"]


def served() -> list[Resource]:
    """Every type that the stand-in has."""
    services = [module.name for module in iter_modules(resources.__path__)]
    return [kind for service in services for kind in registry.types_of(service).values()]


class Plugin(plugin.Plugin):
    """One configured stand-in."""

    def __init__(self, configuration: Mapping[str, Any] | None = None) -> None:
        super().__init__(Provider())
        arguments = encode({"region": "ap-northeast-2", **(configuration or {})})
        self.provider.Configure(provider_pb2.ConfigureRequest(args=arguments), self._context())
