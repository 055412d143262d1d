"""A run that rolled back has failed: what the hook asks ECS, when it raises, and what it says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from unittest import mock

import pulumi
import pytest

from components.rollout import RolledBackError, StoppedTask, describe, likely_cause
from tests.unit.builders import CLUSTER_ARN
from tests.unit.providers import ACCOUNT, REGION
from tests.unit.recorder import Recording

SERVICE = "fileflow-scheduler-download"
FAMILY = f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/{SERVICE}-prod"
TASK = f"arn:aws:ecs:{REGION}:{ACCOUNT}:task/fileflow-prod/0a1b2c"
OLD, NEW = f"{FAMILY}:1", f"{FAMILY}:2"


def stopped(**changes: Any) -> StoppedTask:
    """A task that stopped without saying why."""
    base = {
        "task_arn": TASK,
        "stopped_reason": "Essential container in task exited",
        "container_reasons": (),
        "exit_codes": (1,),
        "log_lines": (),
    }
    return StoppedTask(**{**base, **changes})


CAUSES = [
    (
        "Secrets Manager permission",
        stopped(
            stopped_reason="ResourceInitializationError: unable to pull secrets or registry auth: "
            "AccessDeniedException: not authorized to perform: secretsmanager:GetSecretValue on resource"
        ),
    ),
    (
        "Secrets Manager permission",
        stopped(log_lines=["User is not authorized to perform: ssm:GetParameters on resource: arn"]),
    ),
    (
        "out of memory (OOM)",
        stopped(container_reasons=["OutOfMemoryError: Container killed due to memory usage"]),
    ),
    ("out of memory (OOM)", stopped(exit_codes=(137,))),
    ("out of memory (OOM)", stopped(log_lines=["java.lang.OutOfMemoryError: Java heap space"])),
    (
        "Redis connection",
        stopped(log_lines=["io.lettuce.core.RedisConnectionException: Unable to connect to redis:6379"]),
    ),
    (
        "database connection",
        stopped(
            log_lines=["HikariPool-1 - Exception during pool initialization", "Communications link failure"]
        ),
    ),
    (
        "database connection",
        stopped(
            log_lines=["Connected to redis:6379", "HikariPool-1 - Connection is not available, timed out"]
        ),
    ),
    ("database connection", stopped(log_lines=["org.postgresql.util.PSQLException: Connection refused"])),
]


@pytest.mark.parametrize(("name", "task"), CAUSES, ids=range(len(CAUSES)))
def test_the_guides_four_causes_are_told_apart(name: str, task: StoppedTask) -> None:
    cause = likely_cause(task)

    assert cause is not None
    assert cause.name == name
    assert cause.fix


@pytest.mark.parametrize(
    "task",
    [
        stopped(),
        stopped(log_lines=["Started FileFlow in 12 seconds"]),
        stopped(stopped_reason="Scaling activity initiated by deployment"),
        stopped(stopped_reason="CannotPullContainerError: image not found"),
        stopped(
            stopped_reason="ResourceInitializationError: unable to pull secrets or registry auth: execution "
            "resource retrieval failed: unable to retrieve json key from secret db"
        ),
        stopped(exit_codes=(143,), log_lines=["room 137 is free", "shutting down the classroom"]),
        stopped(log_lines=["HikariPool-1 - Start completed.", "Connected to redis:6379", "Bean x is broken"]),
    ],
    ids=range(7),
)
def test_a_cause_that_can_not_be_told_is_not_guessed(task: StoppedTask) -> None:
    assert likely_cause(task) is None


def test_the_message_says_what_was_asked_what_runs_and_why() -> None:
    message = describe(
        SERVICE,
        NEW,
        OLD,
        stopped(container_reasons=["OutOfMemoryError"], exit_codes=(137,), log_lines=["one", "two"]),
    )

    assert message.splitlines()[:4] == [
        f"{SERVICE}: ECS rolled back, so this run has failed. "
        f"Asked for {SERVICE}-prod:2, but {SERVICE}-prod:1 is what runs.",
        "Task 0a1b2c stopped: Essential container in task exited",
        "Container: OutOfMemoryError",
        "Exit code: 137",
    ]
    assert "Likely cause: out of memory (OOM). Raise the service's size.memory_mib." in message
    assert "Last log lines:\n  one\n  two\n" in message


def test_the_message_says_so_when_ecs_has_forgotten_the_task() -> None:
    assert "ECS remembers no stopped task" in describe(SERVICE, NEW, OLD, None)


def test_the_message_says_so_when_the_task_left_no_log() -> None:
    assert "The task left no log lines." in describe(SERVICE, NEW, OLD, stopped())


class Aws:
    """What ECS and CloudWatch Logs are asked, in order, and what they answer; anything else fails."""

    def __init__(self) -> None:
        import boto3  # a quarter of a second that every worker would pay
        from botocore.stub import Stubber

        clients = {
            name: boto3.client(name, region_name=REGION, aws_access_key_id="a", aws_secret_access_key="b")
            for name in ("ecs", "logs")
        }
        self.clients = clients
        self.ecs, self.logs = Stubber(clients["ecs"]), Stubber(clients["logs"])

    def service(self, primary: str) -> None:
        """The service's primary deployment runs `primary`."""
        deployments = [
            {"status": "ACTIVE", "taskDefinition": OLD},
            {"status": "PRIMARY", "taskDefinition": primary},
        ]
        self.ecs.add_response(
            "describe_services",
            {"services": [{"deployments": deployments}]},
            {"cluster": CLUSTER_ARN, "services": [SERVICE]},
        )

    def stopped_tasks(self, *tasks: dict[str, Any]) -> None:
        """ECS remembers these stopped tasks."""
        arns = [each["taskArn"] for each in tasks]
        self.ecs.add_response(
            "list_tasks",
            {"taskArns": arns},
            {"cluster": CLUSTER_ARN, "serviceName": SERVICE, "desiredStatus": "STOPPED"},
        )
        if tasks:
            self.ecs.add_response(
                "describe_tasks", {"tasks": list(tasks)}, {"cluster": CLUSTER_ARN, "tasks": arns}
            )

    def log(self, *lines: str) -> None:
        """The container's log ends with these lines; without any there is no stream."""
        options = {"awslogs-group": "/aws/ecs/x", "awslogs-stream-prefix": "app", "awslogs-region": REGION}
        container = {"name": "app", "logConfiguration": {"logDriver": "awslogs", "options": options}}
        router = {"name": "router", "logConfiguration": {"logDriver": "awsfirelens", "options": {}}}
        self.ecs.add_response(
            "describe_task_definition",
            {"taskDefinition": {"containerDefinitions": [container, router]}},
            {"taskDefinition": NEW},
        )
        if not lines:
            self.logs.add_client_error("get_log_events", "ResourceNotFoundException")
            return
        self.logs.add_response(
            "get_log_events",
            {"events": [{"message": f"{line}\n", "timestamp": 1, "ingestionTime": 1} for line in lines]},
            {
                "logGroupName": "/aws/ecs/x",
                "logStreamName": "app/app/0a1b2c",
                "limit": 20,
                "startFromHead": False,
            },
        )


@pytest.fixture
def aws() -> Iterator[Aws]:
    """AWS as the hook sees it; every prepared answer must have been asked for."""
    answering = Aws()
    session = mock.Mock(client=lambda name: answering.clients[name])
    with answering.ecs, answering.logs, mock.patch("boto3.Session", return_value=session):
        yield answering
        answering.ecs.assert_no_pending_responses()
        answering.logs.assert_no_pending_responses()


def check(scheduler: Recording, asked: str = NEW) -> None:
    """Calls the hook that a scheduler registered, as the engine does after an update."""
    hook = scheduler.hooks["download-rollout"]
    # As the engine hands them over after a rollback: the outputs name what ECS has by then.
    outputs = {"taskDefinition": OLD, "cluster": CLUSTER_ARN, "name": SERVICE}
    hook(
        pulumi.ResourceHookArgs(
            urn="urn",
            id="id",
            name="download-service",
            type="aws:ecs/service:Service",
            new_inputs={"taskDefinition": asked},
            new_outputs=outputs,
        )
    )


def task(arn: str = TASK, definition: str = NEW, *, minute: int = 1, **changes: Any) -> dict[str, Any]:
    """A stopped task as ECS describes it."""
    return {
        "taskArn": arn,
        "taskDefinitionArn": definition,
        "stoppedAt": datetime(2030, 1, 1, 0, minute, tzinfo=UTC),
        "createdAt": datetime(2030, 1, 1, tzinfo=UTC),
        "stoppedReason": "Essential container in task exited",
        "containers": [{"name": "app", "exitCode": 1}, {"name": "router"}],
        **changes,
    }


def test_a_rollout_that_ecs_kept_passes(scheduler: Recording, aws: Aws) -> None:
    aws.service(NEW)

    check(scheduler)


def test_a_rollout_that_ecs_put_back_fails_with_reason_exit_code_and_log(
    scheduler: Recording, aws: Aws
) -> None:
    aws.service(OLD)
    aws.stopped_tasks(task())
    aws.log("Communications link failure")

    with pytest.raises(RolledBackError) as caught:
        check(scheduler)

    message = str(caught.value)
    assert "Essential container in task exited" in message
    assert "Exit code: 1" in message
    assert "Likely cause: database connection." in message
    assert "  Communications link failure" in message


def test_the_last_task_of_the_failed_version_is_told_and_no_other(scheduler: Recording, aws: Aws) -> None:
    aws.service(OLD)
    aws.stopped_tasks(
        task(f"{TASK[:-6]}ffffff", minute=1),
        task(minute=3, stoppedReason="the last one"),
        task(f"{TASK[:-6]}eeeeee", OLD, minute=9, stoppedReason="the old version"),
    )
    aws.log()

    with pytest.raises(RolledBackError, match="Task 0a1b2c stopped: the last one"):
        check(scheduler)


@pytest.mark.parametrize("remembered", [(), (task(definition=OLD),)], ids=["nothing", "the old version"])
def test_a_rollback_without_a_remembered_task_still_fails(
    scheduler: Recording, aws: Aws, remembered: tuple[dict[str, Any], ...]
) -> None:
    aws.service(OLD)
    aws.stopped_tasks(*remembered)

    with pytest.raises(RolledBackError, match="ECS remembers no stopped task"):
        check(scheduler)


def test_a_service_that_ecs_does_not_know_fails(scheduler: Recording, aws: Aws) -> None:
    aws.ecs.add_response("describe_services", {"services": []})

    with pytest.raises(RolledBackError, match="doesn't know the service"):
        check(scheduler)


def explain(scheduler: Recording, failed: str = "create", inputs: dict[str, Any] | None = None) -> list[str]:
    """Calls the hook that the engine calls when the provider fails; what it reported."""
    asked = {"taskDefinition": NEW, "cluster": CLUSTER_ARN, "name": SERVICE} if inputs is None else inputs
    with mock.patch("pulumi.log.error") as reported:
        again = scheduler.error_hooks["download-failure"](
            pulumi.ErrorHookArgs(
                urn="urn",
                id="id",
                name="download-service",
                type="aws:ecs/service:Service",
                new_inputs=asked,
                failed_operation=failed,
                errors=["the deployment failed"],
            )
        )
    assert again is False
    return [call.args[0] for call in reported.call_args_list]


def test_a_first_version_that_fails_is_explained_and_not_tried_again(scheduler: Recording, aws: Aws) -> None:
    aws.stopped_tasks(task())
    aws.log("Communications link failure")

    [message] = explain(scheduler)
    assert message.splitlines() == [
        f"{SERVICE}: {SERVICE}-prod:2 doesn't run.",
        "Task 0a1b2c stopped: Essential container in task exited",
        "Exit code: 1",
        "Likely cause: database connection. Check the database address in the service's environment and the "
        "security group in front of it.",
        "Last log lines:",
        "  Communications link failure",
    ]


def test_a_failure_without_a_stopped_task_is_the_providers_alone(scheduler: Recording, aws: Aws) -> None:
    aws.stopped_tasks()

    assert explain(scheduler) == []


def test_a_service_that_was_never_made_is_the_providers_error_alone(scheduler: Recording, aws: Aws) -> None:
    aws.ecs.add_client_error("list_tasks", "ServiceNotFoundException")

    assert explain(scheduler) == []


@pytest.mark.parametrize(("failed", "inputs"), [("delete", None), ("create", {}), ("create", {"name": "x"})])
def test_where_no_task_can_have_failed_ecs_is_not_asked(
    scheduler: Recording, aws: Aws, failed: str, inputs: dict[str, Any] | None
) -> None:
    assert explain(scheduler, failed, inputs) == []
    aws.ecs.assert_no_pending_responses()


def test_the_hook_never_runs_in_a_preview(scheduler: Recording) -> None:
    opts = scheduler.hooks["download-rollout"].opts

    assert opts is None or not opts.on_dry_run
