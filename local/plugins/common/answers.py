"""What plugins answer alike: who they are, and what a comparison found.

Deliberately doesn't own how inputs are compared, nor what becomes of them.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any, ClassVar, Final

from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

_DIFF: Final = provider_pb2.PropertyDiff
_KINDS: Final[Mapping[str, Any]] = {"add": _DIFF.ADD, "delete": _DIFF.DELETE, "update": _DIFF.UPDATE}
_REPLACING: Final = 1
"""Added to a kind of difference, says that it replaces."""


class Plugin(provider_pb2_grpc.ResourceProviderServicer):
    """What a plugin says of itself; its methods run on many threads at once."""

    name: ClassVar[str]
    version: ClassVar[str]

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version=self.version)

    def GetSchema(self, request: Any, context: Any) -> Any:
        return provider_pb2.GetSchemaResponse(schema=json.dumps({"name": self.name, "version": self.version}))

    def CheckConfig(self, request: Any, context: Any) -> Any:
        return provider_pb2.CheckResponse(inputs=request.news)

    def Cancel(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()


def type_and_name(urn: str) -> tuple[str, str]:
    """The type and the name in a URN (`urn:pulumi:STACK::PROJECT::PARENT$TYPE::NAME`)."""
    _, _, types, name = urn.split("::", 3)
    return types.rpartition("$")[2], name


def differing(
    kinds: Mapping[str, str], replacing: Collection[str], *, deletes_first: bool = False, inputs: bool = False
) -> Any:
    """The answer to Diff: `add`, `delete` or `update` by path, of `inputs` or of outputs.

    `replacing` are the arguments at the top whose change replaces the resource.
    """
    by_argument = {path: path.partition(".")[0].partition("[")[0] for path in kinds}
    return provider_pb2.DiffResponse(
        changes=provider_pb2.DiffResponse.DIFF_SOME if kinds else provider_pb2.DiffResponse.DIFF_NONE,
        diffs=sorted({*by_argument.values()}),
        replaces=sorted(replacing),
        deleteBeforeReplace=bool(replacing) and deletes_first,
        hasDetailedDiff=True,
        detailedDiff={
            path: _DIFF(kind=_KINDS[kind] + _REPLACING * (by_argument[path] in replacing), inputDiff=inputs)
            for path, kind in kinds.items()
        },
    )
