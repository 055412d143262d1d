"""A REST API as an ECS Fargate service behind an application load balancer.

Owns the service, its task, its load balancer, its autoscaling and its alarms. Doesn't own the
network, the cluster or the image: they are handed in, so that it works in any program.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import pulumi
import pulumi_aws as aws

from components.alarms import deployment_alarms, no_healthy_task_alarm, utilization_alarms, web_alarms
from components.autoscaling import ScaledService, scale
from components.capacity import fargate
from components.image_kind import HEALTH_PROBES
from components.load_balancer import LoadBalancer, create_load_balancer
from components.rollout import ROLLOUT_TIMEOUTS, check_rollout, rollout_hooks
from components.security_group_rules import rule_options
from components.task import Task, create_task
from components.task_options import TaskOptions
from components.validation import all_mistakes, check_range, check_unique
from components.waiting import once
from components.web_options import (
    Autoscaling,
    Capacity,
    IngressRule,
    LoadBalancing,
    ServiceConnect,
    check_outlives_deregistration,
)

WEB_API_SERVICE = "fileflow:ecs:WebApiService"


@dataclass(frozen=True, kw_only=True)
class WebApiServiceArgs(TaskOptions):
    """Arguments of `WebApiService`.

    `port` is where the API and its Actuator answer, to the load balancer's security group and, for
    Prometheus, inside the VPC; the load balancer itself hides the Actuator. `stop_timeout_seconds` must be
    above the load balancer's deregistration delay.

    Raises `InvalidArgumentError` for a value that AWS would refuse, and for a stop timeout that cuts
    requests off.
    """

    role: ClassVar[str] = "web-api"

    load_balancing: LoadBalancing
    """The load balancer in front of it."""
    autoscaling: Autoscaling = field(default_factory=Autoscaling)
    """How many tasks there are: 1 to 4 by default."""
    capacity: Capacity = field(default_factory=Capacity)
    """Which share of them runs on Spot; none by default."""
    service_connect: ServiceConnect | None = None
    """By which name other services of a namespace call it; by none by default."""
    ingress: Sequence[IngressRule] = ()
    """Further ways into its tasks; none by default."""
    stop_timeout_seconds: int = 60
    """How long a task may take to finish its requests, 2 to 120; 60 by default."""
    grace_period_seconds: int = 180
    """How long a new task's failing health checks are forgiven; 180 by default."""

    @all_mistakes
    def __post_init__(self) -> None:
        self.check_alike()
        check_range(
            "grace_period_seconds",
            self.grace_period_seconds,
            0,
            2_147_483_647,
            "the health check grace period",
        )
        check_outlives_deregistration(
            self.stop_timeout_seconds,
            "load_balancing.deregistration_delay_seconds",
            self.load_balancing.deregistration_delay_seconds,
        )
        check_unique(
            "ingress",
            [
                f"{rule.source_security_group_id or rule.source_cidr_block} to {rule.port}"
                for rule in self.ingress
                if not isinstance(rule.source_security_group_id, pulumi.Output)
            ],
            "a way in",
        )

    @property
    def port_name(self) -> str | None:
        """The name that other services of the mesh call the port by."""
        return None if self.service_connect is None else self.service_connect.discovery_name

    @property
    def told(self) -> Mapping[str, str]:
        """The variables by which Spring Boot is told where it runs, its load balancer among it."""
        return {**super().told, **spring_environment(self.load_balancing)}


class WebApiService(pulumi.ComponentResource):
    """The web API: an autoscaled service with its load balancer, roles, logs and alarms."""

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
    load_balancer_security_group_id: pulumi.Output[str]
    """The security group of its load balancer."""
    load_balancer_dns_name: pulumi.Output[str]
    """Where it is reached."""
    load_balancer_arn_suffix: pulumi.Output[str]
    """By which metrics name its load balancer."""
    target_group_arn_suffix: pulumi.Output[str]
    """By which metrics name its target group."""

    def __init__(
        self, name: str, args: WebApiServiceArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(WEB_API_SERVICE, name, {"serviceName": args.service_name, "port": args.port}, opts)
        task = create_task(name, args, self)
        load_balancer = create_load_balancer(
            name, args.load_balancing, args.port, args.placement.vpc_id, args.all_tags, self
        )
        ways_in = _ways_in(name, args, task, load_balancer, self)
        errors = self._watch_answers(name, args, load_balancer)
        service = self._service(name, args, task, load_balancer, ways_in, errors)
        self._scale(name, args, load_balancer, service)
        self._watch_tasks(name, args, load_balancer, service)
        self.register_outputs(self._outputs(service, task, load_balancer))

    def _watch_answers(
        self, name: str, args: WebApiServiceArgs, load_balancer: LoadBalancer
    ) -> aws.cloudwatch.MetricAlarm:
        """Alarms on what callers see, before there is a service; the one on errors guards its rollouts."""
        return web_alarms(
            name,
            load_balancer.balancer.arn_suffix,
            load_balancer.target_group.arn_suffix,
            args.alarms,
            args.all_tags,
            self,
        )

    def _scale(
        self, name: str, args: WebApiServiceArgs, load_balancer: LoadBalancer, service: aws.ecs.Service
    ) -> None:
        scale(
            name,
            ScaledService(
                cluster_arn=args.cluster_arn,
                service_name=service.name,
                load_balancer_arn_suffix=load_balancer.balancer.arn_suffix,
                target_group_arn_suffix=load_balancer.target_group.arn_suffix,
            ),
            args.autoscaling,
            self,
        )

    def _watch_tasks(
        self, name: str, args: WebApiServiceArgs, load_balancer: LoadBalancer, service: aws.ecs.Service
    ) -> None:
        """Alarms on the tasks, once there are some."""
        utilization_alarms(name, args.cluster_arn, service.name, args.alarms, args.all_tags, self)
        no_healthy_task_alarm(
            name,
            load_balancer.balancer.arn_suffix,
            load_balancer.target_group.arn_suffix,
            args.alarms,
            args.all_tags,
            service,
            self,
        )

    def _service(
        self,
        name: str,
        args: WebApiServiceArgs,
        task: Task,
        load_balancer: LoadBalancer,
        ways_in: Sequence[pulumi.Resource],
        errors: aws.cloudwatch.MetricAlarm,
    ) -> aws.ecs.Service:
        strategies = _strategies(args.capacity)
        service = aws.ecs.Service(
            f"{name}-service",
            name=args.service_name,
            # A service keeps its cluster for good. So where the target group is replaced, as in another VPC,
            # the engine deletes the service first, and with it what scales it: its tasks are deregistered
            # and drained. Elastic Load Balancing would let the group go with tasks in it, and a service
            # whose tasks ECS can't deregister any more never ends a deployment again.
            # https://github.com/aws/containers-roadmap/issues/2196,
            # https://github.com/hashicorp/terraform-provider-aws/issues/34337
            cluster=once(args.cluster_arn, load_balancer.target_group.arn),
            task_definition=task.definition.arn,
            desired_count=args.autoscaling.minimum_count,
            scheduling_strategy="REPLICA",
            deployment_minimum_healthy_percent=100,
            deployment_maximum_percent=200,
            deployment_controller={"type": "ECS"},
            deployment_configuration={"strategy": "ROLLING"},
            deployment_circuit_breaker={"enable": True, "rollback": True},
            alarms=deployment_alarms(errors, args.alarms),
            availability_zone_rebalancing="ENABLED",
            capacity_provider_strategies=strategies,
            force_new_deployment=True,
            platform_version="LATEST",
            network_configuration={
                "assign_public_ip": False,
                "security_groups": [task.security_group.id],
                "subnets": args.placement.private_subnet_ids,
            },
            load_balancers=[
                {
                    "target_group_arn": load_balancer.target_group.arn,
                    "container_name": args.main_name,
                    "container_port": args.port,
                }
            ],
            health_check_grace_period_seconds=args.grace_period_seconds,
            service_connect_configuration=_service_connect(args),
            enable_ecs_managed_tags=True,
            enable_execute_command=args.access.execute_command,
            propagate_tags="SERVICE",
            wait_for_steady_state=True,
            tags=args.all_tags,
            opts=pulumi.ResourceOptions(
                parent=self,
                # Without its way out a task can't pull its image.
                depends_on=[*load_balancer.ready, *ways_in, task.egress],
                # After creation the number of tasks is autoscaling's.
                ignore_changes=["desiredCount"],
                hooks=rollout_hooks(name, self),
                custom_timeouts=ROLLOUT_TIMEOUTS,
            ),
        )
        check_rollout(service, args.cluster_arn, task, args.placement, strategies, self)
        return service

    def _outputs(
        self, service: aws.ecs.Service, task: Task, load_balancer: LoadBalancer
    ) -> dict[str, pulumi.Output[str]]:
        self.service_name = service.name
        self.service_arn = service.arn
        self.task_definition_arn = task.definition.arn
        self.log_group_name = task.log_group.name
        self.security_group_id = task.security_group.id
        self.execution_role_arn = task.roles.execution.arn
        self.task_role_arn = task.roles.task.arn
        self.load_balancer_security_group_id = load_balancer.security_group.id
        self.load_balancer_dns_name = load_balancer.balancer.dns_name
        self.load_balancer_arn_suffix = load_balancer.balancer.arn_suffix
        self.target_group_arn_suffix = load_balancer.target_group.arn_suffix
        return {name: getattr(self, name) for name in WebApiService.__annotations__}


def _strategies(capacity: Capacity) -> list[aws.ecs.ServiceCapacityProviderStrategyArgs]:
    """On-demand capacity, and Spot beside it where the program asks for some."""
    strategies = [fargate(capacity.fargate_weight, base=capacity.base)]
    if capacity.spot_weight > 0:
        strategies.append(fargate(capacity.spot_weight, spot=True))
    return strategies


def spring_environment(load_balancing: LoadBalancing) -> dict[str, str]:
    """What Spring Boot must be told to fit its load balancer; a variable of the user's own wins.

    Tomcat keeps an idle connection for a minute, as the load balancer does by default: a request that is
    sent while Tomcat closes is answered with 502. So Tomcat keeps it longer. And a load balancer should ask
    its liveness group.
    Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html
    (section "Connection idle timeout")
    """
    return {
        **HEALTH_PROBES,
        "SERVER_TOMCAT_KEEPALIVETIMEOUT": f"{load_balancing.idle_timeout_seconds + 15}s",
    }


def _ways_in(
    name: str, args: WebApiServiceArgs, task: Task, load_balancer: LoadBalancer, parent: pulumi.Resource
) -> list[pulumi.Resource]:
    """Who may reach the tasks: the load balancer, Prometheus inside the VPC, and whom the caller names.

    Each rule's name ends in its port: while the port changes, the rule for the old tasks stays until the
    new ones have taken over.
    """
    port = args.port
    tags = args.all_tags
    group = task.security_group

    def way_in(
        rule_name: str,
        description: str,
        to_port: int,
        *,
        group_id: pulumi.Input[str] | None = None,
        cidr_block: pulumi.Input[str] | None = None,
        former_name: str | None = None,
    ) -> aws.vpc.SecurityGroupIngressRule:
        return aws.vpc.SecurityGroupIngressRule(
            rule_name,
            security_group_id=group.id,
            description=description,
            ip_protocol="tcp",
            from_port=to_port,
            to_port=to_port,
            referenced_security_group_id=group_id,
            cidr_ipv4=cidr_block,
            tags=tags,
            opts=rule_options(group, parent, former_name),
        )

    for index, rule in enumerate(args.ingress):
        source = rule.source_security_group_id or rule.source_cidr_block
        # Not by its place: a rule that moved would exist twice for a moment, which EC2 refuses.
        suffix = source.replace("/", "-") if isinstance(source, str) else str(index)
        way_in(
            f"{name}-ingress-{rule.port}-{suffix}",
            rule.description,
            rule.port,
            group_id=rule.source_security_group_id,
            cidr_block=rule.source_cidr_block,
        )
    to_tasks = aws.vpc.SecurityGroupEgressRule(
        f"{name}-to-tasks-{port}",
        security_group_id=load_balancer.security_group.id,
        description="The tasks, and nobody else",
        ip_protocol="tcp",
        from_port=port,
        to_port=port,
        referenced_security_group_id=group.id,
        tags=tags,
        opts=rule_options(load_balancer.security_group, parent, f"{name}-to-tasks"),
    )
    return [
        to_tasks,
        way_in(
            f"{name}-from-load-balancer-{port}",
            "The load balancer",
            port,
            group_id=load_balancer.security_group.id,
            former_name=f"{name}-from-load-balancer",
        ),
        way_in(
            f"{name}-actuator-{port}",
            "Prometheus asks the Actuator from inside the VPC",
            port,
            cidr_block=args.placement.cidr_block,
        ),
    ]


def _service_connect(
    args: WebApiServiceArgs,
) -> aws.ecs.ServiceServiceConnectConfigurationArgs | None:
    connect = args.service_connect
    if connect is None:
        return None
    return aws.ecs.ServiceServiceConnectConfigurationArgs(
        enabled=True,
        namespace=connect.namespace_arn,
        services=[
            aws.ecs.ServiceServiceConnectConfigurationServiceArgs(
                port_name=connect.discovery_name,
                discovery_name=connect.discovery_name,
                client_alias=[
                    aws.ecs.ServiceServiceConnectConfigurationServiceClientAliasArgs(
                        dns_name=connect.discovery_name, port=args.port
                    )
                ],
            )
        ],
    )
