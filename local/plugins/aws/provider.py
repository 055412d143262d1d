"""The engine's side: the `ResourceProvider` protocol over the resource types.

Owns what is the same for every type: requests and responses, when AWS is asked, errors. Deliberately doesn't
own what becomes of properties (`states`), what to ask of AWS and which changes replace (the types).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, NoReturn

import grpc
from google.protobuf import any_pb2, empty_pb2
from pulumi.runtime.proto import provider_pb2, status_pb2

from ..common.answers import Plugin, differing, type_and_name
from ..common.values import decode, encode, has_unknown
from . import VERSION, checking, comparison, naming, registry, schema, session, states
from .checking import DEFAULTS
from .resource import Call, CancelledError, Resource

_AUTONAMING_MODES: Final = {0: "propose", 1: "enforce", 2: "disable"}


@dataclass(frozen=True)
class _Made:
    """What AWS has of a resource, and what went wrong on the way there."""

    outputs: Mapping[str, Any]
    failure: str | None


class Provider(Plugin):
    """One configured provider."""

    name = "aws"
    version = VERSION

    def __init__(self) -> None:
        self._aws: session.Aws | None = None
        self._cancelled = threading.Event()

    # --- the provider itself --------------------

    def Handshake(self, request: Any, context: grpc.ServicerContext) -> Any:
        return provider_pb2.ProviderHandshakeResponse(
            accept_secrets=True,
            accept_resources=False,
            accept_outputs=False,
            supports_autonaming_configuration=True,
        )

    def DiffConfig(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Another region or account is another world: everything in it is replaced."""
        old, _ = decode(request.old_inputs if request.HasField("old_inputs") else request.olds)
        new, _ = decode(request.news)
        changed = sorted(name for name in {*old, *new} if old.get(name) != new.get(name))
        moved = [name for name in changed if name == "region" and old.get(name) and new.get(name)]
        return provider_pb2.DiffResponse(
            changes=provider_pb2.DiffResponse.DIFF_SOME if changed else provider_pb2.DiffResponse.DIFF_NONE,
            diffs=changed,
            replaces=moved,
        )

    def Configure(self, request: Any, context: grpc.ServicerContext) -> Any:
        arguments, _ = decode(request.args)
        arguments = {name: value for name, value in arguments.items() if not has_unknown(value)}
        try:
            aws = session.Aws(session.configuration(arguments))
            # An AWS that can't be reached is one error here, not one for every resource.
            _ = aws.account_id
        except (session.ConfigurationError, session.AwsError) as error:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))
        self._aws = aws
        return provider_pb2.ConfigureResponse(
            acceptSecrets=True,
            supportsPreview=True,
            acceptResources=False,
            acceptOutputs=False,
            supports_autonaming_configuration=True,
        )

    def Cancel(self, request: Any, context: grpc.ServicerContext) -> Any:
        self._cancelled.set()
        return empty_pb2.Empty()

    @property
    def aws(self) -> session.Aws:
        if self._aws is None:
            raise session.ConfigurationError("the aws provider isn't configured yet")
        return self._aws

    def _call(self, subject: str, region: Any, timeout_seconds: float = 0) -> Call:
        return Call(
            aws=self.aws,
            region=region if isinstance(region, str) and region else self.aws.region,
            subject=subject,
            timeout_seconds=timeout_seconds,
            cancelled=self._cancelled,
        )

    # --- functions --------------------

    def Invoke(self, request: Any, context: grpc.ServicerContext) -> Any:
        try:
            function = registry.function(request.tok)
        except registry.UnsupportedError as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        described = schema.of_function(request.tok)
        given, _ = decode(request.args)
        checked = checking.arguments(given, described.inputs, request.tok, function.required)
        if checked.failures:
            return provider_pb2.InvokeResponse(failures=_failures(checked.failures))
        call = self._call(request.tok, checked.inputs.get("region"))
        with _errors(context, call):
            results = dict(function.invoke(call, checked.inputs))
        results.setdefault("region", call.region)
        for name, value in checked.inputs.items():
            results.setdefault(name, value)
        complete = states.complete(results, described.outputs, request.tok, strict=False)
        return provider_pb2.InvokeResponse(
            **{"return": encode(complete, ((name,) for name in function.secrets))}
        )

    # --- resources --------------------

    def Check(self, request: Any, context: grpc.ServicerContext) -> Any:
        kind, name = _resource(request.urn, context)
        old, _ = decode(request.olds)
        new, secrets = decode(request.news)
        autonaming = None
        if request.HasField("autonaming"):
            autonaming = naming.Autonaming(
                _AUTONAMING_MODES[request.autonaming.mode], request.autonaming.proposed_name
            )
        around = checking.Surroundings(
            region=self.aws.region,
            default_tags=self.aws.configuration.default_tags,
            resource_name=name,
            seed=request.randomSeed,
            autonaming=autonaming,
        )
        checked = checking.check(kind, old, new, around)
        if checked.failures:
            return provider_pb2.CheckResponse(failures=_failures(checked.failures))
        return provider_pb2.CheckResponse(
            inputs=encode(checked.inputs, states.inner_or_outer(checked.inputs, secrets))
        )

    def Diff(self, request: Any, context: grpc.ServicerContext) -> Any:
        kind, name = _resource(request.urn, context)
        state, _ = decode(request.olds)
        old_inputs, _ = decode(request.old_inputs)
        new, _ = decode(request.news)
        found = states.differences(kind, state, old_inputs, new, request.ignoreChanges)
        changed = frozenset(str(difference.path[0]) for difference in found)
        refusal = kind.refused(state, new, changed)
        if refusal is not None:
            context.abort(grpc.StatusCode.UNKNOWN, f"{kind.token} {name}: {refusal}")
        replacing = {argument for argument in changed if kind.replaced_by(argument, new)}
        return differing(
            {comparison.render(difference.path): difference.kind for difference in found},
            replacing,
            deletes_first=states.deletes_first(kind, old_inputs, new),
        )

    def Create(self, request: Any, context: grpc.ServicerContext) -> Any:
        kind, name = _resource(request.urn, context)
        inputs, secrets = decode(request.properties)
        inputs.pop(DEFAULTS, None)
        if request.preview:
            planned = states.planned(kind, inputs, None)
            return provider_pb2.CreateResponse(properties=encode(planned, states.outer(secrets)))
        call = self._call(f"{kind.token} {name}", inputs.get("region"), request.timeout)
        with _errors(context, call):
            made = self._made(kind, call, lambda: kind.create(call, inputs), inputs, {})
        properties = encode(made.outputs, states.outer(secrets))
        if made.failure is not None:
            _abort_initialization(context, call, made, properties, request.properties)
        return provider_pb2.CreateResponse(id=made.outputs["id"], properties=properties)

    def Update(self, request: Any, context: grpc.ServicerContext) -> Any:
        kind, name = _resource(request.urn, context)
        state, old_secrets = decode(request.olds)
        old_inputs, _ = decode(request.old_inputs)
        new, secrets = decode(request.news)
        new.pop(DEFAULTS, None)
        if request.preview:
            planned = states.planned(kind, new, state)
            kept_secret = states.outer(secrets | old_secrets)
            return provider_pb2.UpdateResponse(properties=encode(planned, kept_secret))
        found = states.differences(kind, state, old_inputs, new, request.ignoreChanges)
        changed = frozenset(str(difference.path[0]) for difference in found)
        call = self._call(f"{kind.token} {name}", new.get("region"), request.timeout)
        call.created(request.id)
        with _errors(context, call):
            made = self._made(
                kind,
                call,
                lambda: kind.update(call, request.id, state, new, changed) or request.id,
                new,
                state,
            )
        properties = encode(made.outputs, states.outer(secrets))
        if made.failure is not None:
            _abort_initialization(context, call, made, properties, request.news)
        return provider_pb2.UpdateResponse(properties=properties)

    def _made(
        self,
        kind: Resource,
        call: Call,
        make: Callable[[], str],
        inputs: Mapping[str, Any],
        state: Mapping[str, Any],
    ) -> _Made:
        """Makes or changes a resource that may be there in part afterwards: the state is what AWS has now."""
        failure = None
        try:
            resource_id = make()
        except Exception as error:
            failure = _message(error)
            if failure is None or not call.created_ids:
                raise
            resource_id = call.created_ids[-1]
        outputs = self._state(kind, call, resource_id, inputs, state)
        if outputs is None:
            raise session.AwsError(f"{resource_id} isn't there any more: run pulumi refresh")
        return _Made(outputs, failure)

    def Read(self, request: Any, context: grpc.ServicerContext) -> Any:
        kind, name = _resource(request.urn, context)
        state, secrets = decode(request.properties)
        old_inputs, input_secrets = decode(request.inputs)
        secrets |= input_secrets
        # An import comes without a state; get() with a part of one, and without inputs.
        importing = not old_inputs
        call = self._call(f"{kind.token} {name}", state.get("region") or old_inputs.get("region"))
        with _errors(context, call):
            known = {key: value for key, value in old_inputs.items() if key != DEFAULTS}
            outputs = self._state(kind, call, request.id, known, state)
        if outputs is None:
            return provider_pb2.ReadResponse()
        if importing:
            inputs = states.imported_inputs(kind, outputs)
        else:
            inputs = states.refreshed_inputs(kind, outputs, old_inputs)
        return provider_pb2.ReadResponse(
            id=str(outputs["id"]),
            properties=encode(outputs, states.outer(secrets)),
            inputs=encode(inputs, states.inner_or_outer(inputs, input_secrets)),
        )

    def Delete(self, request: Any, context: grpc.ServicerContext) -> Any:
        kind, name = _resource(request.urn, context)
        state, _ = decode(request.properties)
        call = self._call(f"{kind.token} {name}", state.get("region"), request.timeout)
        with _errors(context, call):
            try:
                kind.delete(call, request.id, state)
            except Exception as error:
                if session.code(error) not in kind.absence(call):
                    raise
        return empty_pb2.Empty()

    def _state(
        self,
        kind: Resource,
        call: Call,
        resource_id: str,
        inputs: Mapping[str, Any],
        state: Mapping[str, Any],
    ) -> dict[str, Any] | None:
        """The outputs as AWS has them now, under all of the SDK's names; None where the resource is gone."""
        known, described = {**state, **inputs}, kind.described
        try:
            found = kind.read(call, resource_id, known)
        except Exception as error:
            if session.code(error) in kind.absence(call):
                return None
            raise
        if found is None:
            return None
        outputs = dict(found)
        if "region" in described.outputs:
            outputs["region"] = call.region
        if "tagsAll" in described.outputs:
            tags = outputs.get("tagsAll", outputs.get("tags"))
            outputs["tags"], outputs["tagsAll"] = tags or None, tags or {}
        defaults = kind.all_defaults()
        for name in kind.all_kept(found):
            kept = (inputs or state).get(name, defaults.get(name))
            is_map = described.outputs[name].type.kind == "map"
            outputs[name] = {} if kept is None and is_map else kept
        states.keep_spelling(outputs, known, kind.all_same())
        identifier = outputs.pop("id", resource_id)
        return {**states.complete(outputs, described.outputs, kind.token, strict=True), "id": identifier}


# --- protocol helpers --------------------


def _resource(urn: str, context: grpc.ServicerContext) -> tuple[Resource, str]:
    """The type of a URN, and the name."""
    token, name = type_and_name(urn)
    try:
        kind = registry.resource(token)
    except registry.UnsupportedError as error:
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
    return kind, name


def _failures(failures: Iterable[checking.Failure]) -> list[Any]:
    return [provider_pb2.CheckFailure(property=f.property, reason=f.reason) for f in failures]


def _abort_initialization(
    context: grpc.ServicerContext, call: Call, made: _Made, properties: Any, inputs: Any
) -> NoReturn:
    """Fails the call but hands the engine the state, so that the next update goes on from there."""
    reason = f"{call.subject}: {made.failure}"
    failed = provider_pb2.ErrorResourceInitFailed(
        id=made.outputs["id"], properties=properties, inputs=inputs, reasons=[reason]
    )
    detail = any_pb2.Any()
    detail.Pack(failed)
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=reason, details=[detail])
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(grpc.StatusCode.UNKNOWN, reason)
    raise AssertionError("abort returned")


def _message(error: BaseException) -> str | None:
    """One line for what can go wrong on AWS; None for what is a bug of the stand-in."""
    if isinstance(error, KeyError | IndexError):
        return None
    if isinstance(error, session.AwsError | TimeoutError | CancelledError | LookupError | ValueError):
        return str(error.args[0]) if error.args else type(error).__name__
    if isinstance(error, session.botocore_errors()):
        return session.describe(error)
    return None


@contextmanager
def _errors(context: grpc.ServicerContext, call: Call) -> Iterator[None]:
    """Ends the call with one line naming its subject, whatever goes wrong on AWS."""
    try:
        yield
    except Exception as error:
        message = _message(error)
        if message is None:
            raise
        context.abort(grpc.StatusCode.UNKNOWN, f"{call.subject}: {message}")
