"""The plugin's side of the protocol: requests of the engine, turned into operations of resource types.

Owns what all types share: secrets, unknown values, previews, one message for each error, and progress. A type
or function that the stand-in lacks is refused by name.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, plugin_pb2, provider_pb2, provider_pb2_grpc

from local.plugins.common.registries import REGISTRY_VARIABLE, ecr_account_and_region
from local.plugins.common.values import UNKNOWN, Path, decode, encode, has_unknown
from local.plugins.docker.emulated_ecr import EmulatedEcr
from local.plugins.docker.image import Image
from local.plugins.docker.images import Images
from local.plugins.docker.names import Credentials, ImageError, ImageName
from local.plugins.docker.paper import PaperImages, default_folder
from local.plugins.docker.registry_image import RegistryImage
from local.plugins.docker.remote_image import RemoteImage, get_registry_image, get_remote_image
from local.plugins.docker.resource import Call, Difference, Outputs, Resource
from local.plugins.docker.tag import Tag

VERSION = "4.11.2"

RESOURCES: Final[Mapping[str, Resource]] = {
    resource.token: resource for resource in (Image(), RegistryImage(), RemoteImage(), Tag())
}
FUNCTIONS: Final[Mapping[str, Callable[[Mapping[str, Any], Call], Outputs]]] = {
    "docker:index/getRegistryImage:getRegistryImage": get_registry_image,
    "docker:index/getRemoteImage:getRemoteImage": get_remote_image,
}
_DIFF = provider_pb2.PropertyDiff
_KINDS: Final = {
    ("add", False): _DIFF.ADD,
    ("add", True): _DIFF.ADD_REPLACE,
    ("delete", False): _DIFF.DELETE,
    ("delete", True): _DIFF.DELETE_REPLACE,
    ("update", False): _DIFF.UPDATE,
    ("update", True): _DIFF.UPDATE_REPLACE,
}


def works_on_paper(name: ImageName) -> bool:
    """Whether an image stays on paper: for ECR, where AWS is emulated and no local registry is named."""
    return bool(
        os.environ.get("AWS_ENDPOINT_URL")
        and not os.environ.get(REGISTRY_VARIABLE)
        and (name.host is None or ecr_account_and_region(name.host))
    )


class DockerServicer(provider_pb2_grpc.ResourceProviderServicer):
    """One plugin process; its methods run on many threads at once."""

    def __init__(self, engine_address: str) -> None:
        self._engine = (
            engine_pb2_grpc.EngineStub(grpc.insecure_channel(engine_address)) if engine_address else None
        )
        self._configuration: dict[str, Any] = {}
        self._ecr = EmulatedEcr()
        self._paper = PaperImages(default_folder(), self._ecr)
        self._lock = threading.Lock()
        self._is_announced = False
        self._engine_images: Images | None = None

    # -- the provider itself -------------------------------------------------------------------------------

    def GetPluginInfo(self, _request: Any, _context: grpc.ServicerContext) -> plugin_pb2.PluginInfo:
        return plugin_pb2.PluginInfo(version=VERSION)

    def GetSchema(self, _request: Any, _context: grpc.ServicerContext) -> provider_pb2.GetSchemaResponse:
        return provider_pb2.GetSchemaResponse(schema=json.dumps({"name": "docker", "version": VERSION}))

    def CheckConfig(
        self, request: provider_pb2.CheckRequest, _context: grpc.ServicerContext
    ) -> provider_pb2.CheckResponse:
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(
        self, _request: provider_pb2.DiffRequest, _context: grpc.ServicerContext
    ) -> provider_pb2.DiffResponse:
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    def Configure(
        self, request: provider_pb2.ConfigureRequest, _context: grpc.ServicerContext
    ) -> provider_pb2.ConfigureResponse:
        self._configuration = {
            key: value for key, value in decode(request.args)[0].items() if not has_unknown(value)
        }
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    def Cancel(self, _request: Any, _context: grpc.ServicerContext) -> empty_pb2.Empty:
        return empty_pb2.Empty()

    # -- resources -----------------------------------------------------------------------------------------

    def Check(
        self, request: provider_pb2.CheckRequest, context: grpc.ServicerContext
    ) -> provider_pb2.CheckResponse:
        with self._explained(context):
            resource = _resource(request.urn)
            inputs, secrets = decode(request.news)
            inputs.pop("__defaults", None)
            checked, failures = resource.check(inputs, self._call(request.urn))
            return provider_pb2.CheckResponse(
                inputs=encode(checked, secrets | resource.secret_inputs),
                failures=[provider_pb2.CheckFailure(property=path, reason=why) for path, why in failures],
            )

    def Diff(
        self, request: provider_pb2.DiffRequest, context: grpc.ServicerContext
    ) -> provider_pb2.DiffResponse:
        with self._explained(context):
            old = decode(request.old_inputs)[0] if request.HasField("old_inputs") else {}
            new = decode(request.news)[0]
            difference = _resource(request.urn).diff(_without_marks(old), _without_marks(new))
            return _diff_response(difference)

    def Create(
        self, request: provider_pb2.CreateRequest, context: grpc.ServicerContext
    ) -> provider_pb2.CreateResponse:
        with self._explained(context):
            resource = _resource(request.urn)
            inputs, secrets = decode(request.properties)
            inputs = _without_marks(inputs)
            call = self._call(request.urn, secret_values=_texts_at(inputs, secrets | resource.secret_inputs))
            if request.preview:
                return provider_pb2.CreateResponse(
                    properties=_state(resource, resource.preview(inputs, call), secrets)
                )
            resource_id, outputs = resource.create(inputs, call)
            return provider_pb2.CreateResponse(id=resource_id, properties=_state(resource, outputs, secrets))

    def Read(
        self, request: provider_pb2.ReadRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ReadResponse:
        with self._explained(context):
            resource = _resource(request.urn)
            inputs, input_secrets = decode(request.inputs)
            state, secrets = decode(request.properties)
            found = resource.read(request.id, _without_marks(inputs), state, self._call(request.urn))
            if found is None:
                return provider_pb2.ReadResponse()
            return provider_pb2.ReadResponse(
                id=request.id,
                inputs=encode(found[0], input_secrets | resource.secret_inputs),
                properties=_state(resource, found[1], secrets),
            )

    def Update(
        self, request: provider_pb2.UpdateRequest, context: grpc.ServicerContext
    ) -> provider_pb2.UpdateResponse:
        with self._explained(context):
            resource = _resource(request.urn)
            inputs, secrets = decode(request.news)
            inputs = _without_marks(inputs)
            call = self._call(request.urn, secret_values=_texts_at(inputs, secrets | resource.secret_inputs))
            if request.preview:
                outputs = resource.preview(inputs, call)
            else:
                outputs = resource.update(inputs, decode(request.olds)[0], call)
            return provider_pb2.UpdateResponse(properties=_state(resource, outputs, secrets))

    def Delete(self, request: provider_pb2.DeleteRequest, context: grpc.ServicerContext) -> empty_pb2.Empty:
        with self._explained(context):
            _resource(request.urn).delete(decode(request.properties)[0], self._call(request.urn))
            return empty_pb2.Empty()

    # -- functions -----------------------------------------------------------------------------------------

    def Invoke(
        self, request: provider_pb2.InvokeRequest, context: grpc.ServicerContext
    ) -> provider_pb2.InvokeResponse:
        with self._explained(context):
            function = FUNCTIONS.get(request.tok)
            if function is None:
                raise ImageError(_unknown("function", request.tok, FUNCTIONS))
            arguments = decode(request.args)[0]
            if not isinstance(arguments.get("name"), str):
                failure = provider_pb2.CheckFailure(property="name", reason="is missing; name an image")
                return provider_pb2.InvokeResponse(failures=[failure])
            answer = function(arguments, self._call(""))
            return provider_pb2.InvokeResponse(**{"return": encode(answer)})

    # -- what operations work with -------------------------------------------------------------------------

    def _call(self, urn: str, secret_values: frozenset[str] = frozenset()) -> Call:
        def say(message: str, *, stays: bool = False) -> None:
            text = message.rstrip()
            for secret in secret_values:
                text = text.replace(secret, "[secret]")
            if text:
                self._log(text, urn, stays=stays)

        def tell(message: str) -> None:
            say(message, stays=True)

        return Call(self._images_of, self._credentials_of, say, tell)

    def _log(self, text: str, urn: str, *, stays: bool) -> None:
        if self._engine is not None:
            self._engine.Log(
                engine_pb2.LogRequest(severity=engine_pb2.INFO, message=text, urn=urn, ephemeral=not stays)
            )

    def _images_of(self, name: ImageName) -> Images:
        if works_on_paper(name):
            with self._lock:
                is_first, self._is_announced = not self._is_announced, True
            if is_first:
                self._log(announcement(), "", stays=True)
            return self._paper
        with self._lock:
            if self._engine_images is None:
                from local.plugins.docker.engine import EngineImages

                self._engine_images = EngineImages(self._configuration, self._ecr)
            return self._engine_images

    def _credentials_of(self, host: str) -> Credentials | None:
        """Return the provider's own credentials for a registry (`registryAuth`)."""
        given = self._configuration.get("registryAuth")
        for entry in json.loads(given) if isinstance(given, str) and given else given or ():
            address = (
                str(entry.get("address", "")).removeprefix("https://").removeprefix("http://").rstrip("/")
            )
            if address == host and entry.get("username") and entry.get("password"):
                return Credentials(entry["username"], entry["password"])
        return None

    @contextmanager
    def _explained(self, context: grpc.ServicerContext) -> Iterator[None]:
        """Answer an ImageError as the request's one error message."""
        try:
            yield
        except ImageError as error:
            context.abort(grpc.StatusCode.UNKNOWN, str(error))


def announcement() -> str:
    """Return the line that says, at start, what is stood in for and where images are kept."""
    text = f"docker {VERSION} is stood in for by this project's local plugin"
    registry = os.environ.get(REGISTRY_VARIABLE)
    if registry:
        return f"{text}; images for ECR go to {registry}"
    if os.environ.get("AWS_ENDPOINT_URL"):
        return f"{text}; images stay on paper (manifests without layers): {REGISTRY_VARIABLE} isn't set"
    return text


def _resource(urn: str) -> Resource:
    token = urn.split("::")[2].rpartition("$")[2]
    if token not in RESOURCES:
        raise ImageError(_unknown("type", token, RESOURCES))
    return RESOURCES[token]


def _unknown(kind: str, token: str, known: Mapping[str, Any]) -> str:
    return (
        f"the local stand-in for docker doesn't have the {kind} {token}, only {', '.join(sorted(known))}; "
        "use one of these or install the real docker plugin"
    )


def _without_marks(properties: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in properties.items() if key != "__defaults" and value is not None}


def _state(resource: Resource, outputs: Outputs, secrets: frozenset[Path]) -> Any:
    return encode(outputs, secrets | resource.secret_outputs | resource.secret_inputs)


def _texts_at(properties: Mapping[str, Any], paths: frozenset[Path]) -> frozenset[str]:
    """Return the texts at or below the paths: what must never be shown."""
    found: set[str] = set()

    def collect(value: Any) -> None:
        if isinstance(value, str) and value:
            found.add(value)
        elif isinstance(value, Mapping):
            for entry in value.values():
                collect(entry)
        elif isinstance(value, list):
            for entry in value:
                collect(entry)

    for path in paths:
        value: Any = properties
        for key in path:
            value = value.get(key) if isinstance(value, Mapping) else None
        if value is not UNKNOWN:
            collect(value)
    return frozenset(found)


def _diff_response(difference: Difference) -> provider_pb2.DiffResponse:
    if not difference.kinds:
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)
    return provider_pb2.DiffResponse(
        changes=provider_pb2.DiffResponse.DIFF_SOME,
        diffs=sorted(difference.kinds),
        replaces=sorted(difference.replaces),
        hasDetailedDiff=True,
        detailedDiff={
            key: _DIFF(kind=_KINDS[kind, key in difference.replaces], inputDiff=True)
            for key, kind in difference.kinds.items()
        },
    )
