"""The task of a service: its definition, roles, log group and security group.

Owns what a web service and a scheduler have alike, as functions that both components call. Doesn't
own the service itself, nor who may reach it.
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.aws_environment import AwsEnvironment
from components.container_definition import LogDestination, container_definition, volume_name, with_sidecars
from components.imported import security_group_options
from components.lease import guarded, lease_alarms, lease_volumes
from components.log_alarms import log_alarms
from components.log_group import create_log_group
from components.roles import TaskRoles
from components.secret_references import with_secret_arns
from components.security_group_rules import rule_options
from components.task_options import TaskOptions


@dataclass(frozen=True, kw_only=True)
class Task:
    """The resources of one task."""

    definition: aws.ecs.TaskDefinition
    roles: TaskRoles
    log_group: aws.cloudwatch.LogGroup
    security_group: aws.ec2.SecurityGroup
    egress: aws.vpc.SecurityGroupEgressRule
    start_failure: aws.cloudwatch.MetricAlarm


def create_task(name: str, options: TaskOptions, parent: pulumi.Resource) -> Task:
    """Creates the task's resources as children of `parent`, each named after `name`."""
    environment = AwsEnvironment.of(parent)
    options = with_secret_arns(options, environment, parent)
    log_group = create_log_group(
        f"{name}-logs", options.log_group_name, options.logging, options.all_tags, parent
    )
    start_failure = log_alarms(name, log_group, options.family, options.alarms, options.all_tags, parent)
    roles = TaskRoles.create(name, options, environment, parent)
    logs = LogDestination(group_name=options.log_group_name, region=environment.region)
    main = container_definition(
        name=options.main_name,
        image=options.image,
        options=options.main,
        logs=logs,
        port=options.port,
        port_name=options.port_name,
        memory_mib=options.main_memory_mib,
        stop_timeout_seconds=options.stop_timeout_seconds,
    )
    definitions = with_sidecars(main, options.sidecars, logs)
    if options.lease is not None:
        definitions = guarded(definitions, options.lease, options.main, options.stop_timeout_seconds, logs)
        lease_alarms(name, log_group, options.family, options.alarms, options.all_tags, parent)
    size = options.size
    definition = aws.ecs.TaskDefinition(
        f"{name}-task",
        family=options.family,
        cpu=str(size.cpu),
        memory=str(size.memory_mib),
        network_mode="awsvpc",
        requires_compatibilities=["FARGATE"],
        runtime_platform={"cpu_architecture": size.cpu_architecture, "operating_system_family": "LINUX"},
        ephemeral_storage=(
            None if size.ephemeral_storage_gib is None else {"size_in_gib": size.ephemeral_storage_gib}
        ),
        execution_role_arn=roles.execution.arn,
        task_role_arn=roles.task.arn,
        container_definitions=pulumi.Output.json_dumps(definitions, sort_keys=True),
        volumes=[
            {"name": volume_name(container_name, path.path)}
            for container_name, container in options.containers.items()
            for path in container.writable_paths
            if path.kind == "volume"
        ]
        + lease_volumes(options.lease),
        tags=options.all_tags,
        # On call may return to the revision before by the CLI, which a deregistered one doesn't allow.
        skip_destroy=True,
        # Roles without their policies would let the first task fail; a log group that is missing too.
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[log_group, *roles.policies]),
    )
    security_group = aws.ec2.SecurityGroup(
        f"{name}-tasks",
        description=f"Tasks of {options.family}",
        vpc_id=options.placement.vpc_id,
        tags={**options.all_tags, "Name": options.family},
        opts=security_group_options(parent),
    )
    egress = aws.vpc.SecurityGroupEgressRule(
        f"{name}-egress",
        security_group_id=security_group.id,
        description="Databases, queues and AWS endpoints",
        ip_protocol="-1",
        cidr_ipv4="0.0.0.0/0",
        tags=options.all_tags,
        opts=rule_options(security_group, parent),
    )
    return Task(
        start_failure=start_failure,
        definition=definition,
        roles=roles,
        log_group=log_group,
        security_group=security_group,
        egress=egress,
    )
