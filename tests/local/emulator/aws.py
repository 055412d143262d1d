"""What several tests of the emulated AWS share."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.waiting import eventually

REGION = "ap-northeast-2"
Client = Callable[..., Any]


def refusal(call: Any, *arguments: Any, **options: Any) -> tuple[str, str]:
    """Calls, expects that AWS refuses, and returns the error's code and message."""
    with pytest.raises(ClientError) as raised:
        call(*arguments, **options)
    error = raised.value.response["Error"]
    return error["Code"], error["Message"]


def heard_queue(sqs: Any, name: str = "heard") -> tuple[str, str]:
    """A queue that hears what it is subscribed to: its URL and its ARN."""
    url: str = sqs.create_queue(QueueName=name)["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    return url, attributes["QueueArn"]


def publishing(service: str) -> dict[str, Any]:
    """A topic's statement that lets a service of AWS publish."""
    principal = {"Service": f"{service}.amazonaws.com"}
    return {"Effect": "Allow", "Principal": principal, "Action": "sns:Publish", "Resource": "TOPIC"}


class Topic:
    """A topic with a policy of these statements, and a queue that hears what arrives."""

    def __init__(
        self, client: Client, statements: list[dict[str, Any]], name: str = "alarms", **attributes: str
    ) -> None:
        self._sqs, self._events, sns = client("sqs"), client("events"), client("sns")
        self.arn: str = sns.create_topic(Name=name, Attributes=attributes)["TopicArn"]
        policy = json.dumps({"Version": "2012-10-17", "Statement": statements}).replace("TOPIC", self.arn)
        sns.set_topic_attributes(TopicArn=self.arn, AttributeName="Policy", AttributeValue=policy)
        self._queue, self._queue_arn = heard_queue(self._sqs)
        sns.subscribe(TopicArn=self.arn, Protocol="sqs", Endpoint=self._queue_arn)

    def _bodies(self) -> list[dict[str, Any]]:
        received = self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10)
        messages = received.get("Messages", [])
        for each in messages:
            self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=each["ReceiptHandle"])
        return [json.loads(each["Body"]) for each in messages]

    def heard(self) -> list[dict[str, Any]]:
        """What came by the topic since the last time."""
        return [json.loads(body["Message"]) for body in self._bodies() if "Message" in body]

    def happen(self) -> list[dict[str, Any]]:
        """Lets an event match a rule that tells the topic, and returns what came by it once that was handled.

        The queue itself is a target too: what it gets by that way tells that the event has been handled.
        """
        self._events.put_rule(Name="told", EventPattern=json.dumps({"source": ["test"]}))
        targets = [{"Id": "1", "Arn": self.arn}, {"Id": "2", "Arn": self._queue_arn}]
        self._events.put_targets(Rule="told", Targets=targets)
        entry = {"Source": "test", "DetailType": "an event", "Detail": json.dumps({"number": 1})}
        assert self._events.put_events(Entries=[entry])["FailedEntryCount"] == 0
        arrived: list[dict[str, Any]] = []

        def handled() -> bool:
            arrived.extend(self._bodies())
            return any("detail-type" in body for body in arrived)

        eventually(handled)
        return [json.loads(body["Message"]) for body in arrived if "Message" in body]


def assert_contains(got: Any, sent: Any, path: str = "") -> None:
    """Asserts that everything that was sent came back; more may have come."""
    if isinstance(sent, dict):
        for key, value in sent.items():
            assert key in got, f"{path}.{key} is lost"
            assert_contains(got[key], value, f"{path}.{key}")
    elif isinstance(sent, list):
        assert len(got) == len(sent), f"{path}: {sent} came back as {got}"
        for index, value in enumerate(sent):
            assert_contains(got[index], value, f"{path}[{index}]")
    else:
        assert got == sent, path


def network(ec2: Any, region: str = REGION) -> tuple[str, list[str], str]:
    """A VPC with subnets in two zones and a security group."""
    vpc: str = ec2.create_vpc(CidrBlock="10.20.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.20.{index}.0/24", AvailabilityZone=f"{region}{zone}")[
            "Subnet"
        ]["SubnetId"]
        for index, zone in enumerate("ac")
    ]
    group: str = ec2.create_security_group(GroupName="front", Description="front", VpcId=vpc)["GroupId"]
    return vpc, subnets, group
