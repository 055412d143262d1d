"""The plugin's side of the protocol: requests of the engine, turned into operations of resource types.

Owns what all types share: secrets, unknown values, previews, one message for each error, and progress. A type
or function that the stand-in lacks is refused by name.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, Protocol

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import engine_pb2, provider_pb2

from local.plugins.common.answers import Plugin, differing, type_and_name
from local.plugins.common.registries import REGISTRY_VARIABLE
from local.plugins.common.values import UNKNOWN, Path, decode, encode
from local.plugins.docker.emulated_ecr import EmulatedEcr
from local.plugins.docker.image import Image
from local.plugins.docker.images import Images
from local.plugins.docker.names import ImageError
from local.plugins.docker.paper_images import PaperImages, default_folder
from local.plugins.docker.pushing import RegistryImage, Tag, get_remote_image
from local.plugins.docker.resource import Call, Outputs, Resource

VERSION = "4.11.2"
_DEFAULT_HOST = "unix:///var/run/docker.sock"

RESOURCES: Final[Mapping[str, Resource]] = {
    resource.token: resource for resource in (Image(), RegistryImage(), Tag())
}
FUNCTIONS: Final[Mapping[str, Callable[[Mapping[str, Any], Call], Outputs]]] = {
    "docker:index/getRemoteImage:getRemoteImage": get_remote_image,
}


class Engine(Protocol):
    """The part of Pulumi's engine that the plugin uses."""

    def Log(self, request: engine_pb2.LogRequest) -> object:
        """Show a line to the user."""


class DockerServicer(Plugin):
    """One plugin process."""

    name = "docker"
    version = VERSION

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._ecr = EmulatedEcr()
        self._images = _images(self._ecr)
        self._lock = threading.Lock()
        self._is_announced = False

    # -- the provider itself -------------------------------------------------------------------------------

    def DiffConfig(self, _request: Any, _context: grpc.ServicerContext) -> Any:
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    def Configure(self, _request: Any, _context: grpc.ServicerContext) -> Any:
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    # -- resources -----------------------------------------------------------------------------------------

    def Check(self, request: Any, context: grpc.ServicerContext) -> Any:
        with self._explained(context):
            resource = _resource(request.urn)
            inputs, secrets = decode(request.news)
            inputs.pop("__defaults", None)
            checked, failures = resource.check(inputs)
            return provider_pb2.CheckResponse(
                inputs=encode(checked, secrets | resource.secrets),
                failures=[provider_pb2.CheckFailure(property=path, reason=why) for path, why in failures],
            )

    def Diff(self, request: Any, context: grpc.ServicerContext) -> Any:
        with self._explained(context):
            old, new = decode(request.old_inputs)[0], decode(request.news)[0]
            difference = _resource(request.urn).diff(_without_marks(old), _without_marks(new))
            return differing(difference.kinds, difference.replaces, inputs=True)

    def Create(self, request: Any, context: grpc.ServicerContext) -> Any:
        with self._explained(context):
            resource_id, state = self._made(request.urn, request.properties, request.preview)
            return provider_pb2.CreateResponse(id=resource_id, properties=state)

    def Update(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Make it anew under its id."""
        with self._explained(context):
            _, state = self._made(request.urn, request.news, request.preview)
            return provider_pb2.UpdateResponse(properties=state)

    def _made(self, urn: str, properties: Any, preview: bool) -> tuple[str, Any]:
        """Make a resource; return its id and its state, which are no more than the inputs in a preview."""
        resource = _resource(urn)
        inputs, secrets = decode(properties)
        inputs = _without_marks(inputs)
        if preview:
            return "", _state(resource, inputs, secrets)
        call = self._call(urn, _texts_at(inputs, secrets | resource.secrets))
        resource_id, outputs = resource.create(inputs, call)
        return resource_id, _state(resource, outputs, secrets)

    def Read(self, request: Any, context: grpc.ServicerContext) -> Any:
        with self._explained(context):
            resource = _resource(request.urn)
            state, secrets = decode(request.properties)
            if not state:
                raise ImageError(f"{request.id} can't be imported; creating it again changes nothing")
            outputs = resource.read(state, self._call(request.urn))
            if outputs is None:
                return provider_pb2.ReadResponse()
            return provider_pb2.ReadResponse(
                id=request.id, inputs=request.inputs, properties=_state(resource, outputs, secrets)
            )

    def Delete(self, _request: Any, _context: grpc.ServicerContext) -> Any:
        """Leave every image where it is."""
        return empty_pb2.Empty()

    # -- functions -----------------------------------------------------------------------------------------

    def Invoke(self, request: Any, context: grpc.ServicerContext) -> Any:
        with self._explained(context):
            function = FUNCTIONS.get(request.tok)
            if function is None:
                raise ImageError(_unknown("function", request.tok, FUNCTIONS))
            arguments = decode(request.args)[0]
            answer = function(arguments, self._call(""))
            return provider_pb2.InvokeResponse(**{"return": encode(answer)})

    # -- what operations work with -------------------------------------------------------------------------

    def _call(self, urn: str, secret_texts: frozenset[str] = frozenset()) -> Call:
        def say(message: str, *, stays: bool = False) -> None:
            text = message.rstrip()
            for secret in secret_texts:
                text = text.replace(secret, "[secret]")
            if text:
                self._log(text, urn, stays=stays)

        def tell(message: str) -> None:
            say(message, stays=True)

        with self._lock:
            is_first, self._is_announced = not self._is_announced, True
        if is_first and not os.environ.get(REGISTRY_VARIABLE):
            self._log(announcement(), "", stays=True)
        return Call(self._images, self._ecr, say, tell)

    def _log(self, text: str, urn: str, *, stays: bool) -> None:
        self._engine.Log(
            engine_pb2.LogRequest(severity=engine_pb2.INFO, message=text, urn=urn, ephemeral=not stays)
        )

    @contextmanager
    def _explained(self, context: grpc.ServicerContext) -> Iterator[None]:
        """Answer an ImageError as the request's one error message."""
        try:
            yield
        except ImageError as error:
            context.abort(grpc.StatusCode.UNKNOWN, str(error))


def _images(ecr: EmulatedEcr) -> Images:
    """Return where the images are: on paper, unless a local registry is named."""
    if not os.environ.get(REGISTRY_VARIABLE):
        return PaperImages(default_folder(), ecr)
    from local.plugins.docker.engine_images import EngineImages

    return EngineImages(os.environ.get("DOCKER_HOST") or _DEFAULT_HOST, ecr)


def announcement() -> str:
    """Return the line that says, at start, what is stood in for and where images are kept."""
    registry = os.environ.get(REGISTRY_VARIABLE)
    where = (
        f"images for ECR go to {registry}"
        if registry
        else f"images stay on paper (manifests without layers): {REGISTRY_VARIABLE} isn't set"
    )
    return f"docker {VERSION} is stood in for by this project's local plugin; {where}"


def _resource(urn: str) -> Resource:
    token, _ = type_and_name(urn)
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
    return encode(outputs, secrets | resource.secrets)


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
