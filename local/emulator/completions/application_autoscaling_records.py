"""What Application Auto Scaling's actions share: what a request is about, and finding what it made.

Owns the scalable targets and what belongs to one by a name, and the refusal of a request that names none.
Deliberately serves no action.
Source: https://docs.aws.amazon.com/autoscaling/application/APIReference/API_RegisterScalableTarget.html
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ministack.core.responses import AccountRegionScopedDict, get_account_id, get_region

from local.emulator.completions.patching import AwsError, Request

Record = dict[str, Any]

invalid = partial(AwsError, "ValidationException")
"""The error of most of what the service refuses."""

Place = tuple[str, str, str]
"""The namespace, resource id and dimension that are scaled."""

PLACE = ("ServiceNamespace", "ResourceId", "ScalableDimension")
# What this project may scale. AWS has more namespaces; they are refused by name instead of being half
# emulated.
DIMENSIONS = {"ecs": "ecs:service:DesiredCount"}

targets = AccountRegionScopedDict()


def required(request: Request, *names: str) -> None:
    missing = [name for name in names if request.get(name) in (None, "")]
    if missing:
        problems = "; ".join(
            f"Value null at '{name[0].lower()}{name[1:]}' failed to satisfy constraint: Member must not "
            "be null"
            for name in missing
        )
        count = len(missing)
        raise invalid(f"{count} validation error{'s' if count > 1 else ''} detected: {problems}")


def scaled_by(request: Request) -> Place:
    """The namespace, resource id and dimension that a request is about, validated."""
    namespace, resource_id, dimension = (request[member] for member in PLACE)
    namespace_of(request)
    if dimension != DIMENSIONS[namespace]:
        raise invalid(
            f"Unsupported service namespace, resource type or scalable dimension: {namespace}, {dimension}"
        )
    if not re.fullmatch(r"service/[^/]+/[^/]+", resource_id):
        raise invalid(
            f"Unsupported service namespace, resource type or scalable dimension. ResourceId {resource_id!r} "
            "must have the form service/CLUSTER/SERVICE."
        )
    return namespace, resource_id, dimension


def namespace_of(request: Request) -> str:
    namespace = str(request["ServiceNamespace"])
    if namespace not in DIMENSIONS:
        raise invalid(
            f"The emulated Application Auto Scaling serves the namespaces {sorted(DIMENSIONS)} only, not "
            f"{namespace!r}."
        )
    return namespace


def registered(request: Request) -> Place:
    scaled = scaled_by(request)
    if scaled not in targets:
        namespace, resource_id, dimension = scaled
        raise AwsError(
            "ObjectNotFoundException",
            f"No scalable target registered for service namespace: {namespace}, resource ID: {resource_id}, "
            f"scalable dimension: {dimension}",
        )
    return scaled


def arn_of(kind: str) -> str:
    return f"arn:aws:{kind}:{get_region()}:{get_account_id()}"


def matching(records: Any, request: Request, name: str, names: str) -> list[Record]:
    """The records that a Describe action asks for: by namespace, and by place and names where it has them."""
    namespace, wanted = namespace_of(request), request.get(names)
    return [
        record
        for record in records.values()
        if record["ServiceNamespace"] == namespace
        and all(not request.get(member) or record[member] == request[member] for member in PLACE)
        and (not wanted or record[name] in wanted)
    ]


@dataclass(frozen=True)
class Kind:
    """What a scalable target has several of, each by a name: policies, or scheduled actions."""

    words: str
    name: str
    plural: str
    end: Callable[[Record], object] = lambda _record: None
    """What goes with one."""
    records: Any = field(default_factory=AccountRegionScopedDict)

    def find(self, request: Request) -> Record | None:
        """The one that a request puts again; None where it puts a new one."""
        found: Record | None = self.records.get((*registered(request), request[self.name]))
        return found

    def put(self, request: Request, record: Record) -> None:
        """Keeps one under the name that the request has for it."""
        self.records[(*registered(request), request[self.name])] = record

    def new(self, request: Request) -> Record:
        """What one is called, and of which target it is."""
        place, name = registered(request), request[self.name]
        kind = f"{self.words[0].lower()}{self.words.title().replace(' ', '')[1:]}"
        resource = f"{kind}:{uuid.uuid4()}:resource/{place[0]}/{place[1]}"
        return {
            self.name: name,
            self.name.replace(
                "Name", "ARN"
            ): f"{arn_of('autoscaling')}:{resource}:{self.name[0].lower()}{self.name[1:]}/{name}",
            **dict(zip(PLACE, place, strict=True)),
            "CreationTime": time.time(),
        }

    def describe(self, request: Request) -> Record:
        """The Describe action."""
        return {self.plural: matching(self.records, request, self.name, f"{self.name}s")}

    def delete(self, request: Request) -> Record:
        """The Delete action."""
        key = (*scaled_by(request), request[self.name])
        if key not in self.records:
            raise AwsError(
                "ObjectNotFoundException",
                f"No {self.words} found for {self.words} name: {request[self.name]}",
            )
        self.end(self.records.pop(key))
        return {}

    def delete_all(self, place: Place) -> None:
        """Takes all of a target away."""
        for key in [key for key in self.records if key[:3] == place]:
            self.end(self.records.pop(key))
