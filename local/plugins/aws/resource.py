"""What a resource type tells the provider, and what the provider gives it for each call.

Owns the contract between the provider (engine protocol, schema, comparison, secrets, previews) and the types
(what to ask of AWS). A type sees plain Python values under Pulumi's names, complete and checked; unknown and
secret values never reach it.
"""

from __future__ import annotations

import fnmatch
import itertools
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar

from .documents import Same, same_json, same_policy
from .naming import AutoName, from_prefix
from .schema import Schema, nothing, of_resource
from .session import Aws, code

Inputs = Mapping[str, Any]
State = Mapping[str, Any]
Outputs = Mapping[str, Any]
Answer = Mapping[str, Any]
"""What AWS says of a thing."""
Names = frozenset[str]


def names(text: str) -> Names:
    """The names in a text, as a table lists them."""
    return frozenset(text.split())


def facts(*known: Mapping[str, Any], **more: Any) -> Mapping[str, Any]:
    """What a table says of names; those with dots in them are given as a mapping."""
    return MappingProxyType({**dict(pair for each in known for pair in each.items()), **more})


def pairs(text: str) -> Mapping[str, str]:
    """The names in a text and what it says of each: `arn=TopicArn name=TopicName`."""
    return MappingProxyType(
        {name: value for name, _, value in (each.partition("=") for each in text.split())}
    )


class CancelledError(Exception):
    """The person stopped the update."""


@dataclass(frozen=True)
class Call:
    """One request of the engine.

    `region` is the resource's, `subject` how an error names it; `timeout_seconds` is 0 where the program set
    no custom timeout.
    """

    aws: Aws
    region: str
    subject: str
    timeout_seconds: float
    cancelled: threading.Event
    created_ids: list[str] = field(default_factory=list)

    def client(self, service: str) -> Any:
        """The botocore client of a service in the resource's region."""
        return self.aws.client(service, self.region)

    def arn(self, service: str, resource: str) -> str:
        return self.aws.arn(service, resource, self.region)

    def created(self, resource_id: str) -> str:
        """Says that the resource exists from here on, and returns its id.

        What fails afterwards in `create` leaves the resource in the state, to be updated next time; without
        this it would be forgotten.
        """
        self.created_ids.append(resource_id)
        return resource_id

    def wait_until(
        self,
        what: str,
        done: Callable[[], bool],
        default_timeout_seconds: float,
        interval_seconds: float = 0.25,
    ) -> None:
        """Polls until `done` answers True.

        Raises TimeoutError naming `what` after the custom timeout, else after the default one, and
        CancelledError as soon as the update is stopped. The interval grows to two seconds.
        """
        limit = self.timeout_seconds or default_timeout_seconds
        deadline = time.monotonic() + limit
        while not done():
            if time.monotonic() >= deadline:
                raise TimeoutError(f"{what} didn't happen within {limit:g} s")
            if self.cancelled.wait(interval_seconds):
                raise CancelledError(f"stopped while waiting: {what}")
            interval_seconds = min(interval_seconds * 1.5, 2.0)


class Resource:
    """A resource type. Subclasses set the class attributes and implement the calls.

    - `token`: `aws:ecs/service:Service`.
    - `auto_name`: how to name it when the program doesn't; None where the service names it.
    - `defaults`: what Check fills in for absent arguments, by dotted path: below the top only where the block
      is given. A default isn't filled in where an argument that excludes it is given (`exclusive`).
    - `replacing`: the arguments that replace it, by `ForceNew` and `RequiresReplace` in the Terraform AWS
      provider, 5.100 where later ones differ; a changed region does always, a name's prefix as the name
      does. Without a default, so that no type updates in place for want of an entry.
    - `off`: arguments whose default is false or 0, as it is for AWS, which isn't told.
    - `required`: arguments that must be given, though the SDK types them as optional.
    - `exclusive`: groups of arguments of which at most one may be given; a name and its prefix are one.
    - `policies`, `documents`: arguments that hold an IAM policy or another JSON document, by dotted path.
      Given as an object they become text; they are compared by meaning.
    - `sets`: list arguments without order, by dotted path (`ingress.cidrBlocks`).
    - `same`: further arguments that AWS spells in other ways, by dotted path.
    - `when_absent`: what AWS takes for an argument that is left out, by dotted path, where the SDK types the
      output as optional and AWS's value isn't nothing.
    - `lacking`: arguments that the stand-in doesn't serve, by dotted path, `stream*` for all that begin so:
      given, they are refused by name.
    - `kept`: arguments that AWS never returns; the state keeps the program's own.
    - `missing`: AWS error codes that say that the resource isn't there (`absence`): `read` may let them
      through, and `delete` too.
    - `delete_before_replace`: the replacement is on AWS the very thing that it replaces, so that deleting the
      old one afterwards would take the new one away. The types are pulumi-aws's (`DeleteBeforeReplace` in its
      provider/resources.go; https://github.com/pulumi/pulumi-aws/pull/2085 for the lifecycle policy).
    """

    token: ClassVar[str]
    replacing: ClassVar[frozenset[str]]
    auto_name: ClassVar[AutoName | None] = None
    defaults: ClassVar[Mapping[str, Any]] = {}
    off: ClassVar[frozenset[str]] = frozenset()
    required: ClassVar[frozenset[str]] = frozenset()
    exclusive: ClassVar[tuple[tuple[str, ...], ...]] = ()
    policies: ClassVar[frozenset[str]] = frozenset()
    documents: ClassVar[frozenset[str]] = frozenset()
    sets: ClassVar[frozenset[str]] = frozenset()
    same: ClassVar[Mapping[str, Same]] = {}
    when_absent: ClassVar[Mapping[str, Any]] = {}
    lacking: ClassVar[frozenset[str]] = frozenset()
    kept: ClassVar[frozenset[str]] = frozenset()
    missing: ClassVar[frozenset[str]] = frozenset()
    delete_before_replace: ClassVar[bool] = False

    def check(self, inputs: Inputs) -> Iterable[tuple[str, str]]:
        """Failures as (argument, reason) beyond what the schema says. Values may be UNKNOWN."""
        return ()

    def plan(self, inputs: Inputs, state: State | None) -> Mapping[str, Any]:
        """Outputs that a preview knows already or, as UNKNOWN, no longer; `state` is None before creation."""
        return {}

    def replaced_by(self, argument: str, new: Inputs) -> bool:
        """Whether a change of an argument replaces the resource."""
        return argument == "region" or bool({argument, argument.removesuffix("Prefix")} & self.replacing)

    def refused(self, old: State, new: Inputs, changed: Names) -> str | None:
        """Why the provider refuses a change when it plans it, at preview; None where it doesn't."""
        return None

    def create(self, call: Call, inputs: Inputs) -> str:
        """Creates it and returns its id; `call.created` tells the id as soon as more can fail."""
        raise NotImplementedError

    def read(self, call: Call, resource_id: str, state: State) -> Outputs | None:
        """All outputs except `id`, `region`, `tags` and what is `kept`; None where it doesn't exist.

        Tags are given as `tagsAll`. `state` is the last known state, empty on import: the id must do then.
        Outputs left out become null.
        """
        raise NotImplementedError

    def update(self, call: Call, resource_id: str, old: State, new: Inputs, changed: Names) -> str | None:
        """Makes AWS agree with `new`; `changed` names the top-level arguments that differ from `old`.

        `changed` may be empty (an earlier update failed half-way). Returns a new id only if it changed.
        """
        raise NotImplementedError

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        """Deletes it; its absence is no error."""
        raise NotImplementedError

    @property
    def described(self) -> Schema:
        """Its arguments and outputs, as the SDK has them."""
        return of_resource(self.token)

    def all_defaults(self) -> Mapping[str, Any]:
        """The defaults, with those that are nothing."""
        off = {name: nothing(self.described.inputs[name].type) for name in sorted(self.off)}
        return {**off, **self.defaults}

    def all_exclusive(self) -> Iterable[tuple[str, ...]]:
        """The groups of arguments that exclude each other."""
        inputs = self.described.inputs
        prefixed = [name for name in inputs if f"{name}Prefix" in inputs]
        return (*self.exclusive, *((name, f"{name}Prefix") for name in prefixed))

    def all_lacking(self) -> frozenset[str]:
        """The arguments that aren't served, by dotted path."""
        inputs = self.described.inputs
        lacking = [fnmatch.filter(inputs, path) if "*" in path else [path] for path in self.lacking]
        return frozenset(itertools.chain(*lacking))

    def all_kept(self, found: Mapping[str, Any]) -> Iterable[str]:
        """The arguments that the state keeps as the program has them; AWS has `found`."""
        return self.kept

    def absence(self, call: Call) -> frozenset[str]:
        """All error codes that say that the resource isn't there."""
        return self.missing

    def all_same(self) -> dict[str, Same]:
        """Comparison by meaning, for every argument that has one."""
        return {
            **dict.fromkeys(self.documents, same_json),
            **dict.fromkeys(self.policies, same_policy),
            **self.same,
        }


@dataclass(frozen=True)
class Function:
    """A function (data source): `invoke` gets checked arguments and returns results under Pulumi's names.

    Results left out become null; `region` is filled in. `invoke` raises LookupError where it finds nothing or
    too much. `required` names the arguments that must be given (the SDK types all as optional), `secrets` the
    results that are secret.
    """

    token: str
    invoke: Callable[[Call, Inputs], Mapping[str, Any]]
    required: frozenset[str]
    secrets: frozenset[str]


def function(
    token: str, required: str = "", secrets: str = ""
) -> Callable[[Callable[[Call, Inputs], Mapping[str, Any]]], Function]:
    """Makes a function of what answers it."""
    return lambda invoke: Function(token, invoke, names(required), names(secrets))


def name_of(inputs: Inputs, default_prefix: str = "terraform-") -> str:
    """The name to create under: `name`, or one made from `namePrefix`."""
    return str(inputs.get("name") or from_prefix(inputs.get("namePrefix") or default_prefix))


def is_missing(error: Exception, codes: Iterable[str]) -> bool:
    """Whether a failed call says one of these AWS error codes."""
    return code(error) in codes


def without_none(**members: Any) -> dict[str, Any]:
    """The members that aren't None: arguments of a call to AWS."""
    return {name: value for name, value in members.items() if value is not None}


def tag_map(
    tags: Iterable[Mapping[str, str]] | None, key: str = "Key", value: str = "Value"
) -> dict[str, str]:
    """AWS's list of tags as a map, without those that AWS itself attaches."""
    return {tag[key]: tag.get(value, "") for tag in tags or () if not tag[key].startswith("aws:")}


def tag_changes(old: State, new: Inputs) -> tuple[dict[str, str], list[str]]:
    """Tags to set, and the keys of tags to remove."""
    before, after = old.get("tagsAll") or {}, new.get("tags") or {}
    wanted = {key: text for key, text in after.items() if before.get(key) != text}
    return wanted, [key for key in before if key not in after]
