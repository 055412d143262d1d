"""Events on the emulated AWS, from a rule to those who listen to its topic."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.alarm_topic import TOLD_EVENTS
from tests.local.emulator.aws import Client, Topic, heard_queue, publishing
from tests.local.emulator.ecs_world import LOG_GROUP, STOP_BEFORE_START, World
from tests.waiting import eventually

OF_EVENTS = publishing("events")
CONDITION = {"Condition": {"StringEquals": {"aws:SourceAccount": "ACCOUNT"}}}
OF_CLOUDWATCH = publishing("cloudwatch") | CONDITION


def told(client: Client, account: str, statements: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What EventBridge tells by a topic with a policy of these statements."""
    return Topic(client, json.loads(json.dumps(statements).replace("ACCOUNT", account))).happen()


@pytest.mark.parametrize(
    "statements",
    [[OF_CLOUDWATCH, OF_EVENTS], [OF_EVENTS | CONDITION, OF_EVENTS]],
    ids=["beside another service", "also with a condition"],
)
def test_eventbridge_publishes_where_a_statement_without_a_condition_lets_it(
    client: Client, account: str, statements: list[dict[str, Any]]
) -> None:
    (event,) = told(client, account, statements)
    assert event["detail"] == {"number": 1}


@pytest.mark.parametrize(
    "statements",
    [[OF_EVENTS | CONDITION], [OF_CLOUDWATCH]],
    ids=["with a condition", "for another service"],
)
def test_eventbridge_tells_nobody_by_a_topic_whose_policy_has_a_condition_or_doesnt_name_it(
    client: Client, account: str, statements: list[dict[str, Any]]
) -> None:
    assert told(client, account, statements) == []


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
    [impaired, *_] = eventually(lambda: details("restart-loop"), seconds=60)
    assert impaired["eventName"] == "SERVICE_TASK_START_IMPAIRED"


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
