"""Where the table of an auditor's checks says that a component makes a wrong impossible, it does.

`HELD` looks at whole stacks, as they are committed and as they may be: each function yields the name of a
resource and whether it is right.
"""

from __future__ import annotations

import functools
import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from tests.unit import type_tokens as t
from tests.unit.builders import SECRET_ARN
from tests.unit.providers import ACCOUNT
from tests.unit.recorder import Recorded, Recording
from tests.unit.stacks import record_stack, stack_values
from tools import compliance

Judged = Iterator[tuple[str, bool]]

TESTED_ELSEWHERE: Final = {
    "vpc_subnet_no_public_ip_by_default": (
        "test_network.py",
        "test_public_subnets_give_out_no_addresses_and_nothing_else_of_them_changes",
    ),
}
"""What only awsx's children show."""
CREDENTIALS: Final = {"DB_PASSWORD": SECRET_ARN}


@functools.cache
def recordings() -> Mapping[str, Recording]:
    """Production and staging as committed, and with secrets, ECS Exec and a web ACL that blocks."""
    values = stack_values("prod")
    values["web_api"]["secrets"] = CREDENTIALS
    values["web_api"]["execute_command"] = True
    values["web_api"]["load_balancer"]["web_acl"] = {"action": "block"}
    values["web_api"]["load_balancer"]["source_cidr_blocks"] = ["203.0.113.0/24", "198.51.100.0/24"]
    return {
        "prod": record_stack("prod"),
        "staging": record_stack("staging"),
        "prod, with more": record_stack("prod", values=values),
    }


def every(kind: str, holds: Callable[[Recorded], bool]) -> Callable[[Recording], Judged]:
    """Judges each resource of a type by itself."""

    def judged(recording: Recording) -> Judged:
        for each in recording.of_type(kind):
            yield each.name, holds(each)

    return judged


def beside(kind: str, other: str, holds: Callable[[Recorded], bool]) -> Callable[[Recording], Judged]:
    """Judges each resource of a type by what another one says, which depends on it or is its child."""

    def judged(recording: Recording) -> Judged:
        for each in recording.of_type(kind):
            found = [one for one in recording.of_type(other) if each.urn in {one.parent, *one.dependencies}]
            yield each.name, bool(found) and all(holds(one) for one in found)

    return judged


def none(kind: str) -> Callable[[Recording], Judged]:
    """The program makes none of a type."""

    def judged(recording: Recording) -> Judged:
        yield kind, not [each for each in recording.own if each.type == kind]

    return judged


def containers(holds: Callable[[Mapping[str, Any]], bool]) -> Callable[[Recording], Judged]:
    """Judges each container."""

    def judged(recording: Recording) -> Judged:
        for each in recording.of_type(t.TASK_DEFINITION):
            for container in each.json("containerDefinitions"):
                yield f"{each.name}: {container['name']}", holds(container)

    return judged


def has_no_secret_in_plain_text(container: Mapping[str, Any]) -> bool:
    """Whether a secret's name is among the references alone."""
    plain = {each["name"] for each in container.get("environment", ())}
    named = {each["name"]: each["valueFrom"] for each in container.get("secrets", ())}
    return not plain & set(CREDENTIALS) and all(each.startswith("arn:") for each in named.values())


def groups_in_use(recording: Recording) -> Judged:
    """Each security group is a service's or a load balancer's."""
    users = [*recording.of_type(t.SERVICE), *recording.of_type(t.LOAD_BALANCER)]
    for group in recording.of_type(t.SECURITY_GROUP):
        yield group.name, any(group.urn in each.dependencies for each in users)


def ports_of_groups(recording: Recording) -> Judged:
    """Each group opens few ports: AWS counts one permission for a port, whatever the ranges."""
    for group in recording.of_type(t.SECURITY_GROUP):
        rules = [each.inputs for each in recording.of_type(t.INGRESS) if group.urn in each.dependencies]
        opened = {(each["ipProtocol"], each.get("fromPort"), each.get("toPort")) for each in rules}
        yield group.name, len(opened) <= 10


def ways_into_tasks(recording: Recording) -> Judged:
    """Nobody but the VPC and other groups reaches a task."""
    for group in recording.of_type(t.SECURITY_GROUP):
        if group.name.endswith("-tasks"):
            for each in recording.of_type(t.INGRESS):
                if each.inputs["securityGroupId"] == f"sg-{group.name}":
                    source = each.inputs.get("cidrIpv4") or ""
                    yield each.name, not source or source.startswith("10.")


def ways_into_the_load_balancer(recording: Recording) -> Judged:
    """It is reached on the two ports of the web."""
    for group in recording.of_type(t.SECURITY_GROUP):
        if group.name.endswith("-load-balancer"):
            for each in recording.of_type(t.INGRESS):
                if each.inputs["securityGroupId"] == f"sg-{group.name}":
                    yield each.name, each.inputs["fromPort"] == each.inputs["toPort"] in (80, 443)


def statements(resource: Recorded, effect: str = "Allow") -> list[dict[str, Any]]:
    """The statements of a resource's policy that allow, or that deny."""
    return [each for each in resource.json("policy")["Statement"] if each["Effect"] == effect]


def lets_in_services_and(resource: Recorded, *accounts: str) -> bool:
    """Whether only services of AWS, and these accounts, are let in."""
    return all(
        each["Principal"] != "*"
        and (set(each["Principal"]) == {"Service"} or each["Principal"].get("AWS") in accounts)
        for each in statements(resource)
    )


def denies_plain_http(policy: Recorded) -> bool:
    """Whether whatever comes without TLS is denied."""
    return any(
        each["Condition"] == {"Bool": {"aws:SecureTransport": "false"}} and each["Principal"] == "*"
        for each in statements(policy, "Deny")
    )


def has_managed_groups(acl: Recorded) -> bool:
    """Whether AWS's own rules are among them."""
    groups = [each["statement"].get("managedRuleGroupStatement") for each in acl.inputs["rules"]]
    return len([each for each in groups if each and each["vendorName"] == "AWS"]) == 2


BLOCK = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
ENCRYPTED = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
VERSIONS = "aws:s3/bucketVersioning:BucketVersioning"
LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
WEB_ACL = "aws:wafv2/webAcl:WebAcl"
ACL_LOG = "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"

is_private = beside(
    t.BUCKET,
    BLOCK,
    lambda block: all(
        block.inputs[each]
        for each in ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
    ),
)
one_writer = beside(
    t.BUCKET,
    t.BUCKET_POLICY,
    lambda policy: (
        [each["Principal"] for each in statements(policy)]
        == [{"Service": "logdelivery.elasticloadbalancing.amazonaws.com"}]
    ),
)

HELD: Mapping[str, Callable[[Recording], Judged]] = {
    "cloudwatch_log_group_no_secrets_in_logs": containers(has_no_secret_in_plain_text),
    "cloudwatch_log_group_not_publicly_accessible": none(
        "aws:cloudwatch/logResourcePolicy:LogResourcePolicy"
    ),
    "ec2_securitygroup_allow_wide_open_public_ipv4": ways_into_tasks,
    "ec2_securitygroup_from_launch_wizard": every(
        t.SECURITY_GROUP,
        lambda group: (
            not group.name.startswith("launch-wizard")
            and not group.inputs["description"].startswith("launch-wizard")
        ),
    ),
    "ec2_securitygroup_not_used": groups_in_use,
    "ec2_securitygroup_with_many_ingress_egress_rules": ports_of_groups,
    "ec2_elastic_ip_unassigned": none("aws:ec2/eip:Eip"),
    "ecs_task_definitions_logging_block_mode": containers(
        lambda container: container["logConfiguration"]["options"]["mode"] == "non-blocking"
    ),
    "elbv2_internet_facing": ways_into_the_load_balancer,
    "elbv2_listeners_underneath": beside(
        t.LOAD_BALANCER, t.LISTENER, lambda each: each.inputs["port"] in (80, 443)
    ),
    "kms_cmk_are_used": every(t.KEY, lambda key: key.inputs.get("isEnabled", True)),
    "kms_cmk_not_deleted_unintentionally": every(
        t.KEY, lambda key: key.retain_on_delete and key.inputs["deletionWindowInDays"] == 30
    ),
    "kms_cmk_rotation_enabled": every(t.KEY, lambda key: key.inputs["enableKeyRotation"]),
    "kms_key_not_publicly_accessible": every(t.KEY, lambda key: lets_in_services_and(key, ROOT)),
    "s3_bucket_acl_prohibited": every(t.BUCKET, lambda bucket: not {"acl", "grants"} & set(bucket.inputs)),
    "s3_bucket_cross_account_access": one_writer,
    "s3_bucket_default_encryption": beside(
        t.BUCKET,
        ENCRYPTED,
        lambda each: (
            each.inputs["rules"] == [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}]
        ),
    ),
    "s3_bucket_level_public_access_block": is_private,
    "s3_bucket_lifecycle_enabled": beside(
        t.BUCKET, LIFECYCLE, lambda each: {rule["status"] for rule in each.inputs["rules"]} == {"Enabled"}
    ),
    "s3_bucket_object_versioning": beside(
        t.BUCKET, VERSIONS, lambda each: each.inputs["versioningConfiguration"]["status"] == "Enabled"
    ),
    "s3_bucket_policy_public_write_access": one_writer,
    "s3_bucket_public_access": is_private,
    "s3_bucket_public_list_acl": is_private,
    "s3_bucket_public_write_acl": is_private,
    "s3_bucket_secure_transport_policy": beside(t.BUCKET, t.BUCKET_POLICY, denies_plain_http),
    "sns_topics_not_publicly_accessible": beside(t.TOPIC, t.TOPIC_POLICY, lets_in_services_and),
    "vpc_subnet_different_az": every(t.VPC, lambda vpc: vpc.inputs["numberOfAvailabilityZones"] >= 2),
    "vpc_subnet_separate_private_public": every(
        t.VPC, lambda vpc: {each["type"] for each in vpc.inputs["subnetSpecs"]} == {"Private", "Public"}
    ),
    "wafv2_webacl_logging_enabled": beside(
        WEB_ACL, ACL_LOG, lambda each: len(each.inputs["logDestinationConfigs"]) == 1
    ),
    "wafv2_webacl_managed_rule_groups_enabled": every(WEB_ACL, has_managed_groups),
    "wafv2_webacl_rule_logging_enabled": every(
        WEB_ACL,
        lambda acl: all(each["visibilityConfig"]["cloudwatchMetricsEnabled"] for each in acl.inputs["rules"]),
    ),
    "wafv2_webacl_with_rules": every(WEB_ACL, lambda acl: len(acl.inputs["rules"]) == 3),
}


@pytest.mark.parametrize("check", HELD)
def test_a_component_makes_the_wrong_impossible(check: str) -> None:
    judged = [
        (f"{stack}: {name}", right)
        for stack, recording in recordings().items()
        for name, right in HELD[check](recording)
    ]

    assert {
        stack for stack in recordings() if any(name.startswith(f"{stack}: ") for name, _ in judged)
    } == set(recordings())
    assert [name for name, right in judged if not right] == []


def test_each_check_that_a_component_holds_is_tested() -> None:
    held = {name for name, check in compliance.checks().items() if "component" in check}

    assert held == set(HELD) | set(TESTED_ELSEWHERE)
    for file, name in TESTED_ELSEWHERE.values():
        assert f"def {name}(" in (Path(__file__).parent / file).read_text(encoding="utf-8")


def test_what_is_asked_of_policies_is_no_empty_question() -> None:
    kinds = (t.KEY, t.BUCKET_POLICY, t.TOPIC_POLICY)
    for recording, kind in itertools.product(recordings().values(), kinds):
        for each in recording.of_type(kind):
            assert statements(each), json.dumps(each.inputs["policy"])
