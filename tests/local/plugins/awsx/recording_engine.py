"""A Pulumi engine that creates nothing: it records what a program and the awsx plugin register.

The plugin is the real process, started as the engine starts it; the program runs in this process, on the SDK.
Ids and ARNs say whose they are, as in the recordings of the real provider: `{id of TYPE::NAME}`.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime import settings
from pulumi.runtime.proto import (
    engine_pb2,
    engine_pb2_grpc,
    provider_pb2,
    provider_pb2_grpc,
    resource_pb2,
    resource_pb2_grpc,
)
from pulumi.runtime.stack import run_in_stack

CHECKOUT = Path(__file__).resolve().parents[4]
PROJECT = STACK = "recording"
_SIGNATURE = "4dabf18193072939515e22adb298388d"
_OUTPUT_VALUE = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
ZONES = ["ap-northeast-2a", "ap-northeast-2b", "ap-northeast-2c", "ap-northeast-2d"]

ANSWERS: Mapping[str, Mapping[str, Any]] = {
    "aws:index/getAvailabilityZones:getAvailabilityZones": {"id": "zones", "names": ZONES, "zoneIds": []},
}
"""All that the components ask the aws provider."""


@dataclass(frozen=True)
class Registered:
    """One registered resource: its request, and its inputs without the marks of secrets and outputs."""

    urn: str
    request: resource_pb2.RegisterResourceRequest
    inputs: dict[str, Any]

    @property
    def type(self) -> str:
        """The type token."""
        return self.request.type

    @property
    def name(self) -> str:
        """The logical name."""
        return self.request.name

    @property
    def parent(self) -> str:
        """The parent as `TYPE::NAME`."""
        qualified, _, name = self.request.parent.rpartition("::")
        return f"{qualified.rpartition('::')[2].rpartition('$')[2]}::{name}"


@dataclass
class Recording:
    """What a program left behind."""

    resources: list[Registered] = field(default_factory=list)
    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    constructed: dict[str, dict[str, Any]] = field(default_factory=dict)
    invokes: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    error: BaseException | None = None

    def of_type(self, type_token: str) -> dict[str, Registered]:
        """The resources of a type, by name."""
        return {resource.name: resource for resource in self.resources if resource.type == type_token}

    def children(self) -> list[Registered]:
        """Everything but the stack, sorted by type and name."""
        found = [resource for resource in self.resources if resource.type != "pulumi:pulumi:Stack"]
        return sorted(found, key=lambda resource: (resource.type, resource.name))


def plain(value: Any) -> Any:
    """Strip the marks of secrets and outputs; a resource becomes its id, an unknown value UNKNOWN."""
    if isinstance(value, list):
        return [plain(entry) for entry in value]
    if not isinstance(value, dict):
        return int(value) if isinstance(value, float) and value.is_integer() else value
    mark = value.get(_SIGNATURE)
    if mark == _OUTPUT_VALUE:
        return plain(value["value"]) if "value" in value else UNKNOWN
    if mark == _SECRET:
        return plain(value["value"])
    if mark is not None:
        return value.get("id") or value["urn"]
    return {key: plain(entry) for key, entry in value.items()}


def _to_dict(properties: struct_pb2.Struct) -> dict[str, Any]:
    return json.loads(json_format.MessageToJson(properties)) if properties is not None else {}


class _Engine(engine_pb2_grpc.EngineServicer):
    """Takes log messages, which nobody reads."""

    def Log(self, _request: engine_pb2.LogRequest, _context: grpc.ServicerContext) -> empty_pb2.Empty:
        return empty_pb2.Empty()


class _Monitor(resource_pb2_grpc.ResourceMonitorServicer):
    def __init__(self, engine: RecordingEngine) -> None:
        self._engine = engine
        self._recording = engine.recording
        self._objects: dict[str, tuple[str, dict[str, Any]]] = {}

    def SupportsFeature(
        self, _request: resource_pb2.SupportsFeatureRequest, _context: grpc.ServicerContext
    ) -> resource_pb2.SupportsFeatureResponse:
        return resource_pb2.SupportsFeatureResponse(hasSupport=True)

    def RegisterResource(
        self, request: resource_pb2.RegisterResourceRequest, context: grpc.ServicerContext
    ) -> resource_pb2.RegisterResourceResponse:
        if request.remote:
            return self._construct(request, context)
        urn = self._urn(request)
        inputs = {key: value for key, value in plain(_to_dict(request.object)).items() if value is not None}
        self._recording.resources.append(Registered(urn, request, inputs))
        if not request.custom:
            return resource_pb2.RegisterResourceResponse(urn=urn)
        owner = f"{request.type}::{request.name}"
        failure = self._engine.failures.get(owner)
        if failure is not None:
            context.abort(grpc.StatusCode.UNKNOWN, failure)
        resource_id = "" if self._engine.dry_run else f"{{id of {owner}}}"
        if request.type.startswith("pulumi:providers:"):
            # References to providers are split at "::".
            resource_id = f"id-of-{request.name}"
        outputs = inputs if self._engine.dry_run else {**inputs, "arn": f"{{arn of {owner}}}"}
        self._objects[urn] = (resource_id, outputs)
        return resource_pb2.RegisterResourceResponse(urn=urn, id=resource_id, object=_struct(outputs))

    def _construct(
        self, request: resource_pb2.RegisterResourceRequest, context: grpc.ServicerContext
    ) -> resource_pb2.RegisterResourceResponse:
        dependencies = {
            key: provider_pb2.ConstructRequest.PropertyDependencies(urns=entry.urns)
            for key, entry in request.propertyDependencies.items()
        }
        construct = provider_pb2.ConstructRequest(
            project=PROJECT,
            stack=STACK,
            dryRun=self._engine.dry_run,
            monitorEndpoint=self._engine.monitor_address,
            type=request.type,
            name=request.name,
            parent=request.parent,
            inputs=request.object,
            inputDependencies=dependencies,
            protect=request.protect,
            providers=dict(request.providers),
            aliases=request.aliases,
            dependencies=request.dependencies,
            retainOnDelete=request.retainOnDelete,
            deletedWith=request.deletedWith,
            ignoreChanges=request.ignoreChanges,
            accepts_output_values=True,
        )
        try:
            response = self._engine.plugin.stub.Construct(construct)
        except grpc.RpcError as error:
            context.abort(error.code(), error.details())
        self._recording.constructed[f"{request.type}::{request.name}"] = _to_dict(response.state)
        return resource_pb2.RegisterResourceResponse(urn=response.urn, object=response.state)

    def RegisterResourceOutputs(
        self, request: resource_pb2.RegisterResourceOutputsRequest, _context: grpc.ServicerContext
    ) -> empty_pb2.Empty:
        self._recording.outputs[request.urn] = plain(_to_dict(request.outputs))
        return empty_pb2.Empty()

    def Invoke(
        self, request: resource_pb2.ResourceInvokeRequest, _context: grpc.ServicerContext
    ) -> provider_pb2.InvokeResponse:
        arguments = plain(_to_dict(request.args))
        if request.tok == "pulumi:pulumi:getResource":
            resource_id, state = self._objects[arguments["urn"]]
            answer: Mapping[str, Any] = {"urn": arguments["urn"], "id": resource_id, "state": state}
        else:
            self._recording.invokes.append((request.tok, arguments))
            answer = ANSWERS[request.tok]
        return provider_pb2.InvokeResponse(**{"return": _struct(answer)})

    def _urn(self, request: resource_pb2.RegisterResourceRequest) -> str:
        parent_types = request.parent.split("::")[2] + "$" if request.parent else ""
        if parent_types == "pulumi:pulumi:Stack$":
            parent_types = ""
        return f"urn:pulumi:{STACK}::{PROJECT}::{parent_types}{request.type}::{request.name}"


def _struct(values: Mapping[str, Any]) -> struct_pb2.Struct:
    struct = struct_pb2.Struct()
    struct.update(values)
    return struct


class AwsxPlugin:
    """The plugin's process, and an engine that takes its messages."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.engine = _Engine()
        self._server = grpc.server(ThreadPoolExecutor(max_workers=16))
        engine_pb2_grpc.add_EngineServicer_to_server(self.engine, self._server)
        self.engine_address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()
        self._said = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed by stop
        self.process = subprocess.Popen(
            [sys.executable, "-m", "local.plugins.awsx", self.engine_address],
            cwd=CHECKOUT,
            env=dict(environment),
            stdout=subprocess.PIPE,
            # A file, because a pipe that nobody reads stops the plugin once it's full.
            stderr=self._said,
            text=True,
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())
        self.channel = grpc.insecure_channel(f"127.0.0.1:{self.port}")
        self.stub = provider_pb2_grpc.ResourceProviderStub(self.channel)

    def stop(self) -> str:
        """End the process and return what it said on stderr."""
        self.channel.close()
        self.process.terminate()
        self.process.wait(timeout=30)
        self._said.seek(0)
        said = self._said.read()
        self._said.close()
        self._server.stop(grace=None).wait()
        return said


@dataclass
class RecordingEngine:
    """One run of a program. `failures` gives the messages of resources (`TYPE::NAME`) that fail."""

    plugin: AwsxPlugin
    dry_run: bool = False
    failures: Mapping[str, str] = field(default_factory=dict)
    recording: Recording = field(default_factory=Recording)
    monitor_address: str = ""

    def run(self, program: Callable[[], object]) -> Recording:
        """Run the program to its end, in a thread so that the SDK's settings stay its own."""
        with self._served() as address:
            self.monitor_address = address

            def body() -> None:
                program()

            def in_thread() -> None:
                settings.reset_options(
                    project=PROJECT,
                    stack=STACK,
                    monitor_address=address,
                    engine_address=self.plugin.engine_address,
                    preview=self.dry_run,
                )
                try:
                    asyncio.run(run_in_stack(body))
                except Exception as error:  # noqa: BLE001 - whatever ended the program is what a test asks about
                    self.recording.error = error

            thread = threading.Thread(target=in_thread, name="program")
            thread.start()
            thread.join(timeout=60)
            assert not thread.is_alive(), "the program waits for ever"
        return self.recording

    @contextmanager
    def _served(self) -> Iterator[str]:
        server = grpc.server(ThreadPoolExecutor(max_workers=64))
        resource_pb2_grpc.add_ResourceMonitorServicer_to_server(_Monitor(self), server)
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        try:
            yield f"127.0.0.1:{port}"
        finally:
            server.stop(grace=None).wait()
