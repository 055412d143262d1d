"""The cluster: Fargate by default, Container Insights on, ECS Exec sessions logged."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from components.cluster import Cluster, ClusterArgs
from components.options import Logging
from components.validation import InvalidArgumentError
from tests.unit import type_tokens as t
from tests.unit.builders import KEY_ARN, TAGS
from tests.unit.providers import ACCOUNT, REGION, arn
from tests.unit.recorder import UNKNOWN, Recorder, Recording, record

CLUSTER = "fileflow:ecs:Cluster"


def record_cluster(*, preview: bool = False, **changes: Any) -> Recording:
    """A run with one cluster."""
    args = ClusterArgs(**{"cluster_name": "fileflow-prod", "tags": TAGS, **changes})
    return record(lambda: Cluster("fileflow-prod", args), preview=preview)


def test_a_cluster_registers_exactly_these_resources() -> None:
    recording = record_cluster()

    assert recording.counts() == Counter({CLUSTER: 1, t.CLUSTER: 1, t.CAPACITY_PROVIDERS: 1, t.LOG_GROUP: 1})
    assert recording.only(t.CLUSTER).inputs == {
        "configuration": {
            "executeCommandConfiguration": {
                "logConfiguration": {"cloudWatchLogGroupName": "/aws/ecs/fileflow-prod/exec"},
                "logging": "OVERRIDE",
            }
        },
        "name": "fileflow-prod",
        "settings": [{"name": "containerInsights", "value": "enabled"}],
        "tags": TAGS,
    }


def test_a_clusters_default_is_fargate_and_never_spot() -> None:
    assert record_cluster().only(t.CAPACITY_PROVIDERS).inputs == {
        "capacityProviders": ["FARGATE", "FARGATE_SPOT"],
        "clusterName": "fileflow-prod",
        "defaultCapacityProviderStrategies": [{"base": 1, "capacityProvider": "FARGATE", "weight": 1}],
    }


@pytest.mark.parametrize("setting", ["enabled", "enhanced", "disabled"])
def test_container_insights_is_what_was_asked_for(setting: str) -> None:
    recording = record_cluster(container_insights=setting)

    assert recording.only(t.CLUSTER).inputs["settings"] == [{"name": "containerInsights", "value": setting}]


def test_sessions_are_logged_as_long_and_under_the_key_that_the_stack_says() -> None:
    recording = record_cluster(logging=Logging(retention_days=7, kms_key_arn=KEY_ARN))

    assert recording.only(t.LOG_GROUP).inputs == {
        "kmsKeyId": KEY_ARN,
        "name": "/aws/ecs/fileflow-prod/exec",
        "retentionInDays": 7,
        "tags": TAGS,
    }


def test_sessions_are_encrypted_only_where_a_service_lets_a_person_in() -> None:
    assert record_cluster(execute_command=False).of_type(t.KEY) == []

    recording = record_cluster(execute_command=True)
    key = arn("kms", "key/fileflow-prod-exec")
    configuration = recording.only(t.CLUSTER).inputs["configuration"]
    assert configuration["executeCommandConfiguration"] == {
        "kmsKeyId": key,
        "logConfiguration": {
            "cloudWatchEncryptionEnabled": True,
            "cloudWatchLogGroupName": "/aws/ecs/fileflow-prod/exec",
        },
        "logging": "OVERRIDE",
    }
    assert recording.only(t.LOG_GROUP).inputs["kmsKeyId"] == key
    assert recording.registered_outputs[recording.only(CLUSTER).urn]["session_key_arn"] == key


def test_the_key_of_sessions_rotates_and_serves_the_account_and_this_one_log() -> None:
    key = record_cluster(execute_command=True).only(t.KEY)

    policy = key.json("policy")
    assert {name: value for name, value in key.inputs.items() if name != "policy"} == {
        "description": "Sessions of ECS Exec in fileflow-prod",
        "enableKeyRotation": True,
        "tags": TAGS,
    }
    account, log = policy["Statement"]
    assert account["Principal"] == {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    assert log["Principal"] == {"Service": f"logs.{REGION}.amazonaws.com"}
    assert log["Condition"] == {
        "ArnEquals": {
            "kms:EncryptionContext:aws:logs:arn": arn("logs", "log-group:/aws/ecs/fileflow-prod/exec")
        }
    }


def test_the_key_of_sessions_stays_when_nobody_is_let_in_any_more_unless_the_stack_says_otherwise() -> None:
    assert record_cluster(execute_command=True).only(t.KEY).retain_on_delete
    going = record_cluster(execute_command=True, retain_session_key_on_delete=False)
    assert not going.only(t.KEY).retain_on_delete


def test_a_former_key_of_sessions_is_in_nobodys_way_since_keys_have_no_names() -> None:
    recording = record_cluster(execute_command=True)

    assert recording.of_type("aws:kms/alias:Alias") == []
    assert "name" not in recording.only(t.KEY).inputs


def test_sessions_are_kept_and_taken_over_as_the_logs_are() -> None:
    name = "/aws/ecs/fileflow-prod/exec"
    answers: dict[str, dict[str, object]] = {
        "aws:cloudwatch/getLogGroups:getLogGroups": {"logGroupNames": [name]},
        "aws:cloudwatch/getLogGroup:getLogGroup": {"tags": TAGS},
    }
    args = ClusterArgs(cluster_name="fileflow-prod", logging=Logging(retain_on_delete=True), tags=TAGS)
    kept = record(lambda: Cluster("fileflow-prod", args), recorder=Recorder(answers=answers))

    assert kept.only(t.LOG_GROUP).retain_on_delete
    assert kept.only(t.LOG_GROUP).request.importId == name
    assert not record_cluster().only(t.LOG_GROUP).retain_on_delete


def test_the_logs_own_key_encrypts_sessions_too() -> None:
    recording = record_cluster(execute_command=True, logging=Logging(kms_key_arn=KEY_ARN))

    assert recording.of_type(t.KEY) == []
    configuration = recording.only(t.CLUSTER).inputs["configuration"]
    assert configuration["executeCommandConfiguration"]["kmsKeyId"] == KEY_ARN


def test_whoever_uses_the_clusters_arn_waits_for_its_capacity_providers() -> None:
    recording = record_cluster()

    outputs = recording.registered_outputs[recording.only(CLUSTER).urn]
    assert outputs == {
        "cluster_arn": f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/fileflow-prod",
        "cluster_name": "fileflow-prod",
    }


def test_a_preview_knows_the_clusters_name_and_not_its_arn() -> None:
    recording = record_cluster(preview=True)

    outputs = recording.registered_outputs[recording.only(CLUSTER).urn]
    assert outputs == {"cluster_arn": UNKNOWN, "cluster_name": "fileflow-prod"}


@pytest.mark.parametrize(
    ("field", "value"), [("cluster_name", "with space"), ("cluster_name", ""), ("container_insights", "on")]
)
def test_a_wrong_argument_is_refused_by_name(field: str, value: str) -> None:
    change: dict[str, Any] = {field: value}
    with pytest.raises(InvalidArgumentError) as caught:
        record_cluster(**change)

    assert (caught.value.field, caught.value.value) == (field, value)
