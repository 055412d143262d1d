"""An alarm reaches who listens to an encrypted topic where its key lets CloudWatch in, and else nobody."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.encryption_key import EncryptionKey, EncryptionKeyArgs
from components.names import Names
from tests.local.emulator.aws import Client, heard_queue
from tests.unit import providers
from tests.unit.recorder import record
from tests.waiting import eventually

NAMES = Names(environment="prod")


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


class Topic:
    """The alarms' topic under a key, with a queue that hears it."""

    def __init__(self, client: Client, account: str, key: str) -> None:
        self._client = client
        sns, sqs = client("sns"), client("sqs")
        self.arn = sns.create_topic(Name=NAMES.alarm_topic, Attributes={"KmsMasterKeyId": key})["TopicArn"]
        statements = [
            {
                "Effect": "Allow",
                "Principal": {"Service": "cloudwatch.amazonaws.com"},
                "Action": "sns:Publish",
                "Resource": self.arn,
                "Condition": {"StringEquals": {"aws:SourceAccount": account}},
            },
            {
                "Effect": "Allow",
                "Principal": {"Service": "events.amazonaws.com"},
                "Action": "sns:Publish",
                "Resource": self.arn,
            },
        ]
        policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
        sns.set_topic_attributes(TopicArn=self.arn, AttributeName="Policy", AttributeValue=policy)
        self.queue, self.queue_arn = heard_queue(sqs)
        sns.subscribe(TopicArn=self.arn, Protocol="sqs", Endpoint=self.queue_arn)

    def heard(self) -> list[dict[str, Any]]:
        """What has arrived."""
        received = self._client("sqs").receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10)
        return [json.loads(each["Body"]) for each in received.get("Messages", [])]

    def ring(self) -> list[Any]:
        """Lets an alarm ring, and returns what those who listen were told by then."""
        cloudwatch = self._client("cloudwatch")
        cloudwatch.put_metric_alarm(
            AlarmName="fileflow-scheduler-download-two-running",
            Namespace="FileFlow",
            MetricName="Tasks",
            Statistic="Maximum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
            AlarmActions=[self.arn],
        )
        cloudwatch.set_alarm_state(
            AlarmName="fileflow-scheduler-download-two-running", StateValue="ALARM", StateReason="two"
        )
        return [json.loads(each["Message"])["AlarmName"] for each in self.heard() if "Message" in each]

    def happen(self) -> list[Any]:
        """Lets an event match a rule that tells the topic and, to know when it was handled, the queue."""
        events = self._client("events")
        events.put_rule(Name="told", EventPattern=json.dumps({"source": ["test"]}))
        targets = [{"Id": "1", "Arn": self.arn}, {"Id": "2", "Arn": self.queue_arn}]
        events.put_targets(Rule="told", Targets=targets)
        events.put_events(Entries=[{"Source": "test", "DetailType": "x", "Detail": "{}"}])
        arrived: list[dict[str, Any]] = []

        def handled() -> bool:
            arrived.extend(self.heard())
            return any("detail-type" in body for body in arrived)

        eventually(handled)
        return [body for body in arrived if "Message" in body]


def a_key(client: Client, policy: dict[str, Any]) -> str:
    """A key with a policy, by its ARN."""
    return str(client("kms").create_key(Policy=json.dumps(policy))["KeyMetadata"]["Arn"])


def test_an_alarm_and_an_event_reach_who_listens_through_the_key_that_the_stack_makes(
    client: Client, account: str
) -> None:
    topic = Topic(client, account, a_key(client, key_policy(account)))

    assert topic.ring() == ["fileflow-scheduler-download-two-running"]
    assert len(topic.happen()) == 1


def test_an_alarm_reaches_nobody_where_the_key_leaves_cloudwatch_out(client: Client, account: str) -> None:
    topic = Topic(client, account, a_key(client, without(key_policy(account), "Alarms")))

    assert topic.ring() == []
    assert len(topic.happen()) == 1


@pytest.mark.parametrize("wrong", ["left out", "conditioned"])
def test_an_event_reaches_nobody_where_the_key_leaves_eventbridge_out_or_asks_for_its_account(
    client: Client, account: str, wrong: str
) -> None:
    policy = key_policy(account)
    policy = without(policy, "Events") if wrong == "left out" else conditioned(policy, account)
    topic = Topic(client, account, a_key(client, policy))

    assert topic.happen() == []
    assert topic.ring() == ["fileflow-scheduler-download-two-running"]


def test_nobody_is_told_by_a_topic_under_awss_own_key_or_one_that_is_going(
    client: Client, account: str
) -> None:
    assert Topic(client, account, "alias/aws/sns").ring() == []

    going = a_key(client, key_policy(account))
    client("sns").delete_topic(TopicArn=f"arn:aws:sns:ap-northeast-2:{account}:{NAMES.alarm_topic}")
    client("kms").schedule_key_deletion(KeyId=going, PendingWindowInDays=30)
    assert Topic(client, account, going).ring() == []
