"""Drives a stand-in in this process, as the engine would over its protocol. Properties are plain values."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from pulumi.runtime.proto import provider_pb2

from local.plugins.common.values import Path, decode, encode

CREATED, DELETED, UPDATED = "add", "delete", "update"
_KINDS = {0: CREATED, 1: CREATED, 2: DELETED, 3: DELETED, 4: UPDATED, 5: UPDATED}


class RefusedError(Exception):
    """The stand-in ended the call with an error; `message` is what a person would read."""

    def __init__(self, message: str, details: Any = None) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class _Context:
    """The part of a gRPC context that the stand-in uses."""

    def __init__(self) -> None:
        self._trailing: dict[str, bytes] = {}

    def set_trailing_metadata(self, metadata: Sequence[tuple[str, bytes]]) -> None:
        self._trailing = dict(metadata)

    def abort(self, _code: object, message: str) -> NoReturn:
        raise RefusedError(message, self._trailing.get("grpc-status-details-bin"))


@dataclass(frozen=True)
class Checked:
    inputs: dict[str, Any]
    failures: dict[str, str]
    secrets: frozenset[Path]


@dataclass(frozen=True)
class Diffed:
    """`changes` says per property path what changes; `replaces` names top-level arguments."""

    changes: dict[str, str]
    replaces: list[str]
    delete_before_replace: bool


class Plugin:
    """One stand-in, served by `provider`, whose base class would let its methods be coroutines too."""

    def __init__(self, provider: Any) -> None:
        self.provider = provider

    @staticmethod
    def _context() -> Any:
        return _Context()

    @staticmethod
    def urn(token: str, name: str) -> str:
        return f"urn:pulumi:test::shop::{token}::{name}"

    def check(
        self,
        token: str,
        new: Mapping[str, Any],
        *,
        old: Mapping[str, Any] | None = None,
        name: str = "thing",
        secrets: Sequence[Path] = (),
        autonaming: Any = None,
    ) -> Checked:
        request = provider_pb2.CheckRequest(
            urn=self.urn(token, name),
            olds=encode(old or {}),
            news=encode(new, secrets),
            randomSeed=hashlib.sha256(name.encode()).digest(),
            autonaming=autonaming,
        )
        answer = self.provider.Check(request, self._context())
        inputs, marked = decode(answer.inputs)
        return Checked(inputs, {f.property: f.reason for f in answer.failures}, marked)

    def diff(
        self,
        token: str,
        state: Mapping[str, Any],
        old: Mapping[str, Any],
        new: Mapping[str, Any],
        *,
        ignore: Sequence[str] = (),
    ) -> Diffed:
        request = provider_pb2.DiffRequest(
            id=str(state.get("id", "id")),
            urn=self.urn(token, "thing"),
            olds=encode(state),
            old_inputs=encode(old),
            news=encode(new),
            ignoreChanges=list(ignore),
        )
        answer = self.provider.Diff(request, self._context())
        assert (answer.changes == provider_pb2.DiffResponse.DIFF_SOME) == bool(answer.detailedDiff)
        return Diffed(
            {path: _KINDS[int(d.kind)] for path, d in answer.detailedDiff.items()},
            list(answer.replaces),
            answer.deleteBeforeReplace,
        )

    def create(
        self, token: str, inputs: Mapping[str, Any], *, preview: bool = False, timeout: float = 0
    ) -> dict[str, Any]:
        request = provider_pb2.CreateRequest(
            urn=self.urn(token, "thing"), properties=encode(inputs), preview=preview, timeout=timeout
        )
        answer = self.provider.Create(request, self._context())
        outputs, _ = decode(answer.properties)
        assert preview or outputs.get("id", answer.id) == answer.id
        return outputs

    def create_with_secrets(
        self, token: str, inputs: Mapping[str, Any], secrets: Sequence[Path]
    ) -> tuple[dict[str, Any], frozenset[Path]]:
        """Outputs, and the paths of those that are secret."""
        request = provider_pb2.CreateRequest(urn=self.urn(token, "thing"), properties=encode(inputs, secrets))
        return decode(self.provider.Create(request, self._context()).properties)

    def update(
        self,
        token: str,
        state: Mapping[str, Any],
        old: Mapping[str, Any],
        new: Mapping[str, Any],
        *,
        preview: bool = False,
    ) -> dict[str, Any]:
        request = provider_pb2.UpdateRequest(
            id=state["id"],
            urn=self.urn(token, "thing"),
            olds=encode(state),
            old_inputs=encode(old),
            news=encode(new),
            preview=preview,
        )
        outputs, _ = decode(self.provider.Update(request, self._context()).properties)
        return outputs

    def read(
        self,
        token: str,
        resource_id: str,
        state: Mapping[str, Any] | None = None,
        inputs: Mapping[str, Any] | None = None,
    ) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """Outputs and inputs; None where the resource is gone. Without state and inputs, an import."""
        request = provider_pb2.ReadRequest(
            id=resource_id,
            urn=self.urn(token, "thing"),
            properties=encode(state or {}),
            inputs=encode(inputs or {}),
        )
        answer = self.provider.Read(request, self._context())
        return (decode(answer.properties)[0], decode(answer.inputs)[0]) if answer.id else None

    def delete(self, token: str, state: Mapping[str, Any]) -> None:
        request = provider_pb2.DeleteRequest(
            id=state["id"], urn=self.urn(token, "thing"), properties=encode(state)
        )
        self.provider.Delete(request, self._context())

    def invoke(self, token: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        request = provider_pb2.InvokeRequest(tok=token, args=encode(arguments))
        answer = self.provider.Invoke(request, self._context())
        if answer.failures:
            raise RefusedError("; ".join(failure.reason for failure in answer.failures))
        results, _ = decode(getattr(answer, "return"))
        return results
