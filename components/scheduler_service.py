"""A background scheduler as an ECS Fargate service that runs exactly once.

Owns the guarantee: there is no argument for a desired count, a load balancer, autoscaling or a
service registry, so none of them can be said. It runs none at all only while it is `paused`. ECS alone can't
promise it against a task that a person runs by hand or a second stack on the same database: that takes a
`lease`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pulumi
import pulumi_aws as aws

from components.alarms import deployment_alarms, heartbeat_alarms, mute_alarm, utilization_alarms
from components.capacity import fargate
from components.lease import Lease, check_lease
from components.lease_holder import check_lease_holder
from components.pause import Pause
from components.paused_scheduler import check_stopped
from components.rollout import ROLLOUT_TIMEOUTS, check_rollout, rollout_hooks
from components.security_group_rules import rule_options
from components.tags import SPOT_TAG
from components.task import create_task
from components.task_options import TaskOptions
from components.validation import all_mistakes

SCHEDULER_SERVICE = "fileflow:ecs:SchedulerService"


@dataclass(frozen=True, kw_only=True)
class SchedulerServiceArgs(TaskOptions):
    """Arguments of `SchedulerService`.

    `port` is where Spring Boot's Actuator answers, to the VPC only. After `stop_timeout_seconds` a task is
    killed, so a restart can overlap no longer than that.

    Raises `InvalidArgumentError` for a value that AWS would refuse or that breaks the guarantee.
    """

    role: ClassVar[str] = "scheduler"

    stop_timeout_seconds: int = 120
    """How long a task may take to finish its message: 2 to 120, Fargate's maximum, by default."""
    spot_opt_in: bool = False
    """Whether it runs on Fargate Spot, which AWS may stop at two minutes' notice; off by default."""
    lease: Lease | None = None
    """The lease that the scheduler holds while it works; none by default. See docs/singleton.md."""
    paused: Pause | None = None
    """Why no task of it runs for a while; none by default: exactly one runs. All else stays as it is."""

    @all_mistakes
    def __post_init__(self) -> None:
        self.check_alike()
        if self.lease is not None:
            check_lease(self.container, self.sidecars)


class SchedulerService(pulumi.ComponentResource):
    """One scheduler: a service of exactly one task, with its roles, logs, security group and alarms."""

    service_name: pulumi.Output[str]
    """The service's name."""
    service_arn: pulumi.Output[str]
    """The service's ARN."""
    task_definition_arn: pulumi.Output[str]
    """The revision that was asked for."""
    log_group_name: pulumi.Output[str]
    """The log group of its tasks."""
    security_group_id: pulumi.Output[str]
    """The security group of its tasks, which databases let in."""
    execution_role_arn: pulumi.Output[str]
    """The role by which ECS starts its tasks."""
    task_role_arn: pulumi.Output[str]
    """The role that its tasks have."""

    def __init__(
        self, name: str, args: SchedulerServiceArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(
            SCHEDULER_SERVICE,
            name,
            {"serviceName": args.service_name, "port": args.port, "spotOptIn": args.spot_opt_in},
            opts,
        )
        tags = args.all_tags
        task = create_task(name, args, self)
        aws.vpc.SecurityGroupIngressRule(
            f"{name}-actuator",
            security_group_id=task.security_group.id,
            description="Prometheus asks the Actuator from inside the VPC",
            ip_protocol="tcp",
            from_port=args.port,
            to_port=args.port,
            cidr_ipv4=args.placement.cidr_block,
            tags=tags,
            opts=rule_options(task.security_group, self),
        )
        strategies = [fargate(1, spot=args.spot_opt_in)]
        service = aws.ecs.Service(
            f"{name}-service",
            name=args.service_name,
            cluster=args.cluster_arn,
            task_definition=task.definition.arn,
            desired_count=1 if args.paused is None else 0,
            scheduling_strategy="REPLICA",
            # Stop before start: ECS's own default of 100/200 starts the new task first.
            deployment_minimum_healthy_percent=0,
            deployment_maximum_percent=100,
            deployment_controller={"type": "ECS"},
            deployment_configuration={"strategy": "ROLLING"},
            deployment_circuit_breaker={"enable": True, "rollback": True},
            alarms=deployment_alarms(task.start_failure, args.alarms),
            # ECS's default ENABLED needs a maximum above 100, and an update that leaves it out keeps it.
            availability_zone_rebalancing="DISABLED",
            capacity_provider_strategies=strategies,
            force_new_deployment=True,
            platform_version="LATEST",
            network_configuration={
                "assign_public_ip": False,
                "security_groups": [task.security_group.id],
                "subnets": args.placement.private_subnet_ids,
            },
            enable_ecs_managed_tags=True,
            enable_execute_command=args.access.execute_command,
            propagate_tags="SERVICE",
            wait_for_steady_state=True,
            tags={
                **tags,
                **({SPOT_TAG: "true"} if args.spot_opt_in else {}),
                **({} if args.paused is None else args.paused.tags),
            },
            opts=pulumi.ResourceOptions(
                parent=self,
                # Without its way out a task can't pull its image.
                depends_on=[task.egress],
                # A replacement, for example by a new name, must not run two for a moment.
                delete_before_replace=True,
                hooks=rollout_hooks(name, self),
                custom_timeouts=ROLLOUT_TIMEOUTS,
            ),
        )
        checked = check_rollout(service, args.cluster_arn, task, args.placement, strategies, self)
        none_running = heartbeat_alarms(name, args.cluster_arn, service.name, args.alarms, tags, self)
        if args.paused is not None:
            mute_alarm(f"{name}-paused", none_running, args.paused, tags, self)
        if checked is not None and args.paused is not None:
            check_stopped(checked, service, args.stop_timeout_seconds, self)
        elif checked is not None and args.lease is not None:
            check_lease_holder(checked, service, args.lease, args.stop_timeout_seconds, self)
        utilization_alarms(name, args.cluster_arn, service.name, args.alarms, tags, self)
        self.service_name = service.name
        self.service_arn = service.arn
        self.task_definition_arn = task.definition.arn
        self.log_group_name = task.log_group.name
        self.security_group_id = task.security_group.id
        self.execution_role_arn = task.roles.execution.arn
        self.task_role_arn = task.roles.task.arn
        self.register_outputs(
            {
                "service_name": self.service_name,
                "service_arn": self.service_arn,
                "task_definition_arn": self.task_definition_arn,
                "log_group_name": self.log_group_name,
                "security_group_id": self.security_group_id,
                "execution_role_arn": self.execution_role_arn,
                "task_role_arn": self.task_role_arn,
            }
        )
