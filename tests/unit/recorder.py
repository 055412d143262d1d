"""Runs a Pulumi program without an engine and keeps everything that it asked the engine for.

Owns the run: mocks, configuration and settings live in a context of their own, and a run is over
when every registration has been answered, so an assertion afterwards sees all of it. Doesn't own
what AWS would answer: see `providers`.
"""

from __future__ import annotations

import asyncio
import contextvars
import json
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar, TypeVarTuple
from unittest import mock

import pulumi
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime import mocks as sdk
from pulumi.runtime import resource as registration
from pulumi.runtime import rpc
from pulumi.runtime.config import set_all_config
from pulumi.runtime.proto import engine_pb2, provider_pb2, resource_pb2, source_pb2
from pulumi.runtime.settings import ROOT, SETTINGS, Settings, _load_monitor_feature_support, configure
from pulumi.runtime.stack import Stack

from tests.unit import providers
from tests.unit.providers import UNKNOWN, Child, Reference, Unknown

__all__ = ["UNKNOWN", "Invoked", "Recorded", "Recorder", "Recording", "Secret", "Unknown", "record"]

Arguments = TypeVarTuple("Arguments")
Answer = TypeVar("Answer")

STACK_TYPE: Final = "pulumi:pulumi:Stack"

_SIGNATURE: Final = rpc._special_sig_key
_SECRET: Final = rpc._special_secret_sig
_RESOURCE: Final = rpc._special_resource_sig


@dataclass(frozen=True)
class Secret:
    """A value that the program marked as secret."""

    value: Any


@dataclass(frozen=True)
class Invoked:
    """One function call of the program, for example `aws:ec2/getVpc:getVpc`."""

    token: str
    args: Mapping[str, Any]
    provider: str


@dataclass(frozen=True)
class Recorded:
    """One registered resource: the whole request, and its inputs as Python values.

    `by_provider` is true of the children that a remote component registers; the program didn't.
    """

    urn: str
    inputs: Mapping[str, Any]
    request: Any = field(repr=False)
    by_provider: bool = False

    @property
    def type(self) -> str:
        """The type token."""
        return str(self.request.type)

    @property
    def name(self) -> str:
        """The logical name."""
        return str(self.request.name)

    @property
    def parent(self) -> str:
        """The parent's URN."""
        return str(self.request.parent)

    @property
    def custom(self) -> bool:
        """Whether a provider makes it; a component is not custom."""
        return bool(self.request.custom)

    @property
    def remote(self) -> bool:
        """Whether it is a component that a plugin constructs."""
        return bool(self.request.remote)

    @property
    def dependencies(self) -> frozenset[str]:
        """The URNs that it waits for: those of its inputs and those of `depends_on`."""
        return frozenset(self.request.dependencies)

    @property
    def depends_on(self) -> frozenset[str]:
        """The URNs that it waits for although no input comes from them."""
        by_input = {urn for each in self.request.propertyDependencies.values() for urn in each.urns}
        return self.dependencies - by_input

    @property
    def delete_before_replace(self) -> bool | None:
        """Whether a replacement deletes first; None where the program leaves it to the provider."""
        if not self.request.deleteBeforeReplaceDefined:
            return None
        return bool(self.request.deleteBeforeReplace)

    @property
    def ignore_changes(self) -> tuple[str, ...]:
        """The property paths whose changes the engine drops."""
        return tuple(self.request.ignoreChanges)

    @property
    def retain_on_delete(self) -> bool:
        """Whether the engine forgets it instead of deleting it."""
        return bool(self.request.retainOnDelete)

    @property
    def protect(self) -> bool:
        """Whether the engine refuses to delete it."""
        return bool(self.request.protect)

    @property
    def provider(self) -> str:
        """`URN::ID` of an explicit provider, or an empty text."""
        return str(self.request.provider)

    @property
    def alias_names(self) -> tuple[str, ...]:
        """The names or URNs that it had before, in the program's order."""
        return tuple(alias.urn or alias.spec.name for alias in self.request.aliases)

    def json(self, key: str) -> Any:
        """The input `key`, which is a JSON text, as a value."""
        text = self.inputs[key]
        assert isinstance(text, str), f"{self.urn}: {key} is {text!r}, not a JSON text"
        return json.loads(text)


@dataclass
class Recording:
    """What a program left behind: resources in the order of registration, calls and exports."""

    resources: list[Recorded] = field(default_factory=list)
    invokes: list[Invoked] = field(default_factory=list)
    reads: list[tuple[str, str, str]] = field(default_factory=list)
    registered_outputs: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    @property
    def exports(self) -> Mapping[str, Any]:
        """The stack's outputs."""
        return next((v for urn, v in self.registered_outputs.items() if f"::{STACK_TYPE}::" in urn), {})

    @property
    def own(self) -> list[Recorded]:
        """What the program registered itself, without the children of remote components."""
        return [each for each in self.resources if not each.by_provider]

    def of_type(self, type_token: str) -> list[Recorded]:
        """The resources of a type."""
        return [each for each in self.resources if each.type == type_token]

    def only(self, type_token: str, name: str | None = None) -> Recorded:
        """The one resource of a type, or of a type and name; no and several are a failure."""
        found = [each for each in self.of_type(type_token) if name in (None, each.name)]
        known = sorted(f"{each.type}::{each.name}" for each in self.resources)
        assert len(found) == 1, f"{len(found)} of {type_token} {name or ''} among {known}"
        return found[0]

    def names(self, type_token: str) -> list[str]:
        """The logical names of a type's resources, sorted."""
        return sorted(each.name for each in self.of_type(type_token))

    def by_urn(self, urn: str) -> Recorded:
        """The resource with a URN."""
        return next(each for each in self.resources if each.urn == urn)

    def children(self, parent: Recorded) -> list[Recorded]:
        """The resources right below `parent`."""
        return [each for each in self.resources if each.parent == parent.urn]

    def counts(self) -> Counter[str]:
        """How many resources of each type the program registered itself."""
        return Counter(each.type for each in self.own)

    def custom_inputs(self) -> dict[str, Any]:
        """What reaches providers, by URN: inputs and lifecycle options, nothing of local components."""
        return {
            each.urn: (
                each.inputs,
                each.dependencies,
                each.delete_before_replace,
                each.ignore_changes,
                each.retain_on_delete,
                each.protect,
            )
            for each in self.resources
            if each.custom or each.remote
        }


class Recorder(sdk.Mocks):
    """Answers as the providers would, and keeps every call in `recording`.

    In a preview (`preview=True`) nothing that only a real creation could tell is known. `answers`
    replaces the answer to a function call by its token; `unknown_invokes` have none in a preview.
    """

    def __init__(
        self,
        *,
        preview: bool = False,
        answers: Mapping[str, Mapping[str, Any]] | None = None,
        failures: Mapping[str, Exception] | None = None,
    ) -> None:
        self.preview = preview
        self.recording = Recording()
        self._answers = {**providers.ANSWERS, **(answers or {})}
        self._failures = dict(failures or {})

    def call(self, args: sdk.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        """The answer to a function call; one that nobody described is refused."""
        self.recording.invokes.append(Invoked(token=args.token, args=args.args, provider=args.provider))
        if args.token in self._failures:
            raise self._failures[args.token]
        if args.token not in self._answers:
            raise AssertionError(
                f"the program calls {args.token}, which has no answer in tests/unit/providers.py"
            )
        return {**args.args, **self._answers[args.token]}, None

    def new_resource(self, args: sdk.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        """The id and the outputs of a new resource."""
        return providers.create(args.typ, args.name, args.inputs, preview=self.preview)


class RecordingMonitor(sdk.MockMonitor):
    """The engine's side of registration: URNs as the engine makes them, and the whole request kept."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__(recorder)
        self._recorder = recorder
        self._recording = recorder.recording

    def RegisterResource(self, request: Any) -> Any:
        """Registers a resource, and the children of a remote component with it."""
        urn = _urn(request.parent, request.type, request.name)
        if request.type == STACK_TYPE:
            return resource_pb2.RegisterResourceResponse(urn=urn)
        if urn in self.resources:
            raise AssertionError(f"Duplicate resource URN '{urn}'; try giving it a unique name")
        inputs = _to_python(struct_pb2.Value(struct_value=request.object))
        self._recording.resources.append(Recorded(urn=urn, inputs=inputs, request=request))
        if not request.custom and not request.remote:
            return self._answer(urn, "", {})
        if request.remote:
            made = providers.construct(request.type, request.name, _plain(inputs), self._recorder.preview)
            urns = {child.key: self._register_child(urn, child) for child in made.children}
            return self._answer(urn, "", _resolve(made.outputs, urns))
        physical_id, state = self._recorder.new_resource(
            sdk.MockResourceArgs(
                typ=request.type,
                name=request.name,
                inputs=_plain(inputs),
                provider=request.provider,
                resource_id=request.importId,
                custom=request.custom,
            )
        )
        return self._answer(urn, physical_id or "", state)

    def RegisterResourceOutputs(self, request: Any) -> Any:
        """Keeps a component's outputs, or the stack's exports."""
        outputs = _to_python(struct_pb2.Value(struct_value=request.outputs))
        self._recording.registered_outputs[request.urn] = outputs
        return empty_pb2.Empty()

    def ReadResource(self, request: Any) -> Any:
        """Answers what exists already, and keeps the question."""
        urn = _urn(request.parent, request.type, request.name)
        self._recording.reads.append((request.type, request.name, request.id))
        state = providers.read(request.type, request.id)
        self.resources[urn] = sdk.MockMonitor.ResourceRegistration(urn, request.id, state)
        return resource_pb2.ReadResourceResponse(urn=urn, properties=_to_struct(state))

    def Invoke(self, request: Any) -> Any:
        """Answers a function call, and the SDK's own question for a referenced resource."""
        args = _plain(_to_python(struct_pb2.Value(struct_value=request.args)))
        if request.tok == "pulumi:pulumi:getResource":
            known = self.resources[args["urn"]]
            answer: dict[str, Any] = {"urn": known.urn, "id": known.id, "state": known.state}
        else:
            answer, _ = self._recorder.call(
                sdk.MockCallArgs(token=request.tok, args=args, provider=request.provider)
            )
        return provider_pb2.InvokeResponse(**{"return": _to_struct(answer)})

    def _register_child(self, parent: str, child: Child) -> tuple[str, str]:
        urn = _urn(parent, child.type, child.name)
        request = resource_pb2.RegisterResourceRequest(
            type=child.type, name=child.name, parent=parent, custom=True
        )
        self._recording.resources.append(
            Recorded(urn=urn, inputs=child.inputs, request=request, by_provider=True)
        )
        physical_id, state = providers.create(
            child.type, child.name, child.inputs, preview=self._recorder.preview
        )
        self._answer(urn, physical_id, state)
        return urn, physical_id

    def _answer(self, urn: str, physical_id: str, state: Mapping[str, Any]) -> Any:
        self.resources[urn] = sdk.MockMonitor.ResourceRegistration(urn, physical_id, dict(state))
        return resource_pb2.RegisterResourceResponse(urn=urn, id=physical_id, object=_to_struct(state))


class _Engine(sdk.MockEngine):
    """Takes log messages; warnings are kept."""

    def __init__(self, recording: Recording) -> None:
        super().__init__(None)
        self._recording = recording

    def Log(self, request: Any) -> Any:
        if request.severity in (engine_pb2.WARNING, engine_pb2.ERROR):
            self._recording.warnings.append(request.message)
        return empty_pb2.Empty()


class _Loop(asyncio.SelectorEventLoop):
    """Answers the SDK's requests at once, so that a run has one order and starts no thread."""

    def run_in_executor(
        self, _executor: Executor | None, func: Callable[[*Arguments], Answer], *args: *Arguments
    ) -> asyncio.Future[Answer]:
        future: asyncio.Future[Answer] = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001  # it is raised where the future is awaited
            future.set_exception(error)
        return future


def record(
    program: Callable[[], object],
    *,
    preview: bool = False,
    stack: str = "test",
    config: Mapping[str, str] | None = None,
    secret_keys: Sequence[str] = (),
    recorder: Recorder | None = None,
) -> Recording:
    """Runs `program` as the stack `stack` until everything that it started is over.

    An error of the program, of an `apply` or of a registration is raised here.
    """
    answering = recorder or Recorder(preview=preview)

    def run() -> None:
        # Other tests of this process may have left the stack of their own program behind.
        ROOT.set(None)
        configure(
            Settings(
                project="fileflow",
                stack=stack,
                monitor=RecordingMonitor(answering),
                engine=_Engine(answering.recording),
                dry_run=answering.preview,
                organization="organization",
            )
        )
        set_all_config(dict(config or {}), list(secret_keys))
        run_in_own_loop(_run_in_stack(program))

    # Where each resource was made goes with its registration; to find out takes a tenth of a run.
    with mock.patch.object(registration, "_get_stack_trace", source_pb2.StackTrace):
        contextvars.copy_context().run(run)
    return answering.recording


def run_in_own_loop(work: Coroutine[Any, Any, None]) -> None:
    """Like `asyncio.run`, which walks the tasks of all loops that were ever closed: too many in a suite."""
    loop = _Loop()
    asyncio.set_event_loop(loop)
    try:
        loop.run_until_complete(work)
    except BaseException:
        left = asyncio.all_tasks(loop)
        for each in left:
            each.cancel()
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        raise
    finally:
        asyncio.set_event_loop(None)
        loop.close()


async def _run_in_stack(program: Callable[[], object]) -> None:
    """Runs the program as the SDK does, and ends when nothing that it started is left.

    The SDK's own loop looks at every waiting output whenever one is done, which takes a quarter of a run.
    """

    def call() -> None:
        program()

    await _load_monitor_feature_support()  # type: ignore[no-untyped-call]  # the SDK leaves it untyped
    try:
        Stack(call)
    finally:
        await _drain()


async def _drain() -> None:
    registrations = SETTINGS.rpc_manager
    while registrations.rpcs or SETTINGS.outputs:
        while registrations.rpcs:
            await registrations.rpcs.pop()
        if registrations.unhandled_exception is not None:
            raise registrations.unhandled_exception
        waiting = list(SETTINGS.outputs)
        SETTINGS.outputs.clear()
        await asyncio.gather(*waiting)


def _urn(parent: str, type_token: str, name: str) -> str:
    """A URN as the engine makes it: the types of all parents, but not of the stack."""
    qualified = type_token
    if parent:
        parent_types = parent.split("::")[2]
        if parent_types != STACK_TYPE:
            qualified = f"{parent_types}${type_token}"
    return "::".join([f"urn:pulumi:{pulumi.get_stack()}", pulumi.get_project(), qualified, name])


def _to_python(value: Any) -> Any:
    """A protobuf value as Python has it; secrets, unknowns and references stay marked."""
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return _marked({key: _to_python(each) for key, each in value.struct_value.fields.items()})
    if kind == "list_value":
        return [_to_python(each) for each in value.list_value.values]
    if kind == "number_value":
        return int(value.number_value) if value.number_value.is_integer() else value.number_value
    if kind == "string_value" and value.string_value == rpc.UNKNOWN:
        return UNKNOWN
    return None if kind == "null_value" else getattr(value, kind)


def _marked(fields: dict[str, Any]) -> Any:
    """A secret, a reference, or the fields themselves."""
    mark = fields.get(_SIGNATURE)
    if mark == _SECRET:
        return Secret(fields["value"])
    return Reference(fields["urn"]) if mark == _RESOURCE else fields


def _plain(value: Any) -> Any:
    """The value with its secrets open, as a provider gets it."""
    if isinstance(value, Secret):
        return _plain(value.value)
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value


def _to_struct(values: Mapping[str, Any]) -> struct_pb2.Struct:
    answer = struct_pb2.Struct()
    answer.update({key: _encoded(value) for key, value in values.items() if value is not None})
    return answer


def _encoded(value: Any) -> Any:
    if isinstance(value, Unknown):
        return rpc.UNKNOWN
    if isinstance(value, Mapping):
        return {key: _encoded(each) for key, each in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [_encoded(each) for each in value]
    return value


def _resolve(value: Any, urns: Mapping[str, tuple[str, str]]) -> Any:
    """References to children by their key become references as the protocol writes them."""
    if isinstance(value, Reference):
        urn, physical_id = urns[value.to]
        return {_SIGNATURE: _RESOURCE, "urn": urn, "id": physical_id or rpc.UNKNOWN}
    if isinstance(value, Mapping):
        return {key: _resolve(each, urns) for key, each in value.items()}
    if isinstance(value, list):
        return [_resolve(each, urns) for each in value]
    return value
