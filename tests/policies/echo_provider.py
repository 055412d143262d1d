"""A provider for policy tests: it takes any resource of any package, gives back what it was given, and makes
nothing.

It stands in for AWS at the real Pulumi CLI, so that a program can be previewed and updated with the pack in
seconds, and so that a test can tell whether a refused resource was created: `created` lists every resource
that an update made. What Check fills in is what the real AWS provider fills in for these types, since a
policy sees it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager
from typing import Any

import grpc
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS
from pulumi.runtime.proto import (
    plugin_pb2,
    provider_pb2,
    provider_pb2_grpc,
    resource_pb2,
    resource_pb2_grpc,
)
from pulumi.runtime.rpc import UNKNOWN

ACCOUNT = "646886795421"
REGION = "ap-northeast-2"

# As recorded from the real provider; a policy never sees these properties missing.
CHECK_DEFAULTS: dict[str, dict[str, Any]] = {
    "aws:ecs/service:Service": {
        "enableEcsManagedTags": False,
        "enableExecuteCommand": False,
        "schedulingStrategy": "REPLICA",
        "waitForSteadyState": False,
    },
    "aws:ecs/taskDefinition:TaskDefinition": {"skipDestroy": False, "trackLatest": False},
    "aws:ec2/securityGroup:SecurityGroup": {"description": "Managed by Pulumi", "revokeRulesOnDelete": False},
}
_NAMED = (
    "aws:ecs/service:Service",
    "aws:ecs/cluster:Cluster",
    "aws:iam/role:Role",
    "aws:lb/targetGroup:TargetGroup",
)


class EchoProvider(provider_pb2_grpc.ResourceProviderServicer):
    """Serves every package at once; the type of a resource is in its URN."""

    def __init__(self) -> None:
        self.created: list[str] = []
        self.existing: dict[str, dict[str, Any]] = {}

    # -- the plugin itself

    def Handshake(self, _request: Any, _context: Any) -> Any:
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True, accept_resources=False)

    def Attach(self, _request: Any, _context: Any) -> Any:
        return empty_pb2.Empty()

    def GetPluginInfo(self, _request: Any, _context: Any) -> Any:
        return plugin_pb2.PluginInfo(version="7.51.1")

    def Parameterize(self, request: Any, _context: Any) -> Any:
        return provider_pb2.ParameterizeResponse(name=request.value.name, version=request.value.version)

    def CheckConfig(self, request: Any, _context: Any) -> Any:
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, _request: Any, _context: Any) -> Any:
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    def Configure(self, _request: Any, _context: Any) -> Any:
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True, acceptResources=False)

    def Cancel(self, _request: Any, _context: Any) -> Any:
        return empty_pb2.Empty()

    # -- resources

    def Check(self, request: Any, _context: Any) -> Any:
        inputs = json_format.MessageToDict(request.news)
        type_, name = _type_and_name(request.urn)
        for key, value in CHECK_DEFAULTS.get(type_, {}).items():
            inputs.setdefault(key, value)
        if type_ in _NAMED:
            inputs.setdefault("name", f"{name}-{uuid.uuid4().hex[:7]}")
        return provider_pb2.CheckResponse(inputs=_struct(inputs))

    def Diff(self, request: Any, _context: Any) -> Any:
        changed = request.old_inputs != request.news
        kind = provider_pb2.DiffResponse
        return kind(changes=kind.DIFF_SOME if changed else kind.DIFF_NONE)

    def Create(self, request: Any, _context: Any) -> Any:
        type_, name = _type_and_name(request.urn)
        outputs = json_format.MessageToDict(request.properties)
        if request.preview:
            outputs.setdefault("arn", UNKNOWN)
            return provider_pb2.CreateResponse(id="", properties=_struct(outputs))
        self.created.append(f"{type_}::{name}")
        outputs.setdefault("arn", f"arn:aws:test:{REGION}:{ACCOUNT}:{name}")
        outputs.setdefault("id", f"{name}-id")
        return provider_pb2.CreateResponse(id=f"{name}-id", properties=_struct(outputs))

    def Read(self, request: Any, _context: Any) -> Any:
        state = _struct(self.existing.get(request.id, {}))
        return provider_pb2.ReadResponse(id=request.id, properties=state, inputs=state)

    def Update(self, request: Any, _context: Any) -> Any:
        return provider_pb2.UpdateResponse(properties=request.news)

    def Delete(self, _request: Any, _context: Any) -> Any:
        return empty_pb2.Empty()

    def Invoke(self, request: Any, _context: Any) -> Any:
        answers = {
            "aws:index/getCallerIdentity:getCallerIdentity": {"accountId": ACCOUNT, "id": ACCOUNT},
            "aws:index/getRegion:getRegion": {"region": REGION, "id": REGION},
            "aws:index/getPartition:getPartition": {"partition": "aws", "id": "aws"},
        }
        return provider_pb2.InvokeResponse(**{"return": _struct(answers[request.tok])})

    def Construct(self, request: Any, _context: Any) -> Any:
        """awsx.ecs.FargateService, which is one aws.ecs.Service with what it was given."""
        inputs = json_format.MessageToDict(request.inputs)
        with grpc.insecure_channel(request.monitorEndpoint, options=_GRPC_CHANNEL_OPTIONS) as channel:
            monitor = resource_pb2_grpc.ResourceMonitorStub(channel)
            component = monitor.RegisterResource(
                resource_pb2.RegisterResourceRequest(
                    type=request.type, name=request.name, parent=request.parent, acceptSecrets=True
                )
            )
            inputs.pop("taskDefinitionArgs", None)
            inputs.setdefault("desiredCount", 1)
            inputs.setdefault("launchType", "FARGATE")
            monitor.RegisterResource(
                resource_pb2.RegisterResourceRequest(
                    type="aws:ecs/service:Service",
                    name=request.name,
                    parent=component.urn,
                    custom=True,
                    object=_struct(inputs),
                    acceptSecrets=True,
                    version="7.51.1",
                )
            )
            monitor.RegisterResourceOutputs(resource_pb2.RegisterResourceOutputsRequest(urn=component.urn))
        return provider_pb2.ConstructResponse(urn=component.urn)


@contextmanager
def serving() -> Iterator[tuple[EchoProvider, int]]:
    """An echo provider on a free port of the loopback address."""
    provider = EchoProvider()
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=16), options=_GRPC_CHANNEL_OPTIONS)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield provider, port
    finally:
        server.stop(grace=None)


def _type_and_name(urn: str) -> tuple[str, str]:
    parts = urn.split("::")
    return parts[2].rsplit("$", 1)[-1], parts[3]


def _struct(values: dict[str, Any]) -> struct_pb2.Struct:
    result = struct_pb2.Struct()
    result.update(values)
    return result
