"""Events on the emulated AWS, from a rule to those who listen to its topic."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.alarm_topic import TOLD_EVENTS
from tests.local.emulator.aws import Client, heard_queue
from tests.local.emulator.ecs_world import LOG_GROUP, STOP_BEFORE_START, World
from tests.waiting import eventually

STATEMENT = {
    "Effect": "Allow",
    "Principal": {"Service": "events.amazonaws.com"},
    "Action": "sns:Publish",
    "Resource": "TOPIC",
}
CONDITION = {"Condition": {"StringEquals": {"aws:SourceAccount": "ACCOUNT"}}}
OF_CLOUDWATCH = STATEMENT | CONDITION | {"Principal": {"Service": "cloudwatch.amazonaws.com"}}


class Told:
    """A topic with a policy that a rule publishes to, and a queue that hears what arrives."""

    def __init__(self, client: Client, account: str, statements: list[dict[str, Any]]) -> None:
        self._sqs, self._events = client("sqs"), client("events")
        sns = client("sns")
        topic = sns.create_topic(Name="alarms")["TopicArn"]
        policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
        policy = policy.replace("TOPIC", topic).replace("ACCOUNT", account)
        sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)
        self._queue, queue_arn = heard_queue(self._sqs)
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn)
        # The queue itself is a target too: what it gets by that way tells that the event has been handled.
        self._events.put_rule(Name="told", EventPattern=json.dumps({"source": ["test"]}))
        targets = [{"Id": "1", "Arn": topic}, {"Id": "2", "Arn": queue_arn}]
        self._events.put_targets(Rule="told", Targets=targets)

    def publish(self) -> list[dict[str, Any]]:
        """Publishes an event, and returns what came by the topic once the event was handled."""
        entry = {"Source": "test", "DetailType": "an event", "Detail": json.dumps({"number": 1})}
        assert self._events.put_events(Entries=[entry])["FailedEntryCount"] == 0
        arrived: list[dict[str, Any]] = []

        def handled() -> bool:
            received = self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10)
            arrived.extend(json.loads(each["Body"]) for each in received.get("Messages", []))
            return any("detail-type" in body for body in arrived)

        eventually(handled)
        return [json.loads(body["Message"]) for body in arrived if "Message" in body]


@pytest.mark.parametrize(
    "statements",
    [[OF_CLOUDWATCH, STATEMENT], [STATEMENT | CONDITION, STATEMENT]],
    ids=["beside another service", "also with a condition"],
)
def test_eventbridge_publishes_where_a_statement_without_a_condition_lets_it(
    client: Client, account: str, statements: list[dict[str, Any]]
) -> None:
    (event,) = Told(client, account, statements).publish()
    assert event["detail"] == {"number": 1}


@pytest.mark.parametrize(
    "statements",
    [[STATEMENT | CONDITION], [OF_CLOUDWATCH]],
    ids=["with a condition", "for another service"],
)
def test_eventbridge_tells_nobody_by_a_topic_whose_policy_has_a_condition_or_doesnt_name_it(
    client: Client, account: str, statements: list[dict[str, Any]]
) -> None:
    assert Told(client, account, statements).publish() == []


def heard(client: Client, cluster_arn: str) -> Any:
    """Listens for what the alarm topic's rules match, and returns how to ask which rules have matched."""
    sqs, events = client("sqs"), client("events")
    queues = {}
    for suffix, event in TOLD_EVENTS.items():
        kind = "task" if event.detail_type == "ECS Task State Change" else "service"
        pattern = {
            "source": ["aws.ecs"],
            "detail-type": [event.detail_type],
            "detail": {key: list(values) for key, values in event.detail.items()},
            "resources": [{"prefix": cluster_arn.replace(":cluster/", f":{kind}/") + "/"}],
        }
        queues[suffix], arn = heard_queue(sqs, suffix)
        events.put_rule(Name=suffix, EventPattern=json.dumps(pattern))
        events.put_targets(Rule=suffix, Targets=[{"Id": "1", "Arn": arn}])

    def details(suffix: str) -> list[Any]:
        received = sqs.receive_message(QueueUrl=queues[suffix], MaxNumberOfMessages=10)
        return [json.loads(each["Body"])["detail"] for each in received.get("Messages", [])]

    return details


def test_a_task_that_was_killed_for_its_memory_is_told(world: World) -> None:
    (cluster,) = world.ecs.describe_clusters(clusters=["fileflow-prod"])["clusters"]
    details = heard(world.client, cluster["clusterArn"])
    oom = world.register({"FILEFLOW_SIMULATE_OOM": "1"})
    world.create(oom, deploymentConfiguration=STOP_BEFORE_START)
    stopped = eventually(lambda: details("stopped-task"))[0]
    assert stopped["stopCode"] == "EssentialContainerExited"
    assert [container["exitCode"] for container in stopped["containers"]] == [137]


def test_a_service_whose_tasks_never_start_is_told(world: World) -> None:
    (cluster,) = world.ecs.describe_clusters(clusters=["fileflow-prod"])["clusters"]
    details = heard(world.client, cluster["clusterArn"])
    world.logs.delete_log_group(logGroupName=LOG_GROUP)
    world.create(world.register(), deploymentConfiguration=STOP_BEFORE_START)
    told = eventually(lambda: details("restart-loop"), seconds=60)[0]
    assert told["eventName"] == "SERVICE_TASK_START_IMPAIRED"


def test_a_task_that_a_rollout_stops_is_nobodys_alarm(world: World) -> None:
    (cluster,) = world.ecs.describe_clusters(clusters=["fileflow-prod"])["clusters"]
    details = heard(world.client, cluster["clusterArn"])
    world.create(world.register())
    eventually(lambda: world.tasks("RUNNING"))
    world.ecs.update_service(
        cluster="fileflow-prod", service="fileflow-scheduler-download", taskDefinition=world.register()
    )
    (stopped,) = eventually(lambda: world.tasks("STOPPED"))
    assert stopped["stopCode"] == "ServiceSchedulerInitiated"
    assert [details(suffix) for suffix in TOLD_EVENTS] == [[], [], []]
