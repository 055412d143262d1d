"""What holds for every type: arguments, names, differences, previews, secrets, errors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import any_pb2
from pulumi.runtime.proto import provider_pb2, status_pb2

from local.plugins.aws import VERSION, schema
from local.plugins.common.values import UNKNOWN
from tests.local.plugins.aws.case import Aws
from tests.local.plugins.aws.plugin import Plugin, RefusedError

TOPIC = "aws:sns/topic:Topic"
VPC = "aws:ec2/vpc:Vpc"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
SERVICE = "aws:ecs/service:Service"
RULE = "aws:cloudwatch/eventRule:EventRule"
ROLE = "aws:iam/role:Role"


# --- arguments


def test_an_unknown_argument_is_refused_with_the_one_that_was_meant(shared_plugin: Plugin) -> None:
    failures = shared_plugin.check(LOG_GROUP, {"retentionInDay": 30}).failures
    assert failures == {
        "retentionInDay": f"`retentionInDay` is no argument of {LOG_GROUP}; did you mean `retentionInDays`?"
    }


@pytest.mark.parametrize(
    ("argument", "value", "kind"),
    [
        ("desiredCount", "two", "an integer"),
        ("desiredCount", 1.5, "an integer"),
        ("waitForSteadyState", "yes", "a boolean"),
        ("loadBalancers", {"containerName": "web"}, "a list"),
        ("networkConfiguration", ["subnet-1"], "an object"),
        ("launchType", {}, "a string"),
        ("tags", "team", "a map"),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused_without_showing_it(
    shared_plugin: Plugin, argument: str, value: Any, kind: str
) -> None:
    (reason,) = shared_plugin.check(SERVICE, {argument: value}).failures.values()
    assert f"`{argument}` of {SERVICE} must be {kind}" in reason
    assert str(value) not in reason or not isinstance(value, str)


def test_a_value_that_says_the_same_in_another_kind_is_converted(shared_plugin: Plugin) -> None:
    inputs = shared_plugin.check(
        SERVICE, {"desiredCount": "2", "waitForSteadyState": "true", "name": 7}
    ).inputs
    assert (inputs["desiredCount"], inputs["waitForSteadyState"], inputs["name"]) == (2, True, "7")


def test_unknown_arguments_pass_and_stay_unknown(shared_plugin: Plugin) -> None:
    checked = shared_plugin.check(
        SERVICE, {"desiredCount": UNKNOWN, "networkConfiguration": {"subnets": UNKNOWN}}
    )
    assert checked.failures == {}
    assert checked.inputs["desiredCount"] is UNKNOWN
    assert checked.inputs["networkConfiguration"] == {"subnets": UNKNOWN}


def test_a_policy_given_as_an_object_becomes_the_text_of_the_real_provider(shared_plugin: Plugin) -> None:
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "a:B", "Resource": "<&>"}]}
    inputs = shared_plugin.check(ROLE, {"assumeRolePolicy": policy}).inputs
    assert inputs["assumeRolePolicy"] == (
        '{"Statement":[{"Action":"a:B","Effect":"Allow","Resource":"\\u003c\\u0026\\u003e"}],"Version":"2012-10-17"}'
    )


def test_a_policy_with_something_unknown_inside_is_unknown_as_a_whole(shared_plugin: Plugin) -> None:
    policy = {"Version": "2012-10-17", "Statement": [{"Resource": UNKNOWN}]}
    assert shared_plugin.check(ROLE, {"assumeRolePolicy": policy}).inputs["assumeRolePolicy"] is UNKNOWN


def test_a_damaged_schema_cache_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FILEFLOW_CACHE_DIR", str(tmp_path))
    schema._cached.cache_clear()
    first = schema.of_resource(TOPIC)
    (stored,) = tmp_path.rglob("*.json")
    stored.write_text(stored.read_text()[:100])
    schema._cached.cache_clear()
    assert schema.of_resource(TOPIC) == first
    schema._cached.cache_clear()
    assert schema.of_resource(TOPIC) == first
    json.loads(stored.read_text())


def test_a_cache_that_cannot_be_written_costs_nothing_but_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("FILEFLOW_CACHE_DIR", str(tmp_path / "file"))
    schema._cached.cache_clear()
    assert "displayName" in schema.of_resource(TOPIC).inputs


# --- names


def test_a_generated_name_is_stable_for_a_seed_and_kept_from_then_on(shared_plugin: Plugin) -> None:
    first = shared_plugin.check(TOPIC, {}, name="alerts").inputs
    assert first["name"] == shared_plugin.check(TOPIC, {}, name="alerts").inputs["name"]
    prefix, _, digits = first["name"].rpartition("-")
    assert (prefix, len(digits)) == ("alerts", 7)
    assert int(digits, 16) >= 0
    kept = shared_plugin.check(TOPIC, {}, old={**first, "name": "alerts-0000000"}, name="alerts").inputs
    assert kept["name"] == "alerts-0000000"


def test_a_name_that_the_program_gave_up_is_generated_anew(shared_plugin: Plugin) -> None:
    old = shared_plugin.check(TOPIC, {"name": "fixed"}).inputs
    assert shared_plugin.check(TOPIC, {}, old=old, name="alerts").inputs["name"].startswith("alerts-")


def test_a_generated_name_that_is_too_long_is_refused(shared_plugin: Plugin) -> None:
    failures = shared_plugin.check(RULE, {"scheduleExpression": "rate(1 day)"}, name="x" * 60).failures
    assert list(failures) == ["name"]
    assert "68 characters, at most 64" in failures["name"]


@pytest.mark.parametrize(
    ("mode", "name"), [("PROPOSE", "alerts-prod"), ("ENFORCE", "alerts-prod"), ("DISABLE", None)]
)
def test_the_engines_naming_is_honoured(shared_plugin: Plugin, mode: str, name: str | None) -> None:
    options = provider_pb2.CheckRequest.AutonamingOptions(
        proposed_name="alerts-prod", mode=provider_pb2.CheckRequest.AutonamingOptions.Mode.Value(mode)
    )
    checked = shared_plugin.check(TOPIC, {}, autonaming=options)
    if name is None:
        assert checked.failures == {"name": "automatic naming is disabled: give `name`"}
    else:
        assert checked.inputs["name"] == name


# --- tags


@pytest.mark.usefixtures("aws")
def test_default_tags_join_the_tags_of_every_resource() -> None:
    plugin = Plugin({"defaultTags": {"tags": {"team": "platform", "env": "local"}}})
    inputs = plugin.check(LOG_GROUP, {"tags": {"env": "test"}}).inputs
    assert inputs["tags"] == {"team": "platform", "env": "test"}
    created = plugin.create(LOG_GROUP, inputs)
    assert created["tags"] == created["tagsAll"] == inputs["tags"]


# --- differences and previews


def test_an_ignored_path_is_no_difference(plugin: Plugin) -> None:
    old = plugin.check(LOG_GROUP, {"retentionInDays": 7, "tags": {"a": "1", "b": "1"}}).inputs
    state = plugin.create(LOG_GROUP, old)
    new = {**old, "retentionInDays": 30, "tags": {"a": "2", "b": "2"}}
    found = plugin.diff(LOG_GROUP, state, old, new, ignore=["retentionInDays", "tags.a"])
    assert found.changes == {"tags.b": "update"}
    assert plugin.diff(LOG_GROUP, state, old, new, ignore=["*"]).changes == {}


def test_an_unknown_value_is_a_difference(plugin: Plugin) -> None:
    old = plugin.check(LOG_GROUP, {"name": "/a", "retentionInDays": 7}).inputs
    state = plugin.create(LOG_GROUP, old)
    found = plugin.diff(LOG_GROUP, state, old, {**old, "name": UNKNOWN, "retentionInDays": UNKNOWN})
    assert found.changes == {"name": "update", "retentionInDays": "update"}
    assert found.replaces == ["name"]


def test_only_a_fixed_name_has_the_old_resource_deleted_first(plugin: Plugin) -> None:
    for arguments, first in (({"name": "fixed"}, True), ({}, False)):
        old = plugin.check(TOPIC, arguments).inputs
        state = plugin.create(TOPIC, old)
        found = plugin.diff(TOPIC, state, old, {**old, "fifoTopic": True})
        assert (found.replaces, found.delete_before_replace) == (["fifoTopic"], first)


def test_an_argument_left_out_again_is_a_difference_unless_aws_decides_it(plugin: Plugin) -> None:
    given = {"assignGeneratedIpv6CidrBlock": False, "enableDnsHostnames": True, "tags": {"a": "b"}}
    old = plugin.check(VPC, {"cidrBlock": "10.0.0.0/16", **given}).inputs
    state = plugin.create(VPC, old)
    new = plugin.check(VPC, {"cidrBlock": "10.0.0.0/16"}, old=old).inputs
    assert plugin.diff(VPC, state, old, new).changes == {"tags.a": "delete"}


def test_a_preview_knows_what_the_arguments_tell_and_nothing_more(plugin: Plugin) -> None:
    inputs = plugin.check(LOG_GROUP, {"name": "/a", "retentionInDays": 7}).inputs
    planned = plugin.create(LOG_GROUP, inputs, preview=True)
    assert planned["arn"] is UNKNOWN
    assert (planned["name"], planned["retentionInDays"], planned["kmsKeyId"]) == ("/a", 7, None)
    state = plugin.create(LOG_GROUP, inputs)
    planned = plugin.update(LOG_GROUP, state, inputs, {**inputs, "retentionInDays": 30}, preview=True)
    assert (planned["arn"], planned["retentionInDays"]) == (state["arn"], 30)
    assert plugin.read(LOG_GROUP, "/a", state, inputs) == (state, inputs)


# --- secrets


def test_secret_arguments_stay_secret_where_they_are(shared_plugin: Plugin) -> None:
    checked = shared_plugin.check(
        TOPIC, {"displayName": "x", "tags": {"a": "1", "b": "2"}}, secrets=[("displayName",), ("tags", "a")]
    )
    assert checked.secrets == {("displayName",), ("tags", "a")}


def test_a_secret_inside_an_object_makes_its_document_secret(shared_plugin: Plugin) -> None:
    policy = {"Statement": [{"Resource": "hidden"}]}
    checked = shared_plugin.check(
        ROLE, {"assumeRolePolicy": policy}, secrets=[("assumeRolePolicy", "Statement")]
    )
    assert checked.secrets == {("assumeRolePolicy",)}


def test_outputs_of_secret_arguments_are_secret(plugin: Plugin) -> None:
    inputs = plugin.check(LOG_GROUP, {"tags": {"a": "1"}}).inputs
    outputs, secrets = plugin.create_with_secrets(LOG_GROUP, inputs, [("tags", "a")])
    assert outputs["tagsAll"] == {"a": "1"}
    assert secrets == {("tags",), ("tagsAll",)}


# --- errors


def test_a_type_that_is_not_served_is_refused_by_name(shared_plugin: Plugin) -> None:
    with pytest.raises(
        RefusedError, match="the aws stand-in has no resource type aws:lambda/function:Function"
    ):
        shared_plugin.check("aws:lambda/function:Function", {})
    with pytest.raises(
        RefusedError, match="the aws stand-in has no function aws:ec2/getSpotPrice:getSpotPrice"
    ):
        shared_plugin.invoke("aws:ec2/getSpotPrice:getSpotPrice", {})


def test_an_error_of_aws_is_one_line_that_names_resource_action_and_reason(plugin: Plugin) -> None:
    plugin.create(LOG_GROUP, plugin.check(LOG_GROUP, {"name": "/a"}).inputs)
    with pytest.raises(RefusedError) as refused:
        plugin.create(LOG_GROUP, plugin.check(LOG_GROUP, {"name": "/a"}).inputs)
    message = refused.value.message
    assert message.startswith(f"{LOG_GROUP} thing: CreateLogGroup: ResourceAlreadyExistsException: ")
    assert "\n" not in message


@pytest.mark.usefixtures("aws")
def test_an_aws_that_cannot_be_reached_is_one_error_that_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(RefusedError) as refused:
        Plugin()
    assert refused.value.message == "cannot reach the emulated AWS at http://127.0.0.1:9; run make up"


@pytest.mark.usefixtures("aws")
def test_a_stand_in_never_works_on_an_aws_that_was_not_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    with pytest.raises(RefusedError, match="works on the emulated AWS only and AWS_ENDPOINT_URL isn't set"):
        Plugin()


def test_what_fails_after_creation_is_kept_to_be_updated(plugin: Plugin) -> None:
    inputs = plugin.check(LOG_GROUP, {"name": "/half", "retentionInDays": 8}).inputs
    with pytest.raises(RefusedError) as refused:
        plugin.create(LOG_GROUP, inputs)  # CloudWatch knows no retention of 8 days
    status = status_pb2.Status.FromString(refused.value.details)
    failed = provider_pb2.ErrorResourceInitFailed()
    detail: any_pb2.Any = status.details[0]
    assert detail.Unpack(failed)
    assert failed.id == "/half"
    assert "PutRetentionPolicy" in failed.reasons[0]


# --- functions


def test_a_function_refuses_unknown_and_missing_arguments(shared_plugin: Plugin) -> None:
    with pytest.raises(RefusedError, match="`clustername` is no argument"):
        shared_plugin.invoke("aws:ecs/getCluster:getCluster", {"clustername": "a"})
    with pytest.raises(RefusedError, match="the required argument `clusterName` is missing"):
        shared_plugin.invoke("aws:ecs/getCluster:getCluster", {})


def test_the_surroundings_are_told(plugin: Plugin, account: str) -> None:
    assert plugin.invoke("aws:index/getRegion:getRegion", {})["region"] == "ap-northeast-2"
    assert plugin.invoke("aws:index/getCallerIdentity:getCallerIdentity", {})["accountId"] == account
    assert plugin.invoke("aws:index/getPartition:getPartition", {})["dnsSuffix"] == "amazonaws.com"
    zones = plugin.invoke("aws:index/getAvailabilityZones:getAvailabilityZones", {"state": "available"})
    assert zones["names"][:2] == ["ap-northeast-2a", "ap-northeast-2b"]
    assert len(zones["zoneIds"]) == len(zones["names"])


def test_a_resource_of_another_region_is_made_there(plugin: Plugin, aws: Aws) -> None:
    inputs = plugin.check(LOG_GROUP, {"name": "/far", "region": "us-east-1"}).inputs
    outputs = plugin.create(LOG_GROUP, inputs)
    assert (outputs["region"], outputs["arn"].split(":")[3]) == ("us-east-1", "us-east-1")
    assert aws("logs").describe_log_groups()["logGroups"] == []
    plugin.delete(LOG_GROUP, outputs)
    assert plugin.read(LOG_GROUP, "/far", outputs, inputs) is None


# --- itself


def test_the_stand_in_tells_the_version_it_stands_in_for(plugin: Plugin) -> None:
    assert plugin.provider.GetPluginInfo(None, None).version == VERSION == "7.51.1"
