"""A run whose version ECS doesn't run has failed: what is asked of AWS, when it raises, and what it says."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from unittest import mock

import pulumi
import pytest

from components import rollout
from components.aws_session import SessionSettings
from components.rollout import Asked, RolledBackError, explain_failure, verify
from tests.unit.builders import CLUSTER_ARN
from tests.unit.providers import ACCOUNT, REGION

SERVICE = "fileflow-scheduler-download"
SERVICE_ARN = f"arn:aws:ecs:{REGION}:{ACCOUNT}:service/fileflow-prod/{SERVICE}"
FAMILY = f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/{SERVICE}-prod"
TASK = f"arn:aws:ecs:{REGION}:{ACCOUNT}:task/fileflow-prod/0a1b2c"
REVISION = f"arn:aws:ecs:{REGION}:{ACCOUNT}:service-revision/fileflow-prod/{SERVICE}/42"
OLD, NEW = f"{FAMILY}:1", f"{FAMILY}:2"

INPUTS: dict[str, Any] = {
    "cluster": CLUSTER_ARN,
    "name": SERVICE,
    "taskDefinition": NEW,
    "networkConfiguration": {"subnets": ["subnet-a", "subnet-b"], "securityGroups": ["sg-1"]},
    "capacityProviderStrategies": [{"capacityProvider": "FARGATE", "weight": 1, "base": 0}],
}
ASKED = Asked.of(INPUTS)


def deployment(definition: str = NEW, **changes: Any) -> dict[str, Any]:
    """A deployment as ECS describes it, that runs what was asked for unless changed."""
    return {
        "id": "ecs-svc/42",
        "status": "PRIMARY",
        "desiredCount": 1,
        "taskDefinition": definition,
        "rolloutState": "COMPLETED",
        "networkConfiguration": {
            "awsvpcConfiguration": {"subnets": ["subnet-b", "subnet-a"], "securityGroups": ["sg-1"]}
        },
        "capacityProviderStrategy": [{"capacityProvider": "FARGATE", "weight": 1, "base": 0}],
        **changes,
    }


class Aws:
    """What ECS, CloudWatch Logs and STS are asked, in order, and what they answer; anything else fails."""

    def __init__(self) -> None:
        import boto3  # a quarter of a second that every worker would pay
        from botocore.stub import Stubber

        self.clients = {
            name: boto3.client(name, region_name=REGION, aws_access_key_id="a", aws_secret_access_key="b")
            for name in ("ecs", "logs", "sts")
        }
        self.ecs, self.logs, self.sts = (Stubber(self.clients[name]) for name in ("ecs", "logs", "sts"))

    def identity(self, account: str = ACCOUNT) -> None:
        """Whose the credentials are."""
        self.sts.add_response("get_caller_identity", {"Account": account})

    def service(self, *primaries: Mapping[str, Any]) -> None:
        """What the service's primary deployment is, each time it is asked for."""
        for primary in primaries:
            others = [deployment(OLD, status="ACTIVE")]
            self.ecs.add_response(
                "describe_services",
                {"services": [{"deployments": [*others, primary]}]},
                {"cluster": CLUSTER_ARN, "services": [SERVICE]},
            )

    def last_deployment(self, status: str | None, reason: str = "tasks failed to start") -> None:
        """How the service's last deployment ended; None before ECS kept a history."""
        listed = []
        if status is not None:
            base = {"targetServiceRevisionArn": REVISION.replace("/42", "/41"), "status": "SUCCESSFUL"}
            first = {**base, "createdAt": datetime(2030, 1, 1, tzinfo=UTC)}
            last = {
                "targetServiceRevisionArn": REVISION,
                "status": status,
                "statusReason": reason,
                "createdAt": datetime(2030, 1, 2, tzinfo=UTC),
            }
            listed = [first, last]
        self.ecs.add_response(
            "list_service_deployments",
            {"serviceDeployments": listed},
            {"cluster": CLUSTER_ARN, "service": SERVICE},
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

    def log(self, *lines: str, definition: str = NEW) -> None:
        """The container's log ends with these lines; without any there is no stream."""
        options = {"awslogs-group": "/aws/ecs/x", "awslogs-stream-prefix": "app", "awslogs-region": REGION}
        container = {"name": "app", "logConfiguration": {"logDriver": "awslogs", "options": options}}
        router = {"name": "router", "logConfiguration": {"logDriver": "awsfirelens", "options": {}}}
        self.ecs.add_response(
            "describe_task_definition",
            {"taskDefinition": {"containerDefinitions": [container, router]}},
            {"taskDefinition": definition},
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
    """AWS as the check sees it; every prepared answer must have been asked for."""
    answering = Aws()
    session = mock.Mock(client=lambda name: answering.clients[name])
    with (
        answering.ecs,
        answering.logs,
        answering.sts,
        mock.patch("boto3.Session", return_value=session),
        mock.patch("time.sleep"),
    ):
        yield answering
        for stub in (answering.ecs, answering.logs, answering.sts):
            stub.assert_no_pending_responses()


def check(told_by_provider: str | None = None) -> list[str]:
    """Verifies the service as a run does at its end; what it warned of."""

    async def told(*_: object) -> str | None:
        return told_by_provider

    parent = mock.Mock()
    with mock.patch.object(rollout, "_told_by_provider", told), mock.patch("pulumi.log.warn") as warned:
        asyncio.run(verify(None, SERVICE_ARN, ASKED, parent))
    return [call.args[0] for call in warned.call_args_list]


def task(arn: str = TASK, definition: str = NEW, *, minute: int = 1, **changes: Any) -> dict[str, Any]:
    """A stopped task as ECS describes it."""
    return {
        "taskArn": arn,
        "taskDefinitionArn": definition,
        "startedBy": "ecs-svc/42",
        "stoppedAt": datetime(2030, 1, 1, 0, minute, tzinfo=UTC),
        "createdAt": datetime(2030, 1, 1, tzinfo=UTC),
        "stoppedReason": "Essential container in task exited",
        "containers": [{"name": "app", "exitCode": 1}, {"name": "router"}],
        **changes,
    }


def test_a_service_that_runs_what_was_asked_for_passes(aws: Aws) -> None:
    aws.identity()
    aws.service(deployment())
    aws.stopped_tasks()

    assert check() == []


def ended(number: int, **changes: Any) -> dict[str, Any]:
    """A task that ran and ended by itself, some minutes after the others."""
    running = {"startedAt": datetime(2030, 1, 1, tzinfo=UTC), "stopCode": "EssentialContainerExited"}
    return task(f"{TASK}{number}", minute=number, **{**running, **changes})


def test_a_version_whose_tasks_end_over_and_over_is_no_success_though_its_rollout_is_over(aws: Aws) -> None:
    aws.identity()
    aws.service(deployment(desiredCount=1))
    unwell = {"stopCode": "ServiceSchedulerInitiated", "stoppedReason": "Task failed ELB health checks"}
    aws.stopped_tasks(ended(1), ended(2, **unwell), ended(3, taskArn=TASK))
    aws.log("OutOfMemoryError: Java heap space")

    with pytest.raises(RolledBackError) as caught:
        check()

    assert str(caught.value).splitlines() == [
        f"{SERVICE}: the rollout of {SERVICE}-prod:2 is over, but 3 of its tasks ran and then ended by "
        "themselves, and ECS starts the next one.",
        "Task 0a1b2c stopped: Essential container in task exited",
        "Exit code: 1",
        "Likely cause: out of memory (OOM). Raise the service's size.memory_mib.",
        "Last log lines:",
        "  OutOfMemoryError: Java heap space",
        "ECS doesn't put it back: deploy a version that stays, or set the former one.",
    ]


STOPPED_OTHERWISE = {
    "twice alone": [ended(1), ended(2)],
    "of the version before": [ended(each, startedBy="ecs-svc/41") for each in (1, 2, 3)],
    "never running": [ended(each, startedAt=None) for each in (1, 2, 3)],
    "by a smaller count": [
        ended(each, stopCode="ServiceSchedulerInitiated", stoppedReason="Scaling activity initiated by x")
        for each in (1, 2, 3)
    ],
    "long ago": [ended(each, stoppedAt=datetime(2020, 1, 1, tzinfo=UTC)) for each in (1, 2, 3)],
    "by Spot": [ended(each, stopCode="SpotInterruption") for each in (1, 2, 3)],
}


@pytest.mark.parametrize("tasks", STOPPED_OTHERWISE.values(), ids=STOPPED_OTHERWISE)
def test_a_task_that_did_not_end_by_itself_over_and_over_is_no_failure(
    aws: Aws, tasks: list[dict[str, Any]]
) -> None:
    aws.identity()
    aws.service(deployment(desiredCount=1))
    known = [{name: value for name, value in each.items() if value is not None} for each in tasks]
    aws.stopped_tasks(*known)

    assert check() == []


def test_one_end_of_each_of_many_tasks_is_no_failure(aws: Aws) -> None:
    aws.identity()
    aws.service(deployment(desiredCount=4))
    aws.stopped_tasks(*[ended(each) for each in range(1, 5)])

    assert check() == []


def test_a_paused_service_is_not_asked_how_its_tasks_ended(aws: Aws) -> None:
    """It has none that must stay, and it may be paused because they ended over and over."""
    aws.identity()
    aws.service(deployment(desiredCount=0))

    assert check() == []


def test_a_rollout_that_the_provider_took_for_done_is_waited_for(aws: Aws) -> None:
    aws.identity()
    aws.service(deployment(rolloutState="IN_PROGRESS"), deployment(rolloutState="IN_PROGRESS"), deployment())
    aws.stopped_tasks()

    assert check() == []


def test_a_first_version_that_failed_is_no_success_though_it_is_the_revision_asked_for(aws: Aws) -> None:
    aws.identity()
    aws.service(deployment(rolloutState="IN_PROGRESS"), deployment(rolloutState="FAILED"))
    aws.last_deployment("STOPPED")
    aws.stopped_tasks(task())
    aws.log("Communications link failure")

    with pytest.raises(RolledBackError, match=r"ECS says: tasks failed to start\nTask 0a1b2c stopped"):
        check()


def test_a_rollout_that_ecs_put_back_fails_with_reason_exit_code_and_log(aws: Aws) -> None:
    aws.identity()
    aws.service(deployment(OLD))
    aws.last_deployment("ROLLBACK_SUCCESSFUL")
    aws.stopped_tasks(task())
    aws.log("Communications link failure")

    with pytest.raises(RolledBackError) as caught:
        check()

    assert str(caught.value).splitlines() == [
        f"{SERVICE}: ECS rolled back, so this run has failed. "
        f"Asked for {SERVICE}-prod:2, but {SERVICE}-prod:1 is what runs.",
        "ECS says: tasks failed to start",
        "Task 0a1b2c stopped: Essential container in task exited",
        "Exit code: 1",
        "Likely cause: database connection. Check the database address in the service's environment and the "
        "security group in front of it.",
        "Last log lines:",
        "  Communications link failure",
        "After the fix run `pulumi up --refresh`: the state may hold what was asked for.",
    ]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {
                "networkConfiguration": {
                    "awsvpcConfiguration": {"subnets": ["subnet-c"], "securityGroups": ["sg-1"]}
                }
            },
            "Asked for subnets subnet-a, subnet-b, but subnet-c is what runs.",
        ),
        (
            {
                "networkConfiguration": {
                    "awsvpcConfiguration": {"subnets": ["subnet-a", "subnet-b"], "securityGroups": ["sg-2"]}
                }
            },
            "Asked for security groups sg-1, but sg-2 is what runs.",
        ),
        (
            {"capacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]},
            "for capacity FARGATE (base 0, weight 1), but FARGATE_SPOT (base 0, weight 1) is what runs.",
        ),
    ],
    ids=["subnets", "groups", "capacity"],
)
def test_what_ecs_put_back_without_a_new_revision_fails_the_run(
    aws: Aws, changes: dict[str, Any], said: str
) -> None:
    aws.identity()
    aws.service(deployment(**changes))
    aws.last_deployment("ROLLBACK_SUCCESSFUL")
    # Of the same revision; the failed deployment's own task is the one that tells.
    aws.stopped_tasks(
        task(f"{TASK[:-6]}ffffff", minute=9, startedBy="ecs-svc/41", stoppedReason="an older one"),
        task(minute=3, stoppedReason="the failed one"),
    )
    aws.log()

    with pytest.raises(RolledBackError) as caught:
        check()

    assert said in str(caught.value)
    assert "Task 0a1b2c stopped: the failed one" in str(caught.value)


def test_a_rollback_that_failed_too_says_that_perhaps_nothing_runs(aws: Aws) -> None:
    aws.identity()
    aws.service(deployment(OLD, rolloutState="FAILED"))
    aws.last_deployment("ROLLBACK_FAILED")
    aws.stopped_tasks()

    with pytest.raises(RolledBackError, match="start either: the service may have no task at all"):
        check()


def test_an_older_revision_that_somebody_deployed_by_hand_is_said_with_both_ways_on(aws: Aws) -> None:
    aws.identity()
    aws.service(deployment(OLD))
    aws.last_deployment("SUCCESSFUL")

    with pytest.raises(RolledBackError) as caught:
        check()

    assert str(caught.value).splitlines() == [
        f"{SERVICE}: somebody deployed something else than this program, for example by the AWS CLI. "
        f"Asked for {SERVICE}-prod:2, but {SERVICE}-prod:1 is what runs.",
        "To deploy what the program asks for, run `pulumi up --refresh`. To keep what runs, set its version "
        "first.",
    ]


@pytest.mark.parametrize(
    "remembered", [(), (task(definition=OLD, startedBy="ecs-svc/1"),)], ids=["no", "old"]
)
def test_a_rollback_without_a_remembered_task_still_fails(
    aws: Aws, remembered: tuple[dict[str, Any], ...]
) -> None:
    aws.identity()
    aws.service(deployment(OLD))
    aws.last_deployment("ROLLBACK_SUCCESSFUL")
    aws.stopped_tasks(*remembered)

    with pytest.raises(RolledBackError, match="ECS remembers no stopped task"):
        check()


def test_a_service_that_is_gone_fails(aws: Aws) -> None:
    aws.identity()
    aws.ecs.add_response("describe_services", {"services": []})

    with pytest.raises(RolledBackError, match=r"doesn't know the service.*`pulumi up --refresh`"):
        check()


@pytest.mark.parametrize(
    "why", ["another account", "no permission", "no permission for the identity"], ids=lambda why: why
)
def test_a_good_rollout_stays_good_where_ecs_can_not_be_asked(aws: Aws, why: str) -> None:
    if why == "another account":
        aws.identity("999999999999")
    elif why == "no permission":
        aws.identity()
        aws.ecs.add_client_error("describe_services", "AccessDeniedException")
    else:
        aws.sts.add_client_error("get_caller_identity", "AccessDenied")

    [warning] = check(told_by_provider=NEW)

    assert warning.startswith(f"{SERVICE}: ECS can't be asked what it runs, only the provider: ")


def test_a_bad_rollout_is_told_by_the_provider_where_ecs_can_not_be_asked(aws: Aws) -> None:
    aws.identity("999999999999")

    with pytest.raises(
        RolledBackError, match=f"Asked for {SERVICE}-prod:2, but {SERVICE}-prod:1 is what runs"
    ):
        check(told_by_provider=OLD)


def explain(failed: str = "create", inputs: dict[str, Any] | None = None) -> str | None:
    """What the hook says that the engine calls when the provider fails."""
    args = pulumi.ErrorHookArgs(
        urn="urn",
        id="id",
        name="download-service",
        type="aws:ecs/service:Service",
        new_inputs=INPUTS if inputs is None else inputs,
        failed_operation=failed,
        errors=["the deployment failed"],
    )
    return asyncio.run(explain_failure(None, args))


def test_a_first_version_that_fails_is_explained(aws: Aws) -> None:
    aws.last_deployment("STOPPED")
    aws.stopped_tasks(task())
    aws.log("Communications link failure")
    aws.service(deployment(rolloutState="FAILED"))

    message = explain()
    assert message is not None
    assert message.splitlines() == [
        f"{SERVICE}: {SERVICE}-prod:2 doesn't run.",
        "Task 0a1b2c stopped: Essential container in task exited",
        "Exit code: 1",
        "Likely cause: database connection. Check the database address in the service's environment and the "
        "security group in front of it.",
        "Last log lines:",
        "  Communications link failure",
    ]


def test_an_update_that_the_provider_calls_failed_is_explained_as_a_rollback(aws: Aws) -> None:
    aws.last_deployment("ROLLBACK_SUCCESSFUL")
    aws.stopped_tasks(task())
    aws.log()
    aws.service(deployment(OLD))

    message = explain("update")
    assert message is not None
    assert message.startswith(
        f"{SERVICE}: ECS rolled back, so this run has failed. Asked for {SERVICE}-prod:2"
    )


def test_a_failure_without_a_stopped_task_is_the_providers_alone(aws: Aws) -> None:
    aws.last_deployment(None)
    aws.stopped_tasks()

    assert explain() is None


def test_a_service_that_was_never_made_is_the_providers_error_alone(aws: Aws) -> None:
    aws.ecs.add_client_error("list_service_deployments", "ServiceNotFoundException")

    assert explain() is None


@pytest.mark.parametrize(("failed", "inputs"), [("delete", None), ("create", {}), ("create", {"name": "x"})])
def test_where_no_task_can_have_failed_ecs_is_not_asked(
    aws: Aws, failed: str, inputs: dict[str, Any] | None
) -> None:
    assert explain(failed, inputs) is None
    aws.ecs.assert_no_pending_responses()


class Config:
    """The stack's `aws:` configuration."""

    profile, access_key, secret_key, token = "shop", None, None, None
    assume_roles = '[{"roleArn": "arn:aws:iam::1:role/deploy", "externalId": "x", "duration": "1h"}]'


def test_the_session_has_the_stacks_profile_and_assumes_its_roles() -> None:
    with mock.patch("pulumi_aws.config", Config), mock.patch("boto3.Session") as session:
        assume = session.return_value.client.return_value.assume_role
        assume.return_value = {
            "Credentials": {"AccessKeyId": "a", "SecretAccessKey": "s", "SessionToken": "t"}
        }
        asyncio.run(SessionSettings.of(None)).open(REGION)

    assume.assert_called_once_with(
        RoleArn="arn:aws:iam::1:role/deploy", ExternalId="x", RoleSessionName="pulumi"
    )
    assert [call.kwargs for call in session.call_args_list] == [
        {"profile_name": "shop", "region_name": REGION},
        {
            "aws_access_key_id": "a",
            "aws_secret_access_key": "s",
            "aws_session_token": "t",
            "region_name": REGION,
        },
    ]


def test_the_session_has_an_explicit_providers_credentials() -> None:
    async def settings() -> SessionSettings:
        given = {"profile": "other", "access_key": None, "secret_key": None, "token": None}
        outputs = {name: pulumi.Output.from_input(value) for name, value in given.items()}
        return await SessionSettings.of(mock.Mock(**outputs))

    assert asyncio.run(settings()) == SessionSettings(arguments={"profile_name": "other"})
