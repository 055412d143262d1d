"""An alarm reaches who listens to an encrypted topic where its key lets CloudWatch in, and else nobody."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.encryption_key import EncryptionKey, EncryptionKeyArgs
from components.names import Names
from tests.local.emulator.aws import Client, Topic, publishing
from tests.unit import providers
from tests.unit.recorder import record

NAMES = Names(environment="prod")
ALARM = "fileflow-scheduler-download-two-running"


def key_policy(account: str) -> dict[str, Any]:
    """The policy that the component gives its key, in this account."""
    args = EncryptionKeyArgs(name=NAMES.base, topic_name=NAMES.alarm_topic, log_group_names=NAMES.log_groups)
    recording = record(lambda: EncryptionKey(NAMES.base, args))
    text = recording.only("aws:kms/key:Key").inputs["policy"].replace(providers.ACCOUNT, account)
    policy: dict[str, Any] = json.loads(text.replace(providers.REGION, "ap-northeast-2"))
    return policy


def without(policy: dict[str, Any], sid: str) -> dict[str, Any]:
    """The policy without one of its statements."""
    return {**policy, "Statement": [each for each in policy["Statement"] if each["Sid"] != sid]}


def conditioned(policy: dict[str, Any], account: str) -> dict[str, Any]:
    """The policy with the condition on its statement for EventBridge that stops every delivery."""
    statements = [
        each
        if each["Sid"] != "Events"
        else {**each, "Condition": {"StringEquals": {"aws:SourceAccount": account}}}
        for each in policy["Statement"]
    ]
    return {**policy, "Statement": statements}


class AlarmTopic(Topic):
    """The alarms' topic under a key."""

    def __init__(self, client: Client, account: str, key: str) -> None:
        of_account = {"Condition": {"StringEquals": {"aws:SourceAccount": account}}}
        statements = [publishing("cloudwatch") | of_account, publishing("events")]
        super().__init__(client, statements, NAMES.alarm_topic, KmsMasterKeyId=key)
        self._cloudwatch = client("cloudwatch")

    def ring(self) -> list[Any]:
        """Lets an alarm ring, and returns what those who listen were told by then."""
        self._cloudwatch.put_metric_alarm(
            AlarmName=ALARM,
            Namespace="FileFlow",
            MetricName="Tasks",
            Statistic="Maximum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
            AlarmActions=[self.arn],
        )
        self._cloudwatch.set_alarm_state(AlarmName=ALARM, StateValue="ALARM", StateReason="two")
        return [each["AlarmName"] for each in self.heard()]


def a_key(client: Client, policy: dict[str, Any]) -> str:
    """A key with a policy, by its ARN."""
    return str(client("kms").create_key(Policy=json.dumps(policy))["KeyMetadata"]["Arn"])


def test_an_alarm_and_an_event_reach_who_listens_through_the_key_that_the_stack_makes(
    client: Client, account: str
) -> None:
    topic = AlarmTopic(client, account, a_key(client, key_policy(account)))

    assert topic.ring() == [ALARM]
    assert len(topic.happen()) == 1


def test_an_alarm_reaches_nobody_where_the_key_leaves_cloudwatch_out(client: Client, account: str) -> None:
    topic = AlarmTopic(client, account, a_key(client, without(key_policy(account), "Alarms")))

    assert topic.ring() == []
    assert len(topic.happen()) == 1


@pytest.mark.parametrize("wrong", ["left out", "conditioned"])
def test_an_event_reaches_nobody_where_the_key_leaves_eventbridge_out_or_asks_for_its_account(
    client: Client, account: str, wrong: str
) -> None:
    policy = key_policy(account)
    policy = without(policy, "Events") if wrong == "left out" else conditioned(policy, account)
    topic = AlarmTopic(client, account, a_key(client, policy))

    assert topic.happen() == []
    assert topic.ring() == [ALARM]


def test_nobody_is_told_by_a_topic_under_awss_own_key_or_one_that_is_going(
    client: Client, account: str
) -> None:
    assert AlarmTopic(client, account, "alias/aws/sns").ring() == []

    going = a_key(client, key_policy(account))
    client("sns").delete_topic(TopicArn=f"arn:aws:sns:ap-northeast-2:{account}:{NAMES.alarm_topic}")
    client("kms").schedule_key_deletion(KeyId=going, PendingWindowInDays=30)
    assert AlarmTopic(client, account, going).ring() == []
