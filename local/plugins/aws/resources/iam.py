"""IAM: roles, the policies in them and the ones attached to them."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any, ClassVar, Final
from urllib.parse import unquote

from ..documents import to_text
from ..naming import AutoName
from ..resource import Call, Inputs, Resource, State, name_of, tag_changes, tag_list, tag_map
from .calls import added_and_removed, given, retried, touched, unless_absent

_ABSENT: Final = "NoSuchEntity"
# A principal that was made a moment ago isn't known everywhere yet.
_PASSING: Final = "MalformedPolicyDocument"
_PROPAGATION_SECONDS: Final = 120


def document_text(policy: Any) -> str:
    """A policy as text in one form: AWS URL-encodes it, botocore decodes it."""
    if isinstance(policy, str):
        try:
            policy = json.loads(unquote(policy) if policy.startswith("%") else policy)
        except ValueError:
            return str(policy)
    return to_text(policy)


class Role(Resource):
    token = "aws:iam/role:Role"
    auto_name = AutoName(max_length=64)
    defaults: ClassVar = {"forceDetachPolicies": False, "maxSessionDuration": 3600, "path": "/"}
    exclusive = (("name", "namePrefix"),)
    policies = frozenset({"assumeRolePolicy", "inlinePolicies.policy"})
    sets = frozenset({"inlinePolicies", "managedPolicyArns"})
    kept = frozenset({"forceDetachPolicies"})
    missing = frozenset({_ABSENT})

    def create(self, call: Call, inputs: Inputs) -> str:
        iam = call.client("iam")
        name = name_of(inputs)
        retried(
            call,
            f"IAM accepts the principals of role {name}",
            lambda: iam.create_role(
                RoleName=name,
                AssumeRolePolicyDocument=inputs["assumeRolePolicy"],
                **given(
                    inputs,
                    Description="description",
                    MaxSessionDuration="maxSessionDuration",
                    Path="path",
                    PermissionsBoundary="permissionsBoundary",
                ),
                **({"Tags": tag_list(inputs["tags"])} if inputs.get("tags") else {}),
            ),
            _PASSING,
            default_timeout_seconds=_PROPAGATION_SECONDS,
        )
        for policy in inputs.get("inlinePolicies") or ():
            self._put_inline(iam, name, policy)
        for arn in inputs.get("managedPolicyArns") or ():
            iam.attach_role_policy(RoleName=name, PolicyArn=arn)
        return name

    def read(self, call: Call, resource_id: str, state: State) -> Mapping[str, Any] | None:
        iam = call.client("iam")
        role = unless_absent(lambda: iam.get_role(RoleName=resource_id)["Role"], _ABSENT)
        if role is None:
            return None
        return {
            "arn": role["Arn"],
            "assumeRolePolicy": document_text(role["AssumeRolePolicyDocument"]),
            "createDate": role["CreateDate"].strftime("%Y-%m-%dT%H:%M:%SZ"),
            "description": role.get("Description", ""),
            "inlinePolicies": [
                {
                    "name": name,
                    "policy": document_text(
                        iam.get_role_policy(RoleName=resource_id, PolicyName=name)["PolicyDocument"]
                    ),
                }
                for name in sorted(self._inline_names(iam, resource_id))
            ],
            "managedPolicyArns": sorted(self._attached(iam, resource_id)),
            "maxSessionDuration": role.get("MaxSessionDuration", 3600),
            "name": role["RoleName"],
            "namePrefix": state.get("namePrefix") or "",
            "path": role["Path"],
            "permissionsBoundary": role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", ""),
            "tagsAll": tag_map(role.get("Tags")),
            "uniqueId": role["RoleId"],
        }

    def update(
        self, call: Call, resource_id: str, old: State, new: Inputs, changed: frozenset[str]
    ) -> str | None:
        iam = call.client("iam")
        if touched(changed, "assumeRolePolicy"):
            retried(
                call,
                f"IAM accepts the principals of role {resource_id}",
                lambda: iam.update_assume_role_policy(
                    RoleName=resource_id, PolicyDocument=new["assumeRolePolicy"]
                ),
                _PASSING,
                default_timeout_seconds=_PROPAGATION_SECONDS,
            )
        if touched(changed, "description", "maxSessionDuration"):
            iam.update_role(
                RoleName=resource_id,
                Description=new.get("description") or "",
                MaxSessionDuration=new["maxSessionDuration"],
            )
        if touched(changed, "permissionsBoundary"):
            self._set_boundary(iam, resource_id, new.get("permissionsBoundary"))
        if new.get("inlinePolicies") is not None and touched(changed, "inlinePolicies"):
            self._make_inline(iam, resource_id, new["inlinePolicies"])
        if new.get("managedPolicyArns") is not None and touched(changed, "managedPolicyArns"):
            added, removed = added_and_removed(self._attached(iam, resource_id), new["managedPolicyArns"])
            self._attach(iam, resource_id, added, removed)
        wanted, gone = tag_changes(old, new)
        if gone:
            iam.untag_role(RoleName=resource_id, TagKeys=gone)
        if wanted:
            iam.tag_role(RoleName=resource_id, Tags=tag_list(wanted))
        return None

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        iam = call.client("iam")
        if unless_absent(lambda: iam.get_role(RoleName=resource_id), _ABSENT) is None:
            return
        for profile in iam.list_instance_profiles_for_role(RoleName=resource_id)["InstanceProfiles"]:
            iam.remove_role_from_instance_profile(
                InstanceProfileName=profile["InstanceProfileName"], RoleName=resource_id
            )
        # Policies that the role's own arguments manage go with it; others only when that was asked for.
        if state.get("forceDetachPolicies") or state.get("managedPolicyArns"):
            self._attach(iam, resource_id, [], self._attached(iam, resource_id))
        if state.get("forceDetachPolicies") or state.get("inlinePolicies"):
            for name in self._inline_names(iam, resource_id):
                iam.delete_role_policy(RoleName=resource_id, PolicyName=name)
        retried(
            call,
            f"role {resource_id} is free",
            lambda: unless_absent(lambda: iam.delete_role(RoleName=resource_id), _ABSENT),
            "DeleteConflict",
            default_timeout_seconds=_PROPAGATION_SECONDS,
        )

    @staticmethod
    def _inline_names(iam: Any, name: str) -> list[str]:
        pages = iam.get_paginator("list_role_policies").paginate(RoleName=name)
        return [str(policy) for page in pages for policy in page["PolicyNames"]]

    @staticmethod
    def _attached(iam: Any, name: str) -> list[str]:
        pages = iam.get_paginator("list_attached_role_policies").paginate(RoleName=name)
        return [str(policy["PolicyArn"]) for page in pages for policy in page["AttachedPolicies"]]

    @staticmethod
    def _attach(iam: Any, name: str, added: list[str], removed: list[str]) -> None:
        for arn in removed:
            unless_absent(
                lambda arn=arn: iam.detach_role_policy(  # type: ignore[misc]  # a default binds the loop's value
                    RoleName=name, PolicyArn=arn
                ),
                _ABSENT,
            )
        for arn in added:
            iam.attach_role_policy(RoleName=name, PolicyArn=arn)

    @staticmethod
    def _put_inline(iam: Any, name: str, policy: Mapping[str, Any]) -> None:
        if policy.get("name") and policy.get("policy"):
            iam.put_role_policy(RoleName=name, PolicyName=policy["name"], PolicyDocument=policy["policy"])

    def _make_inline(self, iam: Any, name: str, wanted: list[Mapping[str, Any]]) -> None:
        names = {policy.get("name") for policy in wanted}
        for surplus in self._inline_names(iam, name):
            if surplus not in names:
                iam.delete_role_policy(RoleName=name, PolicyName=surplus)
        for policy in wanted:
            self._put_inline(iam, name, policy)

    @staticmethod
    def _set_boundary(iam: Any, name: str, arn: str | None) -> None:
        if arn:
            iam.put_role_permissions_boundary(RoleName=name, PermissionsBoundary=arn)
        else:
            unless_absent(lambda: iam.delete_role_permissions_boundary(RoleName=name), _ABSENT)


class RolePolicy(Resource):
    """A policy inside of a role; its id is `ROLE:NAME`."""

    token = "aws:iam/rolePolicy:RolePolicy"
    auto_name = AutoName(max_length=128)
    exclusive = (("name", "namePrefix"),)
    policies = frozenset({"policy"})
    missing = frozenset({_ABSENT})

    def create(self, call: Call, inputs: Inputs) -> str:
        name = name_of(inputs)
        self._put(call, inputs["role"], name, inputs)
        return f"{inputs['role']}:{name}"

    def read(self, call: Call, resource_id: str, state: State) -> Mapping[str, Any] | None:
        role, _, name = resource_id.partition(":")
        policy = unless_absent(
            lambda: call.client("iam").get_role_policy(RoleName=role, PolicyName=name), _ABSENT
        )
        if policy is None:
            return None
        return {
            "name": name,
            "namePrefix": state.get("namePrefix") or "",
            "policy": document_text(policy["PolicyDocument"]),
            "role": role,
        }

    def update(
        self, call: Call, resource_id: str, old: State, new: Inputs, changed: frozenset[str]
    ) -> str | None:
        role, _, name = resource_id.partition(":")
        self._put(call, role, name, new)
        return None

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        role, _, name = resource_id.partition(":")
        unless_absent(lambda: call.client("iam").delete_role_policy(RoleName=role, PolicyName=name), _ABSENT)

    @staticmethod
    def _put(call: Call, role: str, name: str, inputs: Inputs) -> None:
        call.client("iam").put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=inputs["policy"])


class RolePolicyAttachment(Resource):
    """It has no id on AWS; the real provider makes one up. An import names `ROLE/POLICY_ARN`."""

    token = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
    missing = frozenset({_ABSENT})
    delete_before_replace = True

    def create(self, call: Call, inputs: Inputs) -> str:
        call.client("iam").attach_role_policy(RoleName=inputs["role"], PolicyArn=inputs["policyArn"])
        return f"{inputs['role']}-{uuid.uuid4().hex}"

    def read(self, call: Call, resource_id: str, state: State) -> Mapping[str, Any] | None:
        role, arn = state.get("role"), state.get("policyArn")
        if not role or not arn:
            role, _, arn = resource_id.partition("/")
            resource_id = f"{role}-{arn}"
        iam = call.client("iam")
        pages = iam.get_paginator("list_attached_role_policies").paginate(RoleName=role)
        if not any(policy["PolicyArn"] == arn for page in pages for policy in page["AttachedPolicies"]):
            return None
        return {"id": resource_id, "policyArn": arn, "role": role}

    def update(
        self, call: Call, resource_id: str, old: State, new: Inputs, changed: frozenset[str]
    ) -> str | None:
        return None

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        unless_absent(
            lambda: call.client("iam").detach_role_policy(
                RoleName=state["role"], PolicyArn=state["policyArn"]
            ),
            _ABSENT,
        )


RESOURCES: tuple[Resource, ...] = (
    Role(),
    RolePolicy(),
    RolePolicyAttachment(),
)
