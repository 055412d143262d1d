"""What a Terraform state has: which of the things that are taken over it knows, and how it lets go of them.

Pure. Reads `terraform show -json` and a state file alike (`terraform state pull`). Doesn't run Terraform.
Sources: https://developer.hashicorp.com/terraform/internals/json-format and
https://developer.hashicorp.com/terraform/language/block/removed
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from operate.errors import OperateError
from operate.migration import existing as types

Attributes = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Managed:
    """One instance of a resource in a Terraform state."""

    address: str
    type: str
    attributes: Attributes

    @property
    def resource(self) -> str:
        """The address without keys of instances, as a `removed` block takes it."""
        return re.sub(r'\[(?:\d+|"(?:[^"\\]|\\.)*")\]', "", self.address)


def managed(text: str | bytes, origin: str) -> list[Managed]:
    """The resources of a state that Terraform manages; data sources aren't among them.

    Bytes are in any encoding of JSON: PowerShell writes UTF-16. Raises OperateError where the text is neither
    of the two forms.
    """
    try:
        state = json.loads(text)
    except ValueError as error:
        raise _unreadable(origin) from error
    if isinstance(state, dict) and state.get("version") == 4 and "resources" in state:
        return list(_of_file(state["resources"]))
    if isinstance(state, dict) and "format_version" in state:
        return list(_of_module(state.get("values", {}).get("root_module", {})))
    raise _unreadable(origin)


def _unreadable(origin: str) -> OperateError:
    return OperateError(
        f"{origin} is no Terraform state that can be read.",
        "Write it in the folder of the Terraform configuration: terraform show -json > state.json",
    )


def _of_module(module: Mapping[str, Any]) -> Iterator[Managed]:
    for each in module.get("resources", ()):
        if each["mode"] == "managed":
            yield Managed(address=each["address"], type=each["type"], attributes=each["values"])
    for child in module.get("child_modules", ()):
        yield from _of_module(child)


def _of_file(resources: Iterable[Mapping[str, Any]]) -> Iterator[Managed]:
    for each in resources:
        if each["mode"] != "managed":
            continue
        prefix = f"{each['module']}." if "module" in each else ""
        for instance in each["instances"]:
            # One that is on its way out is listed beside its successor.
            if "deposed" in instance:
                continue
            key = f"[{json.dumps(instance['index_key'])}]" if "index_key" in instance else ""
            yield Managed(
                address=f"{prefix}{each['type']}.{each['name']}{key}",
                type=each["type"],
                attributes=instance.get("attributes") or {},
            )


def _service(attributes: Attributes) -> str:
    return f"{str(attributes.get('cluster')).rpartition('/')[2]}/{attributes.get('name')}"


def _attribute(name: str) -> Callable[[Attributes], str]:
    return lambda attributes: str(attributes.get(name))


_KEYS: Mapping[str, tuple[tuple[str, ...], Callable[[Attributes], str]]] = {
    types.CLUSTER: (("aws_ecs_cluster",), _attribute("name")),
    types.CAPACITY: (("aws_ecs_cluster_capacity_providers",), _attribute("cluster_name")),
    types.SERVICE: (("aws_ecs_service",), _service),
    types.TASK_DEFINITION: (("aws_ecs_task_definition",), _attribute("family")),
    types.LOG_GROUP: (("aws_cloudwatch_log_group",), _attribute("name")),
    types.REPOSITORY: (("aws_ecr_repository",), _attribute("name")),
    types.LIFECYCLE: (("aws_ecr_lifecycle_policy",), _attribute("repository")),
    types.LOAD_BALANCER: (("aws_lb", "aws_alb"), _attribute("arn")),
    types.TARGET_GROUP: (("aws_lb_target_group", "aws_alb_target_group"), _attribute("arn")),
    types.LISTENER: (("aws_lb_listener", "aws_alb_listener"), _attribute("arn")),
    types.LISTENER_RULE: (("aws_lb_listener_rule", "aws_alb_listener_rule"), _attribute("arn")),
    types.ROLE: (("aws_iam_role",), _attribute("name")),
    types.SECURITY_GROUP: (("aws_security_group",), _attribute("id")),
    types.INGRESS_RULE: (("aws_vpc_security_group_ingress_rule",), _attribute("id")),
    types.EGRESS_RULE: (("aws_vpc_security_group_egress_rule",), _attribute("id")),
    types.SCALABLE_TARGET: (("aws_appautoscaling_target",), _attribute("resource_id")),
}
"""By Pulumi's type: Terraform's types for the same thing, and what one is recognized by."""


def owner(type_: str, resource_id: str, state: Sequence[Managed]) -> Managed | None:
    """The instance in the state that is the resource of that id."""
    terraform_types, key = _KEYS[type_]
    wanted = _key_of_id(type_, resource_id)
    return next(
        (each for each in state if each.type in terraform_types and key(each.attributes) == wanted), None
    )


def _key_of_id(type_: str, resource_id: str) -> str:
    if type_ == types.TASK_DEFINITION:
        # Another revision than the state's may run: what CI has deployed since.
        return resource_id.rpartition("/")[2].rpartition(":")[0]
    if type_ == types.SCALABLE_TARGET:
        return resource_id.removeprefix("ecs/").rpartition("/")[0]
    return resource_id


def removed_blocks(taken: Sequence[Managed], state: Sequence[Managed]) -> str:
    """`removed` blocks for the resources of which every instance is taken over.

    A block names no instance; of a resource that is taken over in part, `state_rm` removes the part.
    """
    addresses = {each.address for each in taken}
    whole = sorted(
        {
            each.resource
            for each in taken
            if all(other.address in addresses for other in state if other.resource == each.resource)
        }
    )
    return "\n".join(
        f"removed {{\n  from = {resource}\n  lifecycle {{\n    destroy = false\n  }}\n}}\n"
        for resource in whole
    )


def state_rm(taken: Sequence[Managed]) -> str:
    """The command by which Terraform forgets what is taken over, without destroying any of it."""
    return shlex.join(["terraform", "state", "rm", *sorted(each.address for each in taken)])
