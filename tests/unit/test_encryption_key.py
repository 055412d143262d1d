"""The key of a stack's own: what it is, who may use it, and what it encrypts."""

from __future__ import annotations

import fnmatch
import json
from typing import Any

import pytest

from components.encryption_key import EncryptionKey, EncryptionKeyArgs
from components.names import Names
from settings import SettingsError
from tests.unit import type_tokens as t
from tests.unit.builders import KEY_ARN, TAGS
from tests.unit.providers import ACCOUNT, REGION
from tests.unit.recorder import Recorder, Recording, record
from tests.unit.stacks import parse, record_stack, stack_values

KEY = "aws:kms/key:Key"
ALIAS = "aws:kms/alias:Alias"
PROD = Names(environment="prod")
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:fileflow-prod-alarms"


def made(recorder: Recorder | None = None, **changes: Any) -> Recording:
    """A run with production's key."""
    args = EncryptionKeyArgs(
        name=PROD.base,
        topic_name=PROD.alarm_topic,
        log_group_names=PROD.log_groups,
        tags=TAGS,
        **changes,
    )
    return record(lambda: EncryptionKey(PROD.base, args), recorder=recorder)


def statements(recording: Recording) -> dict[str, Any]:
    """The key policy's statements by their names."""
    return {each["Sid"]: each for each in recording.only(KEY).json("policy")["Statement"]}


def test_the_key_rotates_has_an_alias_and_waits_thirty_days_for_its_end() -> None:
    recording = made()

    key = recording.only(KEY)
    assert {name: value for name, value in key.inputs.items() if name != "policy"} == {
        "deletionWindowInDays": 30,
        "description": "Logs, sessions, alarms and images of fileflow-prod",
        "enableKeyRotation": True,
        "tags": TAGS,
    }
    assert recording.only(ALIAS).inputs["name"] == "alias/fileflow-prod"


def test_the_key_stays_when_its_setting_goes_unless_the_stack_says_otherwise() -> None:
    assert made().only(KEY).retain_on_delete
    assert not made(retain_on_delete=False).only(KEY).retain_on_delete


def test_the_alias_goes_with_the_setting_so_that_the_next_key_can_have_it() -> None:
    assert not made().only(ALIAS).retain_on_delete


DESCRIPTION = "Logs, sessions, alarms and images of fileflow-prod"
NAME = PROD.web_api.log_group


@pytest.mark.parametrize(
    ("group", "key", "imported"),
    [
        ({"tags": TAGS, "kmsKeyId": KEY_ARN}, {"description": DESCRIPTION, "enabled": True}, "key-id"),
        ({"tags": TAGS, "kmsKeyId": KEY_ARN}, {"description": DESCRIPTION, "enabled": False}, ""),
        ({"tags": TAGS, "kmsKeyId": KEY_ARN}, {"description": "another's", "enabled": True}, ""),
        ({"tags": TAGS, "kmsKeyId": ""}, {}, ""),
        ({"tags": {}, "kmsKeyId": KEY_ARN}, {"description": DESCRIPTION, "enabled": True}, ""),
    ],
    ids=["kept", "on its way out", "another's", "no key", "another's group"],
)
def test_the_key_of_kept_logs_comes_back_with_them(
    group: dict[str, object], key: dict[str, object], imported: str
) -> None:
    answers: dict[str, dict[str, object]] = {
        "aws:cloudwatch/getLogGroups:getLogGroups": {"logGroupNames": [NAME]},
        "aws:cloudwatch/getLogGroup:getLogGroup": group,
        "aws:kms/getKey:getKey": {"id": "key-id", **key},
    }
    found = made(Recorder(answers=answers), kept_log_group_name=NAME).only(KEY)

    assert found.request.importId == imported
    # What KMS doesn't say of a key that is imported.
    assert set(found.ignore_changes) == {"bypassPolicyLockoutSafetyCheck", "deletionWindowInDays"}


def test_where_no_log_group_stays_nothing_is_asked_about_former_keys() -> None:
    assert [each.token for each in made().invokes if "kms" in each.token or "LogGroup" in each.token] == []


@pytest.mark.parametrize("retained", [True, False])
def test_every_log_group_of_a_stack_stays_or_goes_as_the_stack_says(retained: bool) -> None:
    values = stack_values("prod")
    values["logging"]["retain_on_delete"] = retained
    groups = record_stack("prod", values=values).of_type(t.LOG_GROUP)

    assert len(groups) == 6
    assert {each.retain_on_delete for each in groups} == {retained}


def test_the_account_and_three_services_may_use_the_key_and_nobody_else() -> None:
    found = statements(made())

    assert {sid: each["Principal"] for sid, each in found.items()} == {
        "Account": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
        "Logs": {"Service": f"logs.{REGION}.amazonaws.com"},
        "Alarms": {"Service": "cloudwatch.amazonaws.com"},
        "Events": {"Service": "events.amazonaws.com"},
    }
    assert found["Alarms"]["Action"] == found["Events"]["Action"] == ["kms:Decrypt", "kms:GenerateDataKey*"]
    assert found["Alarms"]["Condition"] == {
        "ArnLike": {"aws:SourceArn": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:*"},
        "StringEquals": {
            "aws:SourceAccount": ACCOUNT,
            "kms:EncryptionContext:aws:sns:topicArn": TOPIC,
        },
    }


def test_eventbridge_is_held_to_the_topic_and_by_no_condition_that_stops_its_delivery() -> None:
    assert statements(made())["Events"]["Condition"] == {
        "StringEquals": {"kms:EncryptionContext:aws:sns:topicArn": TOPIC}
    }


def test_the_logs_service_may_use_the_key_for_every_log_group_of_the_stack_and_no_others() -> None:
    context = "kms:EncryptionContext:aws:logs:arn"
    patterns = statements(made())["Logs"]["Condition"]["ArnLike"][context]
    recording = record_stack("prod")

    def covered(name: str) -> bool:
        arn = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{name}"
        return any(fnmatch.fnmatchcase(arn, pattern) for pattern in patterns)

    names = [each.inputs["name"] for each in recording.of_type(t.LOG_GROUP)]
    assert len(names) == 6
    assert [name for name in names if not covered(name)] == []
    assert not covered("/aws/ecs/dev/fileflow")
    assert not covered("/aws/lambda/other")
    key_arn = recording.registered_outputs[recording.only("fileflow:kms:EncryptionKey").urn]["key_arn"]
    assert {each.inputs["kmsKeyId"] for each in recording.of_type(t.LOG_GROUP)} == {key_arn}
    assert recording.only(t.TOPIC).inputs["kmsMasterKeyId"] == key_arn
    [encryption] = recording.only(t.ECR_REPOSITORY).inputs["encryptionConfigurations"]
    assert encryption == {"encryptionType": "KMS", "kmsKey": key_arn}


def test_an_existing_key_encrypts_the_same_and_none_is_made() -> None:
    values = {**stack_values("dev"), "encryption": {"kms_key_arn": KEY_ARN}}
    recording = record_stack("dev", values=values)

    assert recording.of_type(KEY) == []
    assert {each.inputs["kmsKeyId"] for each in recording.of_type(t.LOG_GROUP)} == {KEY_ARN}
    assert recording.only(t.TOPIC).inputs["kmsMasterKeyId"] == KEY_ARN


def test_images_take_no_key_that_goes_since_their_repository_would_keep_it() -> None:
    values = {**stack_values("dev"), "encryption": {"create": True, "retain_on_delete": False}}
    recording = record_stack("dev", values=values)

    assert "encryptionConfigurations" not in recording.only(t.ECR_REPOSITORY).inputs
    assert "kmsMasterKeyId" in recording.only(t.TOPIC).inputs


def test_without_the_setting_nothing_names_a_key() -> None:
    recording = record_stack("dev")

    assert recording.of_type(KEY) == []
    assert KEY_ARN not in json.dumps(recording.custom_inputs(), default=str)
    assert "kmsMasterKeyId" not in recording.only(t.TOPIC).inputs
    assert all("kmsKeyId" not in each.inputs for each in recording.of_type(t.LOG_GROUP))


@pytest.mark.parametrize(
    ("encryption", "key"),
    [
        ({"create": True, "kms_key_arn": KEY_ARN}, "encryption.kms_key_arn"),
        ({"kms_key_arn": "alias/aws/sns"}, "encryption.kms_key_arn"),
    ],
)
def test_two_keys_and_an_alias_are_refused(encryption: dict[str, Any], key: str) -> None:
    with pytest.raises(SettingsError, match=key):
        parse("dev", {**stack_values("dev"), "encryption": encryption})
