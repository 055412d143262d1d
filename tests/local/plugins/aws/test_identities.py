"""IAM through the stand-in, on the emulated AWS."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.local.plugins.aws.life import Life
from tests.local.plugins.aws.plugin import Plugin

Client = Callable[[str], Any]
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
EXECUTION = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"


def trust(service: str) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": service}}
    return {"Version": "2012-10-17", "Statement": [statement]}


def allow(*operations: str) -> str:
    statement = {"Effect": "Allow", "Action": list(operations), "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture
def role(plugin: Plugin) -> Life:
    return Life(plugin, "iam/role:Role", "work", assumeRolePolicy=trust("ecs-tasks.amazonaws.com"))


def test_a_role_changes_all_but_its_name_and_path_in_place(role: Life) -> None:
    role.change(assumeRolePolicy=trust("ec2.amazonaws.com"))
    assert role.change(description="what tasks may do")["description"] == "what tasks may do"
    assert role.change(maxSessionDuration=7200)["maxSessionDuration"] == 7200
    role.change(permissionsBoundary=READ_ONLY)
    assert role.change(permissionsBoundary=None)["permissionsBoundary"] == ""
    assert role.change(managedPolicyArns=[READ_ONLY])["managedPolicyArns"] == [READ_ONLY]
    role.change(managedPolicyArns=[EXECUTION])
    role.change(inlinePolicies=[{"name": "own", "policy": allow("s3:GetObject")}])
    role.change(inlinePolicies=[{"name": "other", "policy": allow("s3:PutObject")}])
    role.change(tags={"Name": "work"})
    assert role.replaced_by(path="/tasks/") == ["path"]
    role.delete()


def test_a_role_is_imported_by_its_name(role: Life) -> None:
    role.imported(unknowable=["forceDetachPolicies"])


def test_a_trust_policy_that_somebody_loosens_is_seen_and_put_back(role: Life, aws: Client) -> None:
    aws("iam").update_assume_role_policy(
        RoleName=role.id, PolicyDocument=json.dumps(trust("lambda.amazonaws.com"))
    )
    assert role.put_back() == ["assumeRolePolicy"]


def test_a_policy_that_says_the_same_in_other_words_is_no_change(role: Life, plugin: Plugin) -> None:
    spaced = json.dumps(trust("ecs-tasks.amazonaws.com"), indent=4)
    listed = spaced.replace('"sts:AssumeRole"', '["sts:AssumeRole"]')
    checked = plugin.check(role.token, {"assumeRolePolicy": listed}, old=role.inputs)
    assert plugin.diff(role.token, role.outputs, role.inputs, checked.inputs).changes == {}


def test_a_policy_of_a_role_is_its_own_resource_beside_the_role(plugin: Plugin, role: Life) -> None:
    policy = Life(plugin, "iam/rolePolicy:RolePolicy", "work", role=role.id, policy=allow("s3:GetObject"))
    attachment = Life(
        plugin, "iam/rolePolicyAttachment:RolePolicyAttachment", role=role.id, policyArn=EXECUTION
    )
    _, inputs = role.refreshed()
    assert inputs == role.inputs
    policy.change(policy=allow("s3:GetObject", "s3:PutObject"))
    assert policy.replaced_by(name="other") == ["name"]
    policy.imported(unknowable=["policy"])
    attachment.imported(f"{role.id}/{EXECUTION}", unknowable=["id"])
    for resource in (policy, attachment, role):
        resource.delete()
