"""Why a task stopped: what ECS remembers of it, and the cause that its words point to.

Owns the causes and their order: what AWS says of a start that failed, then what the application logged,
then how a container ended. Doesn't own how the task is asked for (`rollout`). Pure. A cause that can't be
told is None: a wrong one costs more than none.

Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html,
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_cannot_pull_image.html,
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/resolve-resource-initialization-error.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class StoppedTask:
    """What ECS remembers of a task that stopped, with the end of its log."""

    task_arn: str
    stopped_reason: str
    container_reasons: Sequence[str]
    exit_codes: Sequence[int]
    log_lines: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Cause:
    """Why a task stopped, and what to do about it. `pattern` finds it in one reason or one log line."""

    name: str
    pattern: re.Pattern[str]
    fix: str


def _cause(name: str, pattern: str, fix: str) -> Cause:
    return Cause(name=name, pattern=re.compile(pattern, re.IGNORECASE | re.DOTALL), fix=fix)


_OUT_OF_MEMORY = "out of memory (OOM)"
_SECRETS_PERMISSION = "Secrets Manager permission"
_NO_CONNECTION = (
    r"(connection issue|i/o timeout|dial tcp|request ?cancell?ed|context (deadline exceeded|cancell?ed)"
    r"|no such host|send request failed)"
)
"""How AWS says that a request got no answer; it wins over what the request was for."""

_WAY_OUT = (
    "Give the private subnets a NAT gateway or VPC endpoints (S3 gateway, ecr.api, ecr.dkr, logs, "
    "secretsmanager, ssm), and let the tasks' security group out on port 443."
)

STARTING = (
    _cause(
        "execution role can't be assumed",
        r"unable to assume the role",
        "Keep ecs-tasks.amazonaws.com in the trust policy of the execution role and the task role.",
    ),
    _cause(
        "no Fargate capacity",
        r"capacity is unavailable|RESOURCE:(CPU|MEMORY)|insufficient capacity",
        "Try again later, or name subnets in another Availability Zone; Spot has less capacity than Fargate.",
    ),
    _cause(
        "Fargate quota",
        r"reached the limit on the number of (vCPUs|tasks)|vcpu limit",
        "Ask for a higher quota of Fargate vCPUs in Service Quotas.",
    ),
    _cause(
        "no network interface",
        r"network interface (provisioning|attachment)|unexpected EC2 error|\bENI\b",
        "Check that the private subnets have free addresses, and the account's quota of network interfaces.",
    ),
    _cause(
        "log group",
        r"log group does not exist|cannot find the Amazon CloudWatch log group(?!.*connection issue)"
        r"|(failed to validate logger args|log stream).*(AccessDenied|not authorized|ResourceNotFound)",
        "Keep the service's log group, and logs:CreateLogStream and logs:PutLogEvents on it in the execution "
        "role.",
    ),
    _cause(
        "no way out to ECR",
        rf"(registry auth from|between the task and|ecr registry auth).*Amazon ECR"
        rf".*{_NO_CONNECTION}|(ecr registry auth|dkr\.ecr|api\.ecr).*{_NO_CONNECTION}"
        rf"|connection issue between the task and Amazon ECR",
        _WAY_OUT,
    ),
    _cause(
        "no way out to Secrets Manager or Parameter Store",
        rf"(secret|ssm|asm|Systems Manager).*{_NO_CONNECTION}",
        _WAY_OUT,
    ),
    _cause(
        "no way out to CloudWatch Logs",
        rf"(CloudWatch|logger args|log stream|logging driver).*({_NO_CONNECTION}|signal: killed)",
        _WAY_OUT,
    ),
    _cause("no way out to the registry", rf"CannotPullContainerError.*{_NO_CONNECTION}", _WAY_OUT),
    _cause(
        "secret's encryption key",
        r"(kms:Decrypt|Access to KMS is not allowed|KMSAccessDenied)",
        "Name the key that the secret is encrypted with under the service's secrets_kms_key_arns.",
    ),
    _cause(
        _SECRETS_PERMISSION,
        r"(secret|ssm|asm).*(AccessDenied|not authorized)"
        r"|(AccessDenied|not authorized).*(secretsmanager|ssm):",
        "Name the secret under the service's secrets; a key of its own also under secrets_kms_key_arns.",
    ),
    _cause(
        "JSON key that isn't in the secret",
        r"retrieved secret.*did not contain json key|json key",
        "Correct the key behind the secret's name, or put it into the secret.",
    ),
    _cause(
        "secret or parameter that doesn't exist",
        r"invalid (ssm )?parameters|ParameterNotFound|secret.*(ResourceNotFound|can't find|does not exist)",
        "Create it under that name in this region, or correct the name under the service's secrets.",
    ),
    _cause(
        "environment file",
        r"download env files|file download command",
        "Check that the object named by environment_file_arns exists and that its bucket lets the execution "
        "role read it.",
    ),
    _cause(
        "image of another architecture",
        r"descriptor matching platform|no matching manifest for",
        "Build the image for the task's size.cpu_architecture, or change that.",
    ),
    _cause(
        "registry's rate limit",
        r"toomanyrequests|pull rate limit",
        "Pull from ECR (a copy, or a pull-through cache), or log in to the registry with credentials.",
    ),
    _cause(
        "image too large for the task's storage",
        r"CannotPullContainerError.*no space left on device",
        "Raise the service's size.ephemeral_storage_gib.",
    ),
    _cause(
        "registry permission",
        r"CannotPullContainerError.*(not authorized|AccessDenied|authorization failed|pull access denied"
        r"|no basic auth credentials|\b40[13]\b)|registry auth.*(not authorized|AccessDenied)",
        "Let the execution role pull from the repository, and for another account's also its repository "
        "policy; a registry other than ECR needs credentials.",
    ),
    _cause(
        "image that isn't in the repository",
        r"CannotPullContainerError.*(not found|manifest unknown|does not exist)",
        "Push the version, or name one that is there; a lifecycle policy may have expired it.",
    ),
    _cause(
        "image that can't be pulled",
        r"CannotPull\w*Error",
        "Check that the image's name, its registry and the way there are right.",
    ),
    _cause(
        "file system that can't be mounted",
        r"\bEFS\b|CannotCreateVolumeError|unable to mount|volume mount",
        "Check the file system, its mount targets' security group (port 2049) and the task role.",
    ),
    _cause(
        "command that isn't in the image",
        r"CannotStartContainerError.*(no such file|not found|permission denied)",
        "Correct entry_point and command, or make the file executable in the image.",
    ),
    _cause(
        "image of another architecture",
        r"exec format error",
        "Build the image for the task's size.cpu_architecture, or change that.",
    ),
    _cause(_OUT_OF_MEMORY, r"OutOfMemoryError|OOMKilled", "Raise the service's size.memory_mib."),
    _cause(
        "full disk",
        r"no space left on device|disk full",
        "Raise the service's size.ephemeral_storage_gib.",
    ),
    _cause(
        "Spot interruption",
        r"Spot (task|interruption)|SpotInterruption",
        "AWS took the capacity back, and ECS starts the task again; leave Spot off where that hurts.",
    ),
    _cause(
        "Fargate maintenance",
        r"retir(ed|ement|ing)|infrastructure maintenance|TerminationNotice|host maintenance",
        "AWS replaced the host under the task; there is nothing to mend.",
    ),
)
"""What AWS says of a task that couldn't start or that AWS itself ended, as its reason or a container's."""

LOGGED = (
    _cause(
        "image of another architecture",
        r"exec format error",
        "Build the image for the task's size.cpu_architecture, or change that.",
    ),
    _cause(
        "memory too small for the JVM",
        r"fixed memory regions require|memory calculation failed|unable to calculate memory configuration"
        r"|insufficient memory for the Java Runtime|Could not reserve enough space for .*heap",
        "Raise the service's size.memory_mib, or set BPL_JVM_THREAD_COUNT to fewer threads.",
    ),
    _cause(
        _OUT_OF_MEMORY,
        r"OutOfMemoryError|Java heap space|GC overhead limit exceeded|Metaspace$",
        "Raise the service's size.memory_mib.",
    ),
    _cause(
        _SECRETS_PERMISSION,
        r"(AccessDenied|not authorized).*(secretsmanager|ssm|kms):",
        "Name the secret under the service's secrets; a key of its own also under secrets_kms_key_arns.",
    ),
    _cause(
        "Redis connection",
        r"RedisConnection\w*Exception|RedisCommandTimeoutException|JedisConnectionException"
        r"|unable to connect to redis|\b(NOAUTH|WRONGPASS)\b"
        r"|(redis|lettuce|jedis).*(refused|timed? ?out|unable to connect|unreachable)",
        "Check the Redis address in the service's environment and the security group in front of Redis.",
    ),
    _cause(
        "database connection",
        r"communications link failure|CommunicationsException|SQLNonTransientConnectionException"
        r"|could not open connection|unable to (open|acquire|obtain) (a )?(new )?(jdbc )?connection"
        r"|failed to obtain jdbc connection|HikariPool-\S+ - (Exception during pool initialization"
        r"|Connection is not available)|PoolInitializationException"
        r"|(SQL\w*Exception|jdbc|hikari|database).*(refused|timed? ?out|authentication failed"
        r"|access denied|does not exist|too many connections|unreachable)"
        r"|password authentication failed for user|Access denied for user",
        "Check the database address in the service's environment and the security group in front of it.",
    ),
    _cause(
        "port in use",
        r"Port \d+ was already in use|BindException: Address already in use",
        "Two containers of the task share one network: give each its own port.",
    ),
    _cause(
        "read-only file system",
        r"Read-only file system",
        "Add the folder that it writes to the service's writable_paths.",
    ),
    _cause(
        "full disk",
        r"No space left on device",
        "Raise the service's size.ephemeral_storage_gib, or the tmpfs.",
    ),
)
"""What the application's last words say, each pattern within one line."""

ENDING = (
    _cause(
        "health check of the load balancer",
        r"failed ELB health checks",
        "Check the health check's path, matcher and port, and that grace_period_seconds covers the start.",
    ),
    _cause(
        "health check of the container",
        r"failed container health checks",
        "Check that the image has the command of the health check (docs/images.md; images.kind says which it "
        "is), and that its start_period_seconds covers the start.",
    ),
    _cause(
        "container that doesn't stop or start in time",
        r"(ContainerRuntime|Docker)TimeoutError|CannotStopContainerError",
        "Have the application end on SIGTERM within the stop timeout; ECS starts the task again.",
    ),
)
"""How ECS ended a task that ran, which says less than the application's own words."""

_ENDED_BY_ITSELF = re.compile(r"Essential container in task exited", re.IGNORECASE)

_BY_EXIT_CODE = {
    126: _cause("command that can't be run", "", "Make the file executable in the image."),
    127: _cause("command that isn't in the image", "", "Correct entry_point and command."),
    137: _cause(_OUT_OF_MEMORY, "", "Raise the service's size.memory_mib."),
    139: _cause(
        "crash of a native library", "", "Look for a hs_err file or a library built for another libc."
    ),
}
"""What an exit code says of a container that ended by itself: one that ECS stopped ends with 137, too."""


def likely_cause(task: StoppedTask) -> Cause | None:
    """The cause that the task's reasons, its log or its exit code speak of; None where it can't be told."""
    # What the agent was about to do is no cause; it names secrets where only the image's token was refused.
    reasons = [
        each.replace("unable to pull secrets or registry auth", "")
        for each in (task.stopped_reason, *task.container_reasons)
    ]
    ended_by_itself = _ENDED_BY_ITSELF.search(task.stopped_reason) is not None
    by_code = [_BY_EXIT_CODE[code] for code in task.exit_codes if code in _BY_EXIT_CODE]
    return (
        _first(STARTING, reasons)
        or _first(LOGGED, task.log_lines)
        or _first(ENDING, reasons)
        or (by_code[0] if by_code and ended_by_itself else None)
    )


def explanation(task: StoppedTask) -> list[str]:
    """What ECS remembers of the task, the likely cause and its fix, and the last log lines."""
    lines = [f"Task {short(task.task_arn)} stopped: {task.stopped_reason or 'no reason given'}"]
    lines.extend(f"Container: {reason}" for reason in task.container_reasons)
    if task.exit_codes:
        lines.append(f"Exit code: {', '.join(str(code) for code in task.exit_codes)}")
    cause = likely_cause(task)
    if cause is not None:
        lines.append(f"Likely cause: {cause.name}. {cause.fix}")
    if task.log_lines:
        lines.append("Last log lines:")
        lines.extend(f"  {line}" for line in task.log_lines)
    else:
        lines.append("The task left no log lines.")
    return lines


def short(arn: str) -> str:
    """The last part of an ARN."""
    return arn.rsplit("/", 1)[-1]


def _first(causes: Iterable[Cause], texts: Sequence[str]) -> Cause | None:
    return next((cause for cause in causes if any(cause.pattern.search(text) for text in texts)), None)
