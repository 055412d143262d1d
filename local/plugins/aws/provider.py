"""The engine's side: the `ResourceProvider` protocol over the resource types.

Owns what is the same for every type: requests and responses, checked arguments, differences and
replacements, previews, states and what a refresh or an import makes of them, secrets, errors. What to ask of
AWS and which changes replace belongs to the types.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NoReturn

import grpc
from google.protobuf import any_pb2, empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc, status_pb2

from ..common.values import UNKNOWN, Path, decode, encode, has_unknown
from . import VERSION, checking, comparison, naming, registry, schema, session
from .checking import DEFAULTS
from .comparison import Difference, Rules, is_nothing
from .resource import Call, CancelledError, Resource

_AUTONAMING_MODES: Final = {0: "propose", 1: "enforce", 2: "disable"}
_DIFF_KINDS: Final[Mapping[str, Any]] = {"add": 0, "delete": 2, "update": 4}
_REPLACING: Final = 1
"""Added to a kind of difference, says that it replaces."""

Properties = dict[str, Any]


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    """One configured provider; its methods run on many threads at once."""

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

    def GetPluginInfo(self, request: Any, context: grpc.ServicerContext) -> Any:
        return plugin_pb2.PluginInfo(version=VERSION)

    def GetSchema(self, request: Any, context: grpc.ServicerContext) -> Any:
        return provider_pb2.GetSchemaResponse(schema=f'{{"name":"aws","version":"{VERSION}"}}')

    def CheckConfig(self, request: Any, context: grpc.ServicerContext) -> Any:
        return provider_pb2.CheckResponse(inputs=request.news)

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
            _refuse_other_accounts(aws)
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

    def _call(self, token: str, name: str, region: Any, timeout_seconds: float = 0) -> Call:
        return Call(
            aws=self.aws,
            region=region if isinstance(region, str) and region else self.aws.region,
            token=token,
            name=name,
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
        call = self._call(request.tok, request.tok.rpartition(":")[2], checked.inputs.get("region"))
        with _Errors(context, request.tok):
            results = dict(function.invoke(call, checked.inputs))
        results.setdefault("region", call.region)
        for name, value in checked.inputs.items():
            results.setdefault(name, value)
        complete = _complete(results, described.outputs, request.tok, strict=False)
        return provider_pb2.InvokeResponse(
            **{"return": encode(complete, ((name,) for name in function.secrets))}
        )

    # --- resources --------------------

    def Check(self, request: Any, context: grpc.ServicerContext) -> Any:
        kind, described, name = _resource(request.urn, context)
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
        checked = checking.check(kind, described, old, new, around)
        if checked.failures:
            return provider_pb2.CheckResponse(failures=_failures(checked.failures))
        return provider_pb2.CheckResponse(
            inputs=encode(checked.inputs, _inner_or_outer(checked.inputs, secrets))
        )

    def Diff(self, request: Any, context: grpc.ServicerContext) -> Any:
        kind, described, name = _resource(request.urn, context)
        state, _ = decode(request.olds)
        old_inputs, _ = decode(request.old_inputs)
        new, _ = decode(request.news)
        found = _differences(kind, described, state, old_inputs, new)
        ignored = [comparison.parse(path) for path in request.ignoreChanges]
        found = [difference for difference in found if not comparison.is_ignored(difference.path, ignored)]
        changed = frozenset(str(difference.path[0]) for difference in found)
        refusal = kind.refused(state, new, changed)
        if refusal is not None:
            context.abort(grpc.StatusCode.UNKNOWN, f"{_subject(kind, name)}: {refusal}")
        replacing = _replacing(kind, described, state, old_inputs, new, changed)
        return provider_pb2.DiffResponse(
            changes=provider_pb2.DiffResponse.DIFF_SOME if found else provider_pb2.DiffResponse.DIFF_NONE,
            diffs=sorted(changed),
            replaces=sorted(replacing),
            deleteBeforeReplace=bool(replacing) and _deletes_first(kind, old_inputs, new),
            hasDetailedDiff=True,
            detailedDiff={
                comparison.render(difference.path): provider_pb2.PropertyDiff(
                    kind=_DIFF_KINDS[difference.kind]
                    + (_REPLACING if difference.path[0] in replacing else 0),
                    inputDiff=False,
                )
                for difference in found
            },
        )

    def Create(self, request: Any, context: grpc.ServicerContext) -> Any:
        kind, described, name = _resource(request.urn, context)
        inputs, secrets = decode(request.properties)
        inputs.pop(DEFAULTS, None)
        if request.preview:
            planned = _planned(kind, described, inputs, None)
            return provider_pb2.CreateResponse(properties=encode(planned, _outer(secrets)))
        call = self._call(kind.token, name, inputs.get("region"), request.timeout)
        failure = None
        with _Errors(context, _subject(kind, name)):
            try:
                resource_id = kind.create(call, inputs)
            except Exception as error:
                failure = _message(error)
                if failure is None or not call.created_ids:
                    raise
                resource_id = call.created_ids[-1]
            outputs = self._state(kind, described, call, resource_id, inputs, {})
            if outputs is None:
                raise session.AwsError(f"{resource_id} was created and isn't there any more")
        properties = encode(outputs, _outer(secrets))
        if failure is not None:
            _abort_initialization(
                context, outputs["id"], properties, request.properties, f"{_subject(kind, name)}: {failure}"
            )
        return provider_pb2.CreateResponse(id=outputs["id"], properties=properties)

    def Update(self, request: Any, context: grpc.ServicerContext) -> Any:
        kind, described, name = _resource(request.urn, context)
        state, old_secrets = decode(request.olds)
        old_inputs, _ = decode(request.old_inputs)
        new, secrets = decode(request.news)
        new.pop(DEFAULTS, None)
        if request.preview:
            planned = _planned(kind, described, new, state)
            return provider_pb2.UpdateResponse(properties=encode(planned, _outer(secrets | old_secrets)))
        found = _differences(kind, described, state, old_inputs, new)
        ignored = [comparison.parse(path) for path in request.ignoreChanges]
        changed = frozenset(
            str(difference.path[0])
            for difference in found
            if not comparison.is_ignored(difference.path, ignored)
        )
        call = self._call(kind.token, name, new.get("region"), request.timeout)
        failure, resource_id = None, request.id
        with _Errors(context, _subject(kind, name)):
            try:
                resource_id = kind.update(call, request.id, state, new, changed) or request.id
            except Exception as error:
                # A part may be done: the state is what AWS has now, and the next update goes on from there.
                failure = _message(error)
                if failure is None:
                    raise
            outputs = self._state(kind, described, call, resource_id, new, state)
            if outputs is None:
                raise session.AwsError(f"{resource_id} isn't there any more: run pulumi refresh")
        properties = encode(outputs, _outer(secrets))
        if failure is not None:
            _abort_initialization(
                context, resource_id, properties, request.news, f"{_subject(kind, name)}: {failure}"
            )
        return provider_pb2.UpdateResponse(properties=properties)

    def Read(self, request: Any, context: grpc.ServicerContext) -> Any:
        kind, described, name = _resource(request.urn, context)
        state, secrets = decode(request.properties)
        old_inputs, input_secrets = decode(request.inputs)
        secrets |= input_secrets
        # An import comes without a state; get() with a part of one, and without inputs.
        importing = not old_inputs
        call = self._call(kind.token, name, state.get("region") or old_inputs.get("region"))
        with _Errors(context, _subject(kind, name)):
            known = {key: value for key, value in old_inputs.items() if key != DEFAULTS}
            outputs = self._state(kind, described, call, request.id, known, state)
        if outputs is None:
            return provider_pb2.ReadResponse()
        if importing:
            inputs = _imported_inputs(kind, described, outputs)
        else:
            inputs = _refreshed_inputs(kind, described, outputs, old_inputs)
        return provider_pb2.ReadResponse(
            id=str(outputs["id"]),
            properties=encode(outputs, _outer(secrets)),
            inputs=encode(inputs, _inner_or_outer(inputs, input_secrets)),
        )

    def Delete(self, request: Any, context: grpc.ServicerContext) -> Any:
        kind, _, name = _resource(request.urn, context)
        state, _ = decode(request.properties)
        call = self._call(kind.token, name, state.get("region"), request.timeout)
        with _Errors(context, _subject(kind, name)):
            try:
                kind.delete(call, request.id, state)
            except Exception as error:
                if session.code(error) not in kind.missing:
                    raise
        return empty_pb2.Empty()

    def _state(
        self,
        kind: Resource,
        described: schema.Schema,
        call: Call,
        resource_id: str,
        inputs: Mapping[str, Any],
        state: Mapping[str, Any],
    ) -> Properties | None:
        """The outputs as AWS has them now, under all of the SDK's names; None where the resource is gone."""
        known = {**state, **inputs}
        try:
            found = kind.read(call, resource_id, known)
        except Exception as error:
            if session.code(error) in kind.missing:
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
        for name in kind.kept:
            kept = (inputs or state).get(name, kind.defaults.get(name))
            is_map = described.outputs[name].type.kind == "map"
            outputs[name] = {} if kept is None and is_map else kept
        _keep_spelling(outputs, known, kind.all_same())
        identifier = outputs.pop("id", resource_id)
        return {**_complete(outputs, described.outputs, kind.token, strict=True), "id": identifier}


# --- pure helpers --------------------


def _rules(kind: Resource) -> Rules:
    return Rules(sets=kind.sets, same=kind.all_same(), when_absent=kind.when_absent)


def _differences(
    kind: Resource,
    described: schema.Schema,
    state: Mapping[str, Any],
    old_inputs: Mapping[str, Any],
    new: Mapping[str, Any],
) -> list[Difference]:
    """The arguments that differ from the state. What has no output is compared with the old inputs."""
    old = {
        name: state.get(name) if name in described.outputs else old_inputs.get(name)
        for name in described.inputs
    }
    properties = {
        name: described.outputs.get(name, property_) for name, property_ in described.inputs.items()
    }
    return comparison.differences(old, kind.compared(new), properties, _rules(kind))


def _replacing(
    kind: Resource,
    described: schema.Schema,
    state: Mapping[str, Any],
    old_inputs: Mapping[str, Any],
    new: Mapping[str, Any],
    changed: frozenset[str],
) -> frozenset[str]:
    old = {
        **old_inputs,
        **{name: state[name] for name in described.inputs if state.get(name) is not None},
    }
    by_facts = {name for name in changed if kind.replaced_by(name, old, new)}
    return frozenset(by_facts) | kind.replaces(state, new, changed)


def _deletes_first(kind: Resource, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """A name that the program fixed is free only after the old resource is gone."""
    if kind.delete_before_replace:
        return True
    if kind.auto_name is None:
        return False
    name = kind.auto_name.property
    return name not in new.get(DEFAULTS, ()) and new.get(name) is not None and old.get(name) == new.get(name)


def _planned(
    kind: Resource, described: schema.Schema, inputs: Mapping[str, Any], state: Mapping[str, Any] | None
) -> Properties:
    """What a preview can say of the outputs."""
    planned: Properties = {}
    for name, property_ in described.outputs.items():
        given = inputs.get(name)
        if given is not None:
            planned[name] = given
        elif state is not None and (property_.computed or name not in described.inputs):
            planned[name] = state.get(name)
        else:
            planned[name] = UNKNOWN if property_.computed and name not in kind.kept else None
    if "tagsAll" in described.outputs:
        planned["tagsAll"] = planned.get("tags") or {}
    planned.update(kind.plan(inputs, state))
    return planned


def _keep_spelling(outputs: Properties, known: Mapping[str, Any], same: Mapping[str, Any]) -> None:
    """Keeps the known spelling of values that mean the same."""
    for path, means_same in same.items():
        _keep_at(outputs, known, path.split("."), means_same)


def _keep_at(outputs: Any, known: Any, path: list[str], means_same: Callable[[Any, Any], bool]) -> None:
    if isinstance(outputs, list) and isinstance(known, list):
        for output, before in zip(outputs, known, strict=False):
            _keep_at(output, before, path, means_same)
        return
    if not (isinstance(outputs, dict) and isinstance(known, Mapping)):
        return
    head, rest = path[0], path[1:]
    output, before = outputs.get(head), known.get(head)
    if output is None or before is None:
        return
    if rest:
        _keep_at(output, before, rest, means_same)
    elif means_same(output, before):
        outputs[head] = before


def _complete(
    values: Mapping[str, Any], properties: Mapping[str, schema.Property], owner: str, *, strict: bool
) -> Properties:
    """All the SDK's names, absent ones null, inside of objects too. Strict: a surplus name is a bug."""
    surplus = sorted(set(values) - set(properties))
    if strict and surplus:
        raise AssertionError(f"{owner} gave outputs that the SDK doesn't have: {', '.join(surplus)}")
    return {
        name: _complete_value(values.get(name), property_.type, f"{owner}.{name}", strict=strict)
        for name, property_ in properties.items()
    }


def _complete_value(value: Any, kind: schema.Type, owner: str, *, strict: bool) -> Any:
    if kind.properties is not None and isinstance(value, Mapping):
        return _complete(value, kind.properties, owner, strict=strict)
    if kind.kind == "list" and kind.element is not None and isinstance(value, list):
        return [_complete_value(member, kind.element, owner, strict=strict) for member in value]
    return value


def _imported_inputs(kind: Resource, described: schema.Schema, outputs: Mapping[str, Any]) -> Properties:
    """Arguments that would make the resource as it is."""
    inputs: Properties = {
        name: _as_argument(outputs[name], property_.type)
        for name, property_ in described.inputs.items()
        if name in outputs and name not in kind.lacking and not is_nothing(outputs[name])
    }
    for name, default in kind.defaults.items():
        if "." in name or name in kind.lacking:
            continue
        inputs.setdefault(name, outputs.get(name) if outputs.get(name) is not None else default)
    for group in kind.exclusive:
        for surplus in [name for name in group if name in inputs][1:]:
            del inputs[surplus]
    inputs[DEFAULTS] = []
    return inputs


def _refreshed_inputs(
    kind: Resource, described: schema.Schema, outputs: Mapping[str, Any], old: Mapping[str, Any]
) -> Properties:
    """The old arguments, with AWS's value where it differs."""
    rules = _rules(kind)
    inputs: Properties = {}
    for name, value in old.items():
        property_ = described.inputs.get(name)
        if property_ is None or name not in outputs:
            inputs[name] = value
            continue
        now = outputs[name]
        compared = {name: described.outputs[name]}
        if not comparison.differences({name: now}, {name: value}, compared, rules):
            inputs[name] = value
        elif not is_nothing(now) or isinstance(now, bool | int):
            inputs[name] = _as_argument(now, property_.type, value)
    return inputs


def _as_argument(value: Any, kind: schema.Type, old: Any = None) -> Any:
    """An output without what an argument can't say or says by leaving out.

    Where the old argument is known, an object keeps to its members.
    """
    if kind.properties is not None and isinstance(value, Mapping):
        return {
            name: _as_argument(
                value[name], property_.type, old.get(name) if isinstance(old, Mapping) else None
            )
            for name, property_ in kind.properties.items()
            if name in value
            and value[name] is not None
            and (
                not is_nothing(value[name])
                or property_.required
                or (isinstance(old, Mapping) and name in old)
            )
        }
    if kind.kind == "list" and kind.element is not None and isinstance(value, list):
        return [_as_argument(member, kind.element) for member in value]
    return value


def _outer(secrets: Iterable[Path]) -> frozenset[Path]:
    """Whole outputs to keep secret: AWS may give a secret's surroundings another shape."""
    names = {path[0] for path in secrets}
    if "tags" in names:
        names.add("tagsAll")
    return frozenset((name,) for name in names)


def _inner_or_outer(inputs: Mapping[str, Any], secrets: frozenset[Path]) -> frozenset[Path]:
    """The paths themselves where they lead to a value, else the whole argument: text made of an object."""
    kept = set()
    for path in secrets:
        value: Any = inputs
        for step in path:
            value = value.get(step) if isinstance(value, Mapping) else None
        kept.add(path if value is not None else path[:1])
    return frozenset(kept)


# --- protocol helpers --------------------


def _resource(urn: str, context: grpc.ServicerContext) -> tuple[Resource, schema.Schema, str]:
    """The type of a URN (`urn:pulumi:STACK::PROJECT::PARENT$TYPE::NAME`), its schema, and the name."""
    _, _, types, name = urn.split("::", 3)
    token = types.rpartition("$")[2]
    try:
        kind = registry.resource(token)
    except registry.UnsupportedError as error:
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
    return kind, schema.of_resource(token), name


def _subject(kind: Resource, name: str) -> str:
    return f"{kind.token} {name}"


def _failures(failures: Iterable[checking.Failure]) -> list[Any]:
    return [provider_pb2.CheckFailure(property=f.property, reason=f.reason) for f in failures]


def _refuse_other_accounts(aws: session.Aws) -> None:
    """Asks AWS who this is. An AWS that can't be reached is one error here, not one for every resource."""
    config, account_id = aws.configuration, aws.account_id
    if config.allowed_account_ids and account_id not in config.allowed_account_ids:
        raise session.ConfigurationError(
            f"account {account_id} isn't among aws:allowedAccountIds: {', '.join(config.allowed_account_ids)}"
        )
    if account_id in config.forbidden_account_ids:
        raise session.ConfigurationError(f"account {account_id} is among aws:forbiddenAccountIds")


def _abort_initialization(
    context: grpc.ServicerContext, resource_id: str, properties: Any, inputs: Any, reason: str
) -> NoReturn:
    """Fails the call but hands the engine the state, so that the next update goes on from there."""
    detail = any_pb2.Any()
    detail.Pack(
        provider_pb2.ErrorResourceInitFailed(
            id=resource_id, properties=properties, inputs=inputs, reasons=[reason]
        )
    )
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


class _Errors:
    """Ends the call with one line naming the subject, whatever goes wrong on AWS."""

    def __init__(self, context: grpc.ServicerContext, subject: str) -> None:
        self._context, self._subject = context, subject

    def __enter__(self) -> None:
        return

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        message = _message(error) if error is not None else None
        if message is not None:
            self._context.abort(grpc.StatusCode.UNKNOWN, f"{self._subject}: {message}")
