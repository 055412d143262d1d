"""What the runbook's verbs tell of a scheduler whose tasks fail, end or wait: with which cause and fix."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from tests.engine.deployment import Deployment
from tests.engine.runbook import DOWNLOAD, operate, problems
from tests.waiting import eventually

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("deployed")]


@contextmanager
def broken(
    deployment: Deployment,
    change: Mapping[str, Any],
    beside: Mapping[str, Any] | None = None,
    threshold: Mapping[str, Any] | None = None,
) -> Iterator[str]:
    """Deploys by hand a revision of the download scheduler whose main container has this too; then not.

    `beside` is a container of the same image beside it; `threshold` is what the circuit breaker waits for.
    """
    ecs, service = deployment.client("ecs"), deployment.service(DOWNLOAD)
    good = service["taskDefinition"]
    definition = ecs.describe_task_definition(taskDefinition=good)["taskDefinition"]
    scheduler = next(each for each in definition["containerDefinitions"] if each["essential"])
    for key, values in change.items():
        scheduler[key] = [*scheduler.get(key, []), *values]
    if beside is not None:
        definition["containerDefinitions"].append({"image": scheduler["image"], "essential": False, **beside})
    normal = service["deploymentConfiguration"]
    breaker = normal["deploymentCircuitBreaker"]
    patient = {**breaker, "thresholdConfiguration": threshold} if threshold else breaker
    kept = (
        "family", "taskRoleArn", "executionRoleArn", "networkMode", "containerDefinitions", "volumes",
        "requiresCompatibilities", "cpu", "memory", "runtimePlatform",
    )  # fmt: skip
    bad = ecs.register_task_definition(**{name: definition[name] for name in kept if name in definition})
    arn = str(bad["taskDefinition"]["taskDefinitionArn"])

    def update(revision: str, configuration: Mapping[str, Any]) -> None:
        ecs.update_service(
            cluster="fileflow-prod",
            service=DOWNLOAD,
            taskDefinition=revision,
            deploymentConfiguration=configuration,
        )

    update(arn, {**normal, "deploymentCircuitBreaker": patient})
    try:
        yield arn.rpartition("/")[2]
    finally:
        update(good, normal)


def stop_of(deployment: Deployment, revision: str) -> Any:
    """What `why` says of a stopped task of a revision, once there is one."""
    answer = eventually(
        lambda: operate(deployment, "why download"),
        lambda seen: any(stop["revision"] == revision for stop in seen.data["stops"]),
    )
    return next(stop for stop in answer.data["stops"] if stop["revision"] == revision)


@pytest.mark.parametrize(
    ("variable", "code", "cause", "container_reason"),
    [
        ({"name": "FILEFLOW_SIMULATE_FAILURE", "value": "database"}, 1, "database connection", None),
        (
            {"name": "FILEFLOW_SIMULATE_OOM", "value": "1"},
            137,
            "out of memory (OOM)",
            "OutOfMemoryError: Container killed due to memory usage",
        ),
    ],
    ids=["a crash loop", "out of memory"],
)
def test_a_task_that_ends_by_itself_is_told_with_its_exit_code_its_cause_and_last_lines(
    changed: Deployment, variable: Mapping[str, str], code: int, cause: str, container_reason: str | None
) -> None:
    with broken(changed, {"environment": [variable]}) as revision:
        stop = stop_of(changed, revision)
    assert code in stop["exitCodes"]
    assert stop["likelyCause"] == cause
    assert stop["fix"]
    assert stop["logLines"]
    assert container_reason is None or container_reason in stop["containerReasons"]


def test_a_task_whose_secret_the_role_may_not_read_or_is_not_there_is_told_so(changed: Deployment) -> None:
    gone = "arn:aws:secretsmanager:ap-northeast-2:646886795421:secret:fileflow/gone-a1b2c3"
    secret = {"name": "DB_PASSWORD", "valueFrom": gone}
    with broken(changed, {"secrets": [secret]}) as revision:
        refused = stop_of(changed, revision)
    assert refused["reason"].startswith("ResourceInitializationError: ")
    assert "AccessDenied" in refused["reason"]
    assert refused["likelyCause"] == "Secrets Manager permission"

    definition = changed.client("ecs").describe_task_definition(
        taskDefinition=changed.service(DOWNLOAD)["taskDefinition"]
    )["taskDefinition"]
    role = definition["executionRoleArn"].rpartition("/")[2]
    iam = changed.client("iam")
    reads = {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": gone}
    document = json.dumps({"Version": "2012-10-17", "Statement": [reads]})
    iam.put_role_policy(RoleName=role, PolicyName="trial", PolicyDocument=document)
    try:
        with broken(changed, {"secrets": [secret]}) as revision:
            missing = stop_of(changed, revision)
    finally:
        iam.delete_role_policy(RoleName=role, PolicyName="trial")
    assert missing["likelyCause"] == "secret or parameter that doesn't exist"
    assert gone in missing["reason"]


def test_a_rollout_whose_tasks_fail_their_health_check_again_and_again_is_told_with_its_cause(
    changed: Deployment,
) -> None:
    sick = {"environment": [{"name": "FILEFLOW_SIMULATE_UNHEALTHY", "value": "1"}]}
    with broken(changed, sick, threshold={"type": "COUNT", "value": 100}) as revision:
        stop = stop_of(changed, revision)
        seen = eventually(
            lambda: operate(changed, "status download"),
            lambda seen: any("under way" in problem for problem in problems(seen)),
        )
    [service] = seen.data["services"]
    rollout = service["rollout"]
    assert (seen.code, rollout["state"]) == (1, "IN_PROGRESS")
    assert rollout["taskDefinitionArn"].rpartition("/")[2] == revision
    assert rollout["failedTasks"] > 0
    [told] = [each for each in seen.data["findings"] if "under way" in each["problem"]]
    assert told["problem"].endswith(f" of 1 tasks, {rollout['failedTasks']} failed")
    assert told["fix"] == f"python -m operate why {DOWNLOAD}"
    assert stop["reason"] == "Task failed container health checks"
    assert stop["likelyCause"] == "health check of the container"
    assert "start_period_seconds" in stop["fix"]


def state_of(task: Mapping[str, Any]) -> tuple[str, bool]:
    """The revision of a task, and whether it has got any further than to wait for its start."""
    return task["taskDefinitionArn"].rpartition("/")[2], task["lastStatus"] not in ("PENDING", "ACTIVATING")


def test_a_rollout_whose_task_waits_and_never_fails_is_told_without_a_cause(changed: Deployment) -> None:
    waits = {"dependsOn": [{"containerName": "proxy", "condition": "HEALTHY"}]}
    proxy = {
        "name": "proxy",
        "healthCheck": {"command": ["CMD-SHELL", "exit 1"], "startPeriod": 300},
        "environment": [{"name": "FILEFLOW_SIMULATE_UNHEALTHY", "value": "1"}],
    }
    with broken(changed, waits, beside=proxy) as revision:
        seen = eventually(
            lambda: operate(changed, "status download"),
            lambda seen: (
                [state_of(each) for each in seen.data["services"][0]["tasks"]] == [(revision, False)]
            ),
        )
        why = operate(changed, "why download")
    [service] = seen.data["services"]
    rollout = service["rollout"]
    assert (seen.code, rollout["state"], rollout["failedTasks"]) == (1, "IN_PROGRESS", 0)
    assert rollout["taskDefinitionArn"].rpartition("/")[2] == revision
    assert problems(seen) == ["0 of 1 tasks run", "a rollout is under way: 0 of 1 tasks"]
    assert (why.code, problems(why)) == (1, problems(seen))
    assert [stop for stop in why.data["stops"] if stop["revision"] == revision] == []
