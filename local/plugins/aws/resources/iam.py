"""IAM: roles, the policies in them and the ones attached to them.

Doesn't own the policies that a role lists itself: a role that asks for one is refused.
Sources of what replaces and of the defaults: `ForceNew` and `Default` in role.go, role_policy.go and
role_policy_attachment.go of
https://github.com/hashicorp/terraform-provider-aws/tree/main/internal/service/iam
"""

from __future__ import annotations

from ..modelled import Ask, Modelled, Tags
from ..naming import AutoName
from ..resource import facts, names, pairs


class Role(Modelled):
    token = "aws:iam/role:Role"
    made_by = Ask("CreateRole", "Role")
    read_by = (Ask("GetRole", "Role"),)
    changed_by = (
        Ask("UpdateAssumeRolePolicy"),
        Ask("UpdateRole", only=("description", "maxSessionDuration"), whole=True),
        Ask(
            "PutRolePermissionsBoundary",
            only=("permissionsBoundary",),
            without="DeleteRolePermissionsBoundary",
        ),
    )
    deleted_by = Ask("DeleteRole")
    tags = Tags("", "TagRole", "UntagRole", of="name")
    # A principal that was made a moment ago isn't known everywhere yet, nor is a policy's end.
    passing = names("DeleteConflict MalformedPolicyDocument")
    passing_timeout_seconds = 120
    noun = "Role"
    named = pairs("""assumeRolePolicy=AssumeRolePolicyDocument|PolicyDocument tagsAll=Tags
        permissionsBoundary=PermissionsBoundary.PermissionsBoundaryArn|PermissionsBoundary uniqueId=RoleId""")
    replacing = names("name path")
    lacking = names("forceDetachPolicies inlinePolicies managedPolicyArns namePrefix")
    auto_name = AutoName(max_length=64)
    defaults = facts(forceDetachPolicies=False, maxSessionDuration=3600, path="/")
    policies = names("assumeRolePolicy")


class RolePolicy(Modelled):
    token = "aws:iam/rolePolicy:RolePolicy"
    key = "role:name"
    made_by = Ask("PutRolePolicy", whole=True)
    read_by = (Ask("GetRolePolicy"),)
    deleted_by = Ask("DeleteRolePolicy")
    noun = "Policy"
    named = pairs("policy=PolicyDocument role=RoleName")
    replacing = names("name role")
    lacking = names("namePrefix")
    auto_name = AutoName(max_length=128)
    policies = names("policy")


class RolePolicyAttachment(Modelled):
    """It has no id on AWS: the real provider makes one up, and an import another."""

    token = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
    key = "role/policyArn"
    identity = "role-policyArn"
    made_by = Ask("AttachRolePolicy")
    read_by = (Ask("ListAttachedRolePolicies", "AttachedPolicies", same=("policyArn",)),)
    deleted_by = Ask("DetachRolePolicy")
    named = pairs("role=RoleName")
    replacing = names("policyArn role")
    delete_before_replace = True
