"""The application load balancer in front of a web service.

Owns the load balancer, its security group, its listeners and its target group. Doesn't own the tasks
behind it, nor the certificate or the bucket that it is given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.access_log_bucket import create_access_log_bucket
from components.certificate import certificate_arn, host_record
from components.imported import security_group_options
from components.running_load_balancer import checked_scheme
from components.security_group_rules import rule_options
from components.web_acl import associate_web_acl, create_web_acl
from components.web_options import LoadBalancing

FORMER_COMPONENT = "awsx:lb:ApplicationLoadBalancer"
"""What the parts below were children of: stacks that run know them by it."""


@dataclass(frozen=True, kw_only=True)
class LoadBalancer:
    """The load balancer's resources, and what a service must wait for before it registers targets."""

    balancer: aws.lb.LoadBalancer
    target_group: aws.lb.TargetGroup
    security_group: aws.ec2.SecurityGroup
    ready: list[pulumi.Resource]


@dataclass(frozen=True, kw_only=True)
class _Part:
    """What the parts of one load balancer have alike."""

    name: str
    options: LoadBalancing
    tags: Mapping[str, str]
    parent: pulumi.Resource

    def child(
        self,
        *,
        former_name: str | None = None,
        depends_on: list[pulumi.Resource] | None = None,
        ignore_changes: list[str] | None = None,
        protect: bool | None = None,
        replacement_trigger: pulumi.Input[str] | None = None,
        delete_before_replace: bool | None = None,
    ) -> pulumi.ResourceOptions:
        """A child of `parent` that a running stack may know as awsx's child `former_name`."""
        aliases = None
        if former_name is not None:
            former_parent = self.parent.urn.apply(lambda urn: former_component(urn, self.name))
            aliases = [pulumi.Alias(name=former_name, parent=former_parent)]
        return pulumi.ResourceOptions(
            parent=self.parent,
            aliases=aliases,
            depends_on=depends_on,
            ignore_changes=ignore_changes,
            protect=protect,
            replacement_trigger=replacement_trigger,
            delete_before_replace=delete_before_replace,
        )


def former_component(parent_urn: str, name: str) -> str:
    """The URN that awsx's component `name` had as a child of `parent_urn`.

    Source: https://www.pulumi.com/docs/iac/concepts/resources/names/#urns
    """
    stack, project, types, _ = parent_urn.split("::", 3)
    return f"{stack}::{project}::{types}${FORMER_COMPONENT}::{name}"


def create_load_balancer(
    name: str,
    options: LoadBalancing,
    port: int,
    vpc_id: pulumi.Input[str],
    tags: Mapping[str, str],
    parent: pulumi.Resource,
) -> LoadBalancer:
    """Creates the load balancer as a child of `parent`, forwarding to `port` of the tasks."""
    part = _Part(name=name, options=options, tags=tags, parent=parent)
    security_group, open_ports = _security_group(part, vpc_id)
    balancer = _balancer(part, security_group, vpc_id)
    target_group = _target_group(part, port, vpc_id, balancer)
    listeners = _listeners(part, balancer, target_group, open_ports)
    if options.web_acl_arn is not None:
        associate_web_acl(name, options.web_acl_arn, balancer.arn, parent)
    if options.web_acl is not None:
        create_web_acl(name, options.web_acl, balancer.arn, tags, parent)
    if options.https is not None:
        host_record(name, options.https, balancer, parent)
    return LoadBalancer(
        balancer=balancer,
        target_group=target_group,
        security_group=security_group,
        ready=[*open_ports, *listeners],
    )


def _security_group(
    part: _Part, vpc_id: pulumi.Input[str]
) -> tuple[aws.ec2.SecurityGroup, list[pulumi.Resource]]:
    options, tags = part.options, part.tags
    group = aws.ec2.SecurityGroup(
        f"{part.name}-load-balancer",
        description=f"Load balancer {options.name}",
        vpc_id=vpc_id,
        tags={**tags, "Name": options.name},
        opts=security_group_options(part.parent),
    )
    open_ports: list[pulumi.Resource] = [
        aws.vpc.SecurityGroupIngressRule(
            f"{part.name}-from-{cidr_block.replace('/', '-')}-{open_port}",
            security_group_id=group.id,
            description="HTTPS requests" if open_port == 443 else "HTTP requests",
            ip_protocol="tcp",
            from_port=open_port,
            to_port=open_port,
            cidr_ipv4=cidr_block,
            tags=tags,
            opts=rule_options(group, part.parent),
        )
        for cidr_block in options.source_cidr_blocks
        for open_port in ((80,) if options.https is None else (80, 443))
    ]
    return group, open_ports


def _balancer(
    part: _Part, security_group: aws.ec2.SecurityGroup, vpc_id: pulumi.Input[str]
) -> aws.lb.LoadBalancer:
    options = part.options
    access_logs, waits_for = _access_logs(part)
    return aws.lb.LoadBalancer(
        part.name,
        name=options.name,
        load_balancer_type="application",
        internal=checked_scheme(options, vpc_id, part.parent),
        subnets=options.public_subnet_ids,
        security_groups=[security_group.id],
        drop_invalid_header_fields=True,
        desync_mitigation_mode="defensive",
        enable_deletion_protection=options.deletion_protection,
        idle_timeout=options.idle_timeout_seconds,
        access_logs=access_logs,
        tags=part.tags,
        opts=part.child(
            former_name=part.name,
            depends_on=waits_for,
            # What AWS wouldn't delete, the engine doesn't begin to delete: it refuses at preview, before
            # the services and listeners in front of it are gone.
            protect=options.deletion_protection,
            # A load balancer stays in its VPC: SetSubnets refuses those of another one.
            # https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_SetSubnets.html
            replacement_trigger=vpc_id,
            # Two of one name can't be, and of a replacement by its trigger the provider doesn't say so.
            delete_before_replace=True,
        ),
    )


def _access_logs(
    part: _Part,
) -> tuple[aws.lb.LoadBalancerAccessLogsArgs | None, list[pulumi.Resource]]:
    """The load balancer's logging, and what must stand before it begins."""
    logs = part.options.access_logs
    if logs is None:
        return None, []
    if logs.bucket is not None:
        return aws.lb.LoadBalancerAccessLogsArgs(bucket=logs.bucket, enabled=True, prefix=logs.prefix), []
    bucket, policy = create_access_log_bucket(part.name, logs, part.tags, part.parent)
    return aws.lb.LoadBalancerAccessLogsArgs(bucket=bucket.bucket, enabled=True, prefix=logs.prefix), [policy]


def _target_group(
    part: _Part, port: int, vpc_id: pulumi.Input[str], balancer: aws.lb.LoadBalancer
) -> aws.lb.TargetGroup:
    """The group that the tasks register in, each with its own port.

    The group's port counts for targets that name none, and ECS always names the container's; so the group
    keeps the port that it was made with, and old and new tasks are in it side by side while a port changes.
    Another one would replace the group, and AWS deletes none that a listener uses.
    Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html,
    https://github.com/pulumi/pulumi-aws/issues/4220
    """
    options = part.options
    check = options.health_check
    return aws.lb.TargetGroup(
        part.name,
        name=options.target_group_name,
        port=port,
        protocol="HTTP",
        target_type="ip",
        vpc_id=vpc_id,
        deregistration_delay=options.deregistration_delay_seconds,
        health_check=aws.lb.TargetGroupHealthCheckArgs(
            path=check.path,
            matcher=check.matcher,
            interval=check.interval_seconds,
            timeout=check.timeout_seconds,
            healthy_threshold=check.healthy_threshold,
            unhealthy_threshold=check.unhealthy_threshold,
            protocol="HTTP",
        ),
        stickiness=(
            None
            if options.sticky_seconds is None
            else aws.lb.TargetGroupStickinessArgs(
                type="lb_cookie", enabled=True, cookie_duration=options.sticky_seconds
            )
        ),
        tags=part.tags,
        opts=part.child(
            former_name=part.name,
            # With its load balancer's listeners gone first, a group in another VPC can take the name.
            depends_on=[balancer],
            ignore_changes=["port"],
        ),
    )


def _listeners(
    part: _Part,
    balancer: aws.lb.LoadBalancer,
    target_group: aws.lb.TargetGroup,
    open_ports: list[pulumi.Resource],
) -> list[pulumi.Resource]:
    """HTTPS with a redirect from HTTP, or plain HTTP; and the rules of the one that serves."""
    options = part.options
    forward = aws.lb.ListenerDefaultActionArgs(type="forward", target_group_arn=target_group.arn)
    serve = _not_found() if options.path_patterns or options.host_names else forward
    if options.https is None:
        http = aws.lb.Listener(
            f"{part.name}-http",
            load_balancer_arn=balancer.arn,
            port=80,
            protocol="HTTP",
            default_actions=[serve],
            opts=part.child(former_name=f"{part.name}-0"),
        )
        return [http, *_rules(part, http, target_group)]
    https = aws.lb.Listener(
        f"{part.name}-https",
        load_balancer_arn=balancer.arn,
        port=443,
        protocol="HTTPS",
        certificate_arn=certificate_arn(part.name, options.https, part.tags, part.parent),
        ssl_policy=options.https.ssl_policy,
        default_actions=[serve],
        opts=part.child(former_name=f"{part.name}-1"),
    )
    rules = _rules(part, https, target_group)
    redirect = aws.lb.Listener(
        f"{part.name}-http",
        load_balancer_arn=balancer.arn,
        port=80,
        protocol="HTTP",
        default_actions=[
            aws.lb.ListenerDefaultActionArgs(
                type="redirect",
                redirect=aws.lb.ListenerDefaultActionRedirectArgs(
                    port="443", protocol="HTTPS", status_code="HTTP_301"
                ),
            )
        ],
        # Port 80 goes on serving until there is something to redirect to.
        opts=part.child(former_name=f"{part.name}-0", depends_on=[https, *rules, *open_ports]),
    )
    return [https, *rules, redirect]


def _not_found() -> aws.lb.ListenerDefaultActionArgs:
    return aws.lb.ListenerDefaultActionArgs(
        type="fixed-response",
        fixed_response=aws.lb.ListenerDefaultActionFixedResponseArgs(
            content_type="text/plain", message_body="Not found", status_code="404"
        ),
    )


def _rules(part: _Part, listener: aws.lb.Listener, target_group: aws.lb.TargetGroup) -> list[pulumi.Resource]:
    """What the listener answers itself, and what it forwards where not everything is."""
    options = part.options
    rules: list[pulumi.Resource] = []
    if options.hidden_path_patterns:
        rules.append(
            aws.lb.ListenerRule(
                f"{part.name}-hidden",
                listener_arn=listener.arn,
                priority=1,
                conditions=[_paths(options.hidden_path_patterns)],
                actions=[
                    aws.lb.ListenerRuleActionArgs(
                        type="fixed-response",
                        fixed_response=aws.lb.ListenerRuleActionFixedResponseArgs(
                            content_type="text/plain", message_body="Not found", status_code="404"
                        ),
                    )
                ],
                tags=part.tags,
                opts=part.child(),
            )
        )
    conditions = [_paths(options.path_patterns)] if options.path_patterns else []
    if options.host_names:
        conditions.append(
            aws.lb.ListenerRuleConditionArgs(
                host_header=aws.lb.ListenerRuleConditionHostHeaderArgs(values=list(options.host_names))
            )
        )
    if conditions:
        rules.append(
            aws.lb.ListenerRule(
                f"{part.name}-forward",
                listener_arn=listener.arn,
                priority=100,
                conditions=conditions,
                actions=[aws.lb.ListenerRuleActionArgs(type="forward", target_group_arn=target_group.arn)],
                tags=part.tags,
                opts=part.child(former_name=f"{part.name}-forward"),
            )
        )
    return rules


def _paths(patterns: Sequence[str]) -> aws.lb.ListenerRuleConditionArgs:
    return aws.lb.ListenerRuleConditionArgs(
        path_pattern=aws.lb.ListenerRuleConditionPathPatternArgs(values=list(patterns))
    )
