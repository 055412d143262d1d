"""What Fargate needs before a task's containers start: an execution role's rights, secrets and log groups.

Owns the refusals that a program's own roles can cause, by AWS's words: a role that ECS may not assume, a
secret that the role may not read or that isn't there, an image that it may not pull, a log group that it may
not write to or that isn't there. Deliberately checks nothing of a role that doesn't exist in the emulated
IAM, nor what the task role allows the application.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import chain
from typing import Any
from urllib.parse import unquote

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region, request_scope
from ministack.services import ecs, secretsmanager, ssm

from local.emulator.completions.ecr import repository_of
from local.emulator.completions.ecs_surroundings import refuse_start
from local.emulator.completions.inside import ask, ask_json
from local.emulator.completions.logs import log_group_exists
from local.emulator.completions.patching import AwsError, wrap
from local.emulator.completions.resource_policies import admits

ECS_TASKS = "ecs-tasks.amazonaws.com"
_NO_SECRETS = "ResourceInitializationError: unable to pull secrets or registry auth: "
_TRIED_AGAIN = "service call has been retried 1 time(s): "
_FROM_PARAMETER_STORE = f"unable to retrieve secrets from ssm: {_TRIED_AGAIN}"
_FROM_SECRETS_MANAGER = f"unable to retrieve secret from asm: {_TRIED_AGAIN}"


def install() -> None:
    """Checks before the containers of a task are started."""
    wrap(ecs, "_start_task_worker", _check_first)


def _check_first(original: Any, task: dict[str, Any], definition: dict[str, Any], *rest: Any) -> None:
    problem = start_problem(task, definition)
    if problem is not None:
        refuse_start(task, problem)
    original(task, definition, *rest)


def start_problem(task: dict[str, Any], definition: dict[str, Any]) -> str | None:
    """Why the task can't start, as its `stoppedReason` says it on AWS; None if it can."""
    role_arn = definition.get("executionRoleArn", "")
    role = _role(role_arn.rpartition("/")[2]) if role_arn else None
    problems = iter(()) if role is None else _role_problems(role, role_arn, task, definition)
    return next(chain(problems, _missing_secrets(definition), _log_problems(role, task, definition)), None)


def _role_problems(
    role: dict[str, Any], role_arn: str, task: dict[str, Any], definition: dict[str, Any]
) -> Iterator[str]:
    if not _ecs_may_assume(role):
        yield (
            f"ECS was unable to assume the role '{role_arn}' that was provided for this task. Please verify "
            "that the role being passed has the proper trust relationship and permissions and that your IAM "
            "user has permissions to pass this role."
        )
    for container in definition.get("containerDefinitions", []):
        credentials = (container.get("repositoryCredentials") or {}).get("credentialsParameter")
        references = [secret.get("valueFrom", "") for secret in container.get("secrets") or []]
        for reference in [*references, *([credentials] if credentials else [])]:
            action, resource = _secret_access(reference)
            denial = _denial(role, task, action, resource)
            if denial:
                store = _FROM_PARAMETER_STORE if action.startswith("ssm:") else _FROM_SECRETS_MANAGER
                yield f"{_NO_SECRETS}execution resource retrieval failed: {store}{denial}"
        repository = repository_of(container.get("image", ""))
        if repository:
            for action, resource in (("ecr:GetAuthorizationToken", "*"), ("ecr:BatchGetImage", repository)):
                denial = _denial(role, task, action, resource)
                if denial:
                    yield f"{_NO_SECRETS}the task cannot pull registry auth from Amazon ECR: {denial}"


def _missing_secrets(definition: dict[str, Any]) -> Iterator[str]:
    """What a container is to read and isn't there, in the words that people search AWS's pages for.

    Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/resolve-resource-initialization-error.html
    """
    for container in definition.get("containerDefinitions", []):
        for secret in container.get("secrets") or []:
            problem = _missing(secret["valueFrom"])
            if problem:
                yield f"{_NO_SECRETS}execution resource retrieval failed: {problem}"


def _missing(reference: str) -> str | None:
    if ":secretsmanager:" not in reference:
        name = reference.partition(":parameter")[2] or reference
        is_there = ssm.resolve_parameter_value(reference) is not None
        return None if is_there else f"{_FROM_PARAMETER_STORE}invalid parameters: {name}"
    parts = [*reference.split(":"), ""]
    arn, key = ":".join(parts[:7]), parts[7]
    value = secretsmanager.resolve_secret_string(arn)
    if value is None:
        return (
            f"{_FROM_SECRETS_MANAGER}failed to fetch secret {arn} from secrets manager: "
            "ResourceNotFoundException: Secrets Manager can't find the specified secret."
        )
    if key and key not in _members(value):
        return f"retrieved secret from Secrets Manager did not contain json key {key}"
    return None


def _members(value: str) -> dict[str, Any]:
    try:
        content = json.loads(value)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _ecs_may_assume(role: dict[str, Any]) -> bool:
    context = {
        "aws:SourceAccount": get_account_id(),
        "aws:SourceArn": f"arn:aws:ecs:{get_region()}:{get_account_id()}:*",
    }
    statements = _document(role["AssumeRolePolicyDocument"]).get("Statement", [])
    trusting = [
        statement | {"Resource": "*"}
        for statement in ([statements] if isinstance(statements, dict) else statements)
    ]
    return admits({"Statement": trusting}, ECS_TASKS, "sts:AssumeRole", role["Arn"], context)


def _role(name: str) -> dict[str, Any] | None:
    try:
        role: dict[str, Any] = ask("iam", "GetRole", {"RoleName": name})["Role"]
    except AwsError:
        return None
    return role


def _document(text: str) -> dict[str, Any]:
    """A policy as IAM's API has it, percent-encoded.

    Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRolePolicy.html
    """
    document: dict[str, Any] = json.loads(text if text.lstrip().startswith("{") else unquote(text))
    return document


def _policies_of(role: str) -> list[Any]:
    """What a role's own policies say, as ministack's evaluation reads it."""
    of_role = {"RoleName": role}
    inline = [
        _document(ask("iam", "GetRolePolicy", of_role | {"PolicyName": name})["PolicyDocument"])
        for name in ask("iam", "ListRolePolicies", of_role)["PolicyNames"]
    ]
    attached = ask("iam", "ListAttachedRolePolicies", of_role)["AttachedPolicies"]
    documents = [*inline, *(_managed(policy["PolicyArn"]) for policy in attached)]
    return [iam_evaluator.parse_policy_document(document) for document in documents]


def _managed(arn: str) -> dict[str, Any]:
    version = ask("iam", "GetPolicy", {"PolicyArn": arn})["Policy"]["DefaultVersionId"]
    found = ask("iam", "GetPolicyVersion", {"PolicyArn": arn, "VersionId": version})["PolicyVersion"]
    return _document(found["Document"])


def _boundaries(role: dict[str, Any]) -> list[list[Any]]:
    arn = role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
    return [[iam_evaluator.parse_policy_document(_managed(arn))]] if arn else []


def _secret_access(value_from: str) -> tuple[str, str]:
    if ":secretsmanager:" in value_from:
        return "secretsmanager:GetSecretValue", _whole_arn(":".join(value_from.split(":")[:7]))
    if value_from.startswith("arn:"):
        return "ssm:GetParameters", value_from
    name = value_from.lstrip("/")
    return "ssm:GetParameters", f"arn:aws:ssm:{get_region()}:{get_account_id()}:parameter/{name}"


def _whole_arn(given: str) -> str:
    """A secret's ARN: IAM compares the whole one, also where ECS was given it without its ending.

    Source: https://docs.aws.amazon.com/secretsmanager/latest/userguide/troubleshoot.html
    """
    try:
        return str(ask_json("secretsmanager", "DescribeSecret", {"SecretId": given})["ARN"])
    except AwsError:
        return given


def _denial(role: dict[str, Any], task: dict[str, Any], action: str, resource: str) -> str | None:
    """AWS's words for an action that the role may not do; None if it may."""
    name, account = role["RoleName"], get_account_id()
    principal = f"arn:aws:sts::{account}:assumed-role/{name}/{task['taskArn'].rpartition('/')[2]}"
    context = iam_evaluator.EvalContext(
        principal_arn=principal,
        principal_type="AssumedRole",
        principal_account=account,
        action=action,
        resource_arn=resource,
        region=get_region(),
    )
    decision = iam_evaluator.evaluate(
        context,
        _policies_of(name),
        *_boundaries(role),
    ).decision
    if decision == "Allow":
        return None
    because = f"because no identity-based policy allows the {action} action"
    ending = "with an explicit deny" if decision == "Deny" else because
    refused = f"User: {principal} is not authorized to perform: {action} on resource: {resource}"
    return f"AccessDeniedException: {refused} {ending}"


def _log_problems(
    role: dict[str, Any] | None, task: dict[str, Any], definition: dict[str, Any]
) -> Iterator[str]:
    task_id = task["taskArn"].rpartition("/")[2]
    for container in definition.get("containerDefinitions", []):
        configured = container.get("logConfiguration") or {}
        options = configured.get("options") or {}
        name = options.get("awslogs-group")
        if configured.get("logDriver") != "awslogs" or not name:
            continue
        region = options.get("awslogs-region") or get_region()
        with request_scope(get_account_id(), region):
            known = log_group_exists(name)
        group = f"arn:aws:logs:{region}:{get_account_id()}:log-group:{name}"
        failed = (
            "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 "
            "times: failed to create Cloudwatch log stream: "
        )
        if not known and options.get("awslogs-create-group", "").lower() != "true":
            missing = f"The specified log group does not exist. ({name})"
            yield f"{failed}ResourceNotFoundException: {missing}"
        if role is None:
            continue
        actions = ["logs:CreateLogStream", "logs:PutLogEvents"]
        if not known:
            actions.insert(0, "logs:CreateLogGroup")
        prefix = options.get("awslogs-stream-prefix")
        stream = f"{prefix}/{container['name']}/{task_id}" if prefix else task_id
        for action in actions:
            denial = _denial(role, task, action, f"{group}:log-stream:{stream}")
            if denial:
                yield f"{failed}{denial}"
