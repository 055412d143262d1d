"""Why a task stopped: each message that AWS lists has its cause, and what can't be told isn't guessed."""

from __future__ import annotations

from typing import Any

import pytest

from components.stopped_task import StoppedTask, explanation, likely_cause

AGENT = "ResourceInitializationError: unable to pull secrets or registry auth: "
RETRIEVAL = f"{AGENT}execution resource retrieval failed: "
ROLE = "User: arn:aws:sts::111122223333:assumed-role/e/1 is not authorized to perform: "


def stopped(reason: str = "Essential container in task exited", **changes: Any) -> StoppedTask:
    """A task that stopped without saying why."""
    base = {"task_arn": "a/b/0a1b2c", "container_reasons": (), "exit_codes": (), "log_lines": ()}
    return StoppedTask(stopped_reason=reason, **{**base, **changes})


REASONS = {
    "no way out to ECR": (
        f"{AGENT}The task cannot pull registry auth from Amazon ECR: There is a connection issue between the "
        "task and Amazon ECR. Check your task network configuration.",
        f"{RETRIEVAL}unable to retrieve ecr registry auth: service call has been retried 3 time(s): "
        "RequestError: send request failed caused by: Post https://api.ecr.eu-west-1.amazonaws.com/: dial "
        "tcp 10.0.0.1:443: i/o timeout",
        "CannotPullContainerError: ref pull has been retried 5 time(s): failed to resolve reference "
        '"1.dkr.ecr.eu-west-1.amazonaws.com/x:1": dial tcp 10.0.0.1:443: i/o timeout',
    ),
    "no way out to Secrets Manager or Parameter Store": (
        f"{AGENT}unable to retrieve secret from asm: There is a connection issue between the task and AWS "
        "Secrets Manager. Check your task network configuration.",
        f"{AGENT}unable to retrieve secrets from ssm: The task cannot pull secrets from AWS Systems Manager. "
        "There is a connection issue between the task and AWS Systems Manager Parameter Store. "
        "RequestCanceled: request context canceled caused by: context deadline exceeded",
    ),
    "no way out to CloudWatch Logs": (
        "ResourceInitializationError: failed to validate logger args: The task cannot find the Amazon "
        "CloudWatch log group defined in the task definition. There is a connection issue between the task "
        "and Amazon CloudWatch. Check your network configuration. : signal: killed",
    ),
    "no way out to the registry": (
        "CannotPullContainerError: ref pull has been retried 5 time(s): failed to resolve reference "
        '"ghcr.io/a/b:1": dial tcp 140.82.1.1:443: i/o timeout',
        "CannotPullContainerError: context canceled",
    ),
    "Secrets Manager permission": (
        f"{RETRIEVAL}unable to retrieve secret from asm: service call has been retried 1 time(s): failed to "
        f"fetch secret s: AccessDeniedException: {ROLE}secretsmanager:GetSecretValue on resource: s",
        f"{RETRIEVAL}unable to retrieve secrets from ssm: AccessDeniedException: {ROLE}ssm:GetParameters",
    ),
    "secret's encryption key": (
        f"{RETRIEVAL}unable to retrieve secret from asm: AccessDeniedException: Access to KMS is not allowed",
    ),
    "secret or parameter that doesn't exist": (
        f"{RETRIEVAL}unable to retrieve secrets from ssm: service call has been retried 1 time(s): invalid "
        "parameters: /fileflow/redis",
        f"{RETRIEVAL}unable to retrieve secret from asm: ResourceNotFoundException: Secrets Manager can't "
        "find the specified secret.",
    ),
    "JSON key that isn't in the secret": (
        f"{RETRIEVAL}retrieved secret from Secrets Manager did not contain json key username",
    ),
    "log group": (
        "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 "
        "times: failed to create Cloudwatch log stream: ResourceNotFoundException: The specified log group "
        "does not exist.",
    ),
    "registry permission": (
        f"{RETRIEVAL}unable to retrieve ecr registry auth: AccessDeniedException: {ROLE}"
        "ecr:GetAuthorizationToken",
        "CannotPullContainerError: pull access denied for a/b, repository does not exist or may require "
        "authorization: authorization failed",
        "CannotPullContainerError: Error response from daemon: no basic auth credentials",
    ),
    "image that isn't in the repository": (
        "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref "
        "1.dkr.ecr.eu-west-1.amazonaws.com/x@sha256:0: not found",
        "CannotPullContainerError: manifest unknown: Requested image not found",
    ),
    "image of another architecture": (
        "CannotPullContainerError: image Manifest does not contain descriptor matching platform "
        "'linux/amd64'",
    ),
    "registry's rate limit": (
        "CannotPullContainerError: toomanyrequests: You have reached your pull rate limit.",
    ),
    "image too large for the task's storage": (
        "CannotPullContainerError: write /var/lib/docker/tmp/GetImageBlob1: no space left on device",
    ),
    "image that can't be pulled": ("CannotPullContainerError: API error (500)",),
    "environment file": (
        "ResourceInitializationError: failed to download env files: file download command: non empty error "
        "stream",
    ),
    "file system that can't be mounted": (
        "ResourceInitializationError: failed to invoke EFS utils commands to set up EFS volumes",
    ),
    "command that isn't in the image": (
        'CannotStartContainerError: exec: "/app": stat /app: no such file or directory',
    ),
    "execution role can't be assumed": (
        "ECS was unable to assume the role 'arn:aws:iam::1:role/e' that was provided for this task.",
    ),
    "no Fargate capacity": (
        "Capacity is unavailable at this time. Please try again later or in a different availability zone",
    ),
    "Fargate quota": ("You've reached the limit on the number of vCPUs you can run concurrently",),
    "no network interface": ("Timeout waiting for network interface provisioning to complete.",),
    "out of memory (OOM)": ("OutOfMemoryError: Container killed due to memory usage",),
    "Spot interruption": ("Your Spot Task was interrupted.",),
    "health check of the load balancer": ("Task failed ELB health checks in (target-group web)",),
    "health check of the container": ("Task failed container health checks",),
    "container that doesn't stop or start in time": (
        "ContainerRuntimeTimeoutError: Could not transition to running; timed out after waiting 1m",
        "CannotStopContainerError: failed sending SIGTERM to container",
    ),
}


@pytest.mark.parametrize("name", REASONS)
def test_each_message_of_aws_has_its_cause_and_a_fix(name: str) -> None:
    for reason in REASONS[name]:
        for task in (stopped(reason), stopped(container_reasons=[reason])):
            cause = likely_cause(task)
            assert cause is not None, reason
            assert cause.name == name, reason
            assert cause.fix.endswith(".")


LOGS = {
    "memory too small for the JVM": (
        "fixed memory regions require 619112K which is greater than 512M available for allocation: "
        "-XX:MaxDirectMemorySize=10M, -XX:MaxMetaspaceSize=107112K",
        "There is insufficient memory for the Java Runtime Environment to continue.",
    ),
    "image of another architecture": ("exec /cnb/process/web: exec format error",),
    "out of memory (OOM)": ("java.lang.OutOfMemoryError: Java heap space",),
    "Secrets Manager permission": ("User is not authorized to perform: ssm:GetParameters on resource: arn",),
    "Redis connection": (
        "io.lettuce.core.RedisConnectionException: Unable to connect to redis:6379",
        "Connection to redis/10.0.0.5:6379 refused",
    ),
    "database connection": (
        "HikariPool-1 - Exception during pool initialization",
        "HikariPool-1 - Connection is not available, request timed out after 30000ms",
        "org.postgresql.util.PSQLException: Connection refused",
        "com.mysql.cj.jdbc.exceptions.CommunicationsException: Communications link failure",
        "Caused by: java.sql.SQLException: Access denied for user 'app'@'10.0.0.1'",
    ),
    "port in use": ("Web server failed to start. Port 8080 was already in use.",),
    "read-only file system": ("java.nio.file.FileSystemException: /opt/x: Read-only file system",),
}


@pytest.mark.parametrize("name", LOGS)
def test_the_applications_last_words_tell_the_cause(name: str) -> None:
    for line in LOGS[name]:
        cause = likely_cause(stopped(log_lines=["Starting", line], exit_codes=[1]))
        assert cause is not None, line
        assert cause.name == name, line


@pytest.mark.parametrize(
    "task",
    [
        stopped(),
        stopped(log_lines=["Started FileFlow in 12 seconds"]),
        stopped("Scaling activity initiated by (deployment ecs-svc/1)", exit_codes=[137]),
        stopped("Task stopped by user", exit_codes=[143]),
        stopped(exit_codes=[143], log_lines=["room 137 is free", "shutting down the classroom"]),
        stopped(log_lines=["HikariPool-1 - Start completed.", "Connected to redis:6379", "Bean x is broken"]),
        stopped(
            log_lines=[
                "java.lang.IllegalStateException: failed to start: HikariPool-1 - Starting... no error"
            ]
        ),
        stopped(
            log_lines=["org.postgresql.util.PSQLException: ERROR: duplicate key value", "redis cache on"]
        ),
        stopped(log_lines=["denied by policy", "the EFSxyz product, a scenic tour"]),
    ],
    ids=range(9),
)
def test_a_cause_that_can_not_be_told_is_not_guessed(task: StoppedTask) -> None:
    assert likely_cause(task) is None


@pytest.mark.parametrize(
    ("code", "name"), [(137, "out of memory (OOM)"), (127, "command that isn't in the image"), (1, None)]
)
def test_an_exit_code_counts_where_the_container_ended_by_itself(code: int, name: str | None) -> None:
    cause = likely_cause(stopped(exit_codes=[code]))
    assert (cause and cause.name) == name
    killed = likely_cause(stopped("Task failed ELB health checks in (target-group web)", exit_codes=[code]))
    assert killed is not None
    assert killed.name == "health check of the load balancer"


def test_a_failed_health_check_says_less_than_the_applications_own_words() -> None:
    cause = likely_cause(
        stopped("Task failed container health checks", log_lines=["Communications link failure"])
    )
    assert cause is not None
    assert cause.name == "database connection"


def test_the_explanation_has_reason_codes_cause_and_log() -> None:
    lines = explanation(
        stopped(container_reasons=["OutOfMemoryError: x"], exit_codes=[137], log_lines=["one", "two"])
    )
    assert lines == [
        "Task 0a1b2c stopped: Essential container in task exited",
        "Container: OutOfMemoryError: x",
        "Exit code: 137",
        "Likely cause: out of memory (OOM). Raise the service's size.memory_mib.",
        "Last log lines:",
        "  one",
        "  two",
    ]
    assert explanation(stopped())[-1] == "The task left no log lines."
