"""What a container may do: no more than an application needs.

Every rule here reads the container definitions; when they can't be read, `ecs-task-definition-readable` says
so once and these rules stay silent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from pulumi_policy import Severity

from ..containers import container_name, container_of, is_agent, read_containers
from ..credentials import credential_in_command, exposed_credential
from ..resources import ECS_EXPRESS, ECS_TASK_DEFINITION, Resource
from ..rule import FSBP, WELL_ARCHITECTED, Catalogue, Finding, Framework, Settings, Threshold
from ..values import Value

catalogue: Final = Catalogue()

_CONTROLS_URL: Final = "https://docs.aws.amazon.com/securityhub/latest/userguide/ecs-controls.html"
_PARAMETERS_URL: Final = (
    "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html"
)
_TEXTS: Final = {"type": "array", "items": {"type": "string", "minLength": 1}}


def _containers(resource: Resource) -> Iterator[tuple[str, Value]]:
    express = map(container_of, resource["primaryContainer"].items())
    for container in (*read_containers(resource).containers, *express):
        yield container_name(container), container


def _is_windows(resource: Resource) -> bool:
    family = resource["runtimePlatform"]["operatingSystemFamily"].text()
    return family is not None and family.startswith("WINDOWS")


@catalogue.resource(
    ECS_TASK_DEFINITION,
    name="ecs-task-network-mode",
    description="a task has a network interface of its own",
    severity=Severity.HIGH,
    framework=Framework(FSBP, "ECS.17"),
    remediation="Set networkMode to awsvpc.",
    url=_CONTROLS_URL + "#ecs-17",
    tags=(
        "ecs",
        "network",
        "prowler:ecs_task_definitions_host_networking_mode_users",
        "isms-p:2.10.2",
    ),
)
def network_mode(resource: Resource, _settings: Settings) -> Iterator[Finding]:
    value = resource["networkMode"]
    if value.text() != "awsvpc":
        yield Finding(f"networkMode is {value.shown()}", "set networkMode to awsvpc", advisory=value.unknown)


@catalogue.resource(
    ECS_TASK_DEFINITION,
    name="ecs-no-host-namespaces",
    description="a task shares neither the host's processes nor its inter-process memory",
    severity=Severity.HIGH,
    framework=Framework(FSBP, "ECS.3"),
    remediation="Take pidMode and ipcMode off the task definition, or set them to task.",
    url=_CONTROLS_URL + "#ecs-3",
    tags=(
        "ecs",
        "checkov:CKV_AWS_335",
        "prowler:ecs_task_definitions_host_namespace_not_shared",
        "isms-p:2.10.2",
    ),
)
def no_host_namespaces(resource: Resource, _settings: Settings) -> Iterator[Finding]:
    for name in ("pidMode", "ipcMode"):
        value = resource[name]
        if not value.missing and value.text() not in ("task", "none"):
            yield Finding(
                f"{name} is {value.shown()}", f"take {name} off, or set it to task", advisory=value.unknown
            )


@catalogue.resource(
    ECS_TASK_DEFINITION,
    name="ecs-no-privileged-container",
    description="no container is privileged",
    severity=Severity.CRITICAL,
    framework=Framework(FSBP, "ECS.4"),
    remediation="Set privileged to false on every container, or leave it out.",
    url=_CONTROLS_URL + "#ecs-4",
    tags=(
        "ecs",
        "checkov:CKV_AWS_334",
        "prowler:ecs_task_definitions_no_privileged_containers",
        "isms-p:2.6.2",
        "isms-p:2.10.2",
    ),
)
def no_privileged_container(resource: Resource, _settings: Settings) -> Iterator[Finding]:
    for name, container in _containers(resource):
        value = container["privileged"]
        if not value.missing and value.boolean() is not False:
            yield Finding(
                f"privileged of container {name} is {value.shown()}",
                "set privileged to false",
                advisory=value.unknown,
            )


@catalogue.resource(
    ECS_TASK_DEFINITION,
    name="ecs-read-only-root-filesystem",
    description="a container's root file system is read-only",
    severity=Severity.HIGH,
    framework=Framework(FSBP, "ECS.5"),
    remediation=(
        "Set readonlyRootFilesystem to true and mount a volume where the application writes, as for /tmp."
    ),
    url=_CONTROLS_URL + "#ecs-5",
    tags=(
        "ecs",
        "checkov:CKV_AWS_336",
        "prowler:ecs_task_definitions_containers_readonly_access",
        "isms-p:2.9.2",
    ),
)
def read_only_root_filesystem(resource: Resource, _settings: Settings) -> Iterator[Finding]:
    if _is_windows(resource):
        return
    for name, container in _containers(resource):
        value = container["readonlyRootFilesystem"]
        if value.boolean() is not True:
            yield Finding(
                f"readonlyRootFilesystem of container {name} is {value.shown()}",
                "set readonlyRootFilesystem to true",
                advisory=is_agent(container),
            )


@catalogue.resource(
    ECS_TASK_DEFINITION,
    ECS_EXPRESS,
    name="ecs-no-secrets-in-environment",
    description=(
        "a secret reaches a container from Secrets Manager or Parameter Store, not as plain environment"
    ),
    severity=Severity.CRITICAL,
    framework=Framework(FSBP, "ECS.8"),
    remediation="Move the variable to the container's secrets, with valueFrom the secret's ARN.",
    url=_CONTROLS_URL + "#ecs-8",
    tags=(
        "ecs",
        "secrets",
        "cdk-nag:AwsSolutions-ECS2",
        "prowler:ecs_task_definitions_no_environment_secrets",
        "isms-p:2.7.1",
        "isms-p:2.10.2",
    ),
    thresholds={
        "secretNames": Threshold([], _TEXTS, "more patterns for names of variables that hold secrets")
    },
)
def no_secrets_in_environment(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """By a variable's, option's or label's name, and by a credential in a value, which is never shown."""
    patterns = [_glob(pattern) for pattern in settings.texts("secretNames")]
    for name, container in _containers(resource):
        for variable in container["environment"].items():
            key = variable["name"].text()
            held = variable["value"]
            if key is None or held.surely_empty:
                continue
            shown = variable["name"].shown()
            found = exposed_credential(key, held.raw if held.known else None)
            if found is None and any(pattern.fullmatch(key.upper()) for pattern in patterns):
                found = "has the name of a credential"
            if found is not None:
                yield Finding(
                    f"variable {shown} of container {name} {found}",
                    f"move {shown} to the container's secrets",
                )
        for value, fix in (
            (container["logConfiguration"]["options"], "move it to the log configuration's secretOptions"),
            (container["dockerLabels"], "take it out of the labels, which everybody can read"),
        ):
            for key, held in value.entries():
                found = exposed_credential(key, held.raw if held.known else None)
                if found is not None and not held.surely_empty:
                    yield Finding(f"{value.path} of container {name}: {key} {found}", fix)
        for part in (container["entryPoint"], container["command"], container["healthCheck"]["command"]):
            found = credential_in_command([text for word in part.items() if (text := word.text())])
            if found is not None:
                yield Finding(
                    f"{part.path} of container {name} holds {found}",
                    "give it by the container's secrets, and name the variable in the command",
                )


def _glob(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in pattern.upper().split("*")))


@catalogue.resource(
    ECS_TASK_DEFINITION,
    name="ecs-container-logging",
    description="every container sends its log somewhere",
    severity=Severity.HIGH,
    framework=Framework(FSBP, "ECS.9"),
    remediation="Give the container a logConfiguration, for example awslogs with a log group of the stack.",
    url=_CONTROLS_URL + "#ecs-9",
    tags=(
        "ecs",
        "logging",
        "cdk-nag:AwsSolutions-ECS7",
        "prowler:ecs_task_definitions_logging_enabled",
        "isms-p:2.9.4",
        "isms-p:2.10.2",
    ),
)
def container_logging(resource: Resource, _settings: Settings) -> Iterator[Finding]:
    for name, container in _containers(resource):
        driver = container["logConfiguration"]["logDriver"]
        if not driver.text() or driver.text() == "none":
            yield Finding(
                f"logConfiguration.logDriver of container {name} is {driver.shown()}",
                "set a log driver",
                advisory=is_agent(container),
            )


@catalogue.resource(
    ECS_TASK_DEFINITION,
    name="ecs-non-root-user",
    description="a container runs as a user other than root",
    severity=Severity.HIGH,
    framework=Framework(FSBP, "ECS.20"),
    remediation="Set user to a number above 0, with the group, such as 1000:1000.",
    url=_CONTROLS_URL + "#ecs-20",
    tags=("ecs",),
)
def non_root_user(resource: Resource, _settings: Settings) -> Iterator[Finding]:
    """Left out means the image's own user, which may be root, so it has to be said."""
    if _is_windows(resource):
        return
    for name, container in _containers(resource):
        value = container["user"]
        user = str(value.integer()) if value.integer() is not None else (value.text() or "")
        uid = user.partition(":")[0].strip()
        if uid == "root" or not uid.strip("0"):
            yield Finding(
                f"user of container {name} is {value.shown()}",
                "set user to a user other than root",
                advisory=is_agent(container),
            )


@catalogue.resource(
    ECS_TASK_DEFINITION,
    name="ecs-task-memory-limit",
    description="a task's memory is limited",
    severity=Severity.MEDIUM,
    framework=Framework(WELL_ARCHITECTED, "REL05-BP01"),
    remediation="Set memory on the task, or on every container of a task on EC2.",
    url=_PARAMETERS_URL,
    tags=("ecs", "cost"),
)
def task_memory_limit(resource: Resource, _settings: Settings) -> Iterator[Finding]:
    task = resource["memory"]
    if task.integer() is not None or (task.text() or "").strip():
        return
    containers = list(_containers(resource))
    if containers and all(container["memory"].integer() is not None for _, container in containers):
        return
    yield Finding(f"memory is {task.shown()}", "set memory on the task", advisory=task.unknown)


@catalogue.resource(
    ECS_TASK_DEFINITION,
    name="ecs-separate-roles",
    description="the application's role isn't the role by which ECS starts its task",
    severity=Severity.MEDIUM,
    framework=Framework(WELL_ARCHITECTED, "SEC03-BP02"),
    remediation="Give taskRoleArn and executionRoleArn a role each.",
    url="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/security-iam-roles.html",
    tags=("ecs", "iam", "checkov:CKV_AWS_249"),
)
def separate_roles(resource: Resource, _settings: Settings) -> Iterator[Finding]:
    task, execution = resource["taskRoleArn"].text(), resource["executionRoleArn"].text()
    if task and task == execution:
        yield Finding("taskRoleArn and executionRoleArn are one role", "give the task a role of its own")


@catalogue.resource(
    ECS_TASK_DEFINITION,
    name="ecs-image-by-digest",
    description="an image is named by its digest, so that what was tested is what runs",
    severity=Severity.MEDIUM,
    framework=Framework(WELL_ARCHITECTED, "SEC06-BP01"),
    remediation="Name the image as REPOSITORY@sha256:DIGEST, or REPOSITORY:TAG@sha256:DIGEST.",
    url="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-type-ecs.html",
    tags=("ecs", "ecr", "supply-chain"),
)
def image_by_digest(resource: Resource, _settings: Settings) -> Iterator[Finding]:
    for name, container in _containers(resource):
        value = container["image"]
        text = value.text()
        if text is None or not re.search(r"@sha256:[0-9a-f]{64}$", text):
            yield Finding(
                f"image of container {name} is {value.shown()}",
                "name the image by its digest",
                advisory=is_agent(container),
            )


@catalogue.resource(
    ECS_TASK_DEFINITION,
    name="ecs-no-added-capabilities",
    description="no container gets Linux capabilities beyond the usual ones",
    severity=Severity.HIGH,
    framework=Framework(WELL_ARCHITECTED, "SEC06-BP02"),
    remediation="Take linuxParameters.capabilities.add off the container.",
    url="https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_KernelCapabilities.html",
    tags=("ecs",),
)
def no_added_capabilities(resource: Resource, _settings: Settings) -> Iterator[Finding]:
    for name, container in _containers(resource):
        value = container["linuxParameters"]["capabilities"]["add"]
        if not value.surely_empty:
            yield Finding(
                f"linuxParameters.capabilities.add of container {name} is {value.shown()}",
                "take the added capabilities off",
                advisory=value.unknown,
            )


@catalogue.resource(
    ECS_TASK_DEFINITION,
    name="ecs-no-host-volumes",
    description="no task mounts a folder of its host",
    severity=Severity.HIGH,
    framework=Framework(WELL_ARCHITECTED, "SEC06-BP02"),
    remediation="Use a volume without a host path, EFS or FSx.",
    url=_PARAMETERS_URL,
    tags=("ecs",),
)
def no_host_volumes(resource: Resource, _settings: Settings) -> Iterator[Finding]:
    for volume in resource["volumes"].items():
        value = volume["hostPath"]
        if not value.surely_empty:
            yield Finding(
                f"{value.path} is {value.shown()}",
                "take the host path off the volume",
                advisory=value.unknown,
            )


@catalogue.resource(
    ECS_TASK_DEFINITION,
    name="ecs-efs-in-transit",
    description="an EFS volume is encrypted in transit",
    severity=Severity.MEDIUM,
    framework=Framework(FSBP, "ECS.18"),
    remediation="Set efsVolumeConfiguration.transitEncryption to ENABLED.",
    url=_CONTROLS_URL + "#ecs-18",
    tags=("ecs", "efs", "checkov:CKV_AWS_97"),
)
def efs_in_transit(resource: Resource, _settings: Settings) -> Iterator[Finding]:
    for volume in resource["volumes"].items():
        for efs in volume["efsVolumeConfiguration"].items():
            value = efs["transitEncryption"]
            if value.text() != "ENABLED":
                yield Finding(
                    f"{value.path} is {value.shown()}",
                    "set transitEncryption to ENABLED",
                    advisory=value.unknown,
                )
