"""The application load balancer in front of a web service.

Owns the load balancer, its security group, its listeners and its target group. Doesn't own the tasks
behind it, nor the certificate or the bucket that it is given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws
import pulumi_awsx as awsx

from components.access_log_bucket import create_access_log_bucket
from components.certificate import certificate_arn, host_record
from components.web_options import LoadBalancing


@dataclass(frozen=True, kw_only=True)
class LoadBalancer:
    """The load balancer's resources, and what a service must wait for before it registers targets."""

    balancer: pulumi.Output[aws.lb.LoadBalancer]
    target_group: pulumi.Output[aws.lb.TargetGroup]
    security_group: aws.ec2.SecurityGroup
    ready: list[pulumi.Resource]


def create_load_balancer(
    name: str,
    options: LoadBalancing,
    port: int,
    vpc_id: pulumi.Input[str],
    tags: Mapping[str, str],
    parent: pulumi.Resource,
) -> LoadBalancer:
    """Creates the load balancer as a child of `parent`, forwarding to `port` of the tasks.

    Its own security group stands in for awsx's default one, which is open to the world on every port.
    """
    security_group = aws.ec2.SecurityGroup(
        f"{name}-load-balancer",
        description=f"Load balancer {options.name}",
        vpc_id=vpc_id,
        tags={**tags, "Name": options.name},
        opts=pulumi.ResourceOptions(parent=parent),
    )
    open_ports = (80,) if options.https is None else (80, 443)
    rules: list[pulumi.Resource] = [
        aws.vpc.SecurityGroupIngressRule(
            f"{name}-from-{cidr_block.replace('/', '-')}-{open_port}",
            security_group_id=security_group.id,
            description="HTTPS requests" if open_port == 443 else "HTTP requests",
            ip_protocol="tcp",
            from_port=open_port,
            to_port=open_port,
            cidr_ipv4=cidr_block,
            tags=tags,
            opts=pulumi.ResourceOptions(parent=security_group),
        )
        for cidr_block in options.source_cidr_blocks
        for open_port in open_ports
    ]
    access_logs, waits_for = _access_logs(name, options, tags, parent)
    certificate = None if options.https is None else certificate_arn(name, options.https, tags, parent)
    balancer = awsx.lb.ApplicationLoadBalancer(
        name,
        name=options.name,
        internal=options.internal,
        subnet_ids=options.public_subnet_ids,
        security_groups=[security_group.id],
        drop_invalid_header_fields=True,
        desync_mitigation_mode="defensive",
        enable_deletion_protection=options.deletion_protection,
        idle_timeout=options.idle_timeout_seconds,
        access_logs=access_logs,
        default_target_group=_target_group(options, port, vpc_id, tags),
        listeners=_listeners(options, certificate),
        tags=tags,
        opts=pulumi.ResourceOptions(parent=parent, depends_on=waits_for),
    )
    ready: list[pulumi.Resource] = [balancer, *rules]
    if options.path_patterns or options.host_names:
        ready.append(_forwarding_rule(name, options, balancer, tags))
    if options.web_acl_arn is not None:
        aws.wafv2.WebAclAssociation(
            f"{name}-web-acl",
            resource_arn=balancer.load_balancer.arn,
            web_acl_arn=options.web_acl_arn,
            opts=pulumi.ResourceOptions(parent=parent),
        )
    if options.https is not None:
        host_record(name, options.https, balancer.load_balancer, parent)
    return LoadBalancer(
        balancer=balancer.load_balancer,
        target_group=balancer.default_target_group,
        security_group=security_group,
        ready=ready,
    )


def _access_logs(
    name: str, options: LoadBalancing, tags: Mapping[str, str], parent: pulumi.Resource
) -> tuple[aws.lb.LoadBalancerAccessLogsArgs | None, list[pulumi.Resource]]:
    """The load balancer's logging, and what must stand before it begins."""
    logs = options.access_logs
    if logs is None:
        return None, []
    if logs.bucket is not None:
        return aws.lb.LoadBalancerAccessLogsArgs(bucket=logs.bucket, enabled=True, prefix=logs.prefix), []
    bucket, policy = create_access_log_bucket(
        name,
        retention_days=logs.retention_days,
        force_destroy=logs.force_destroy,
        tags=tags,
        parent=parent,
    )
    return aws.lb.LoadBalancerAccessLogsArgs(bucket=bucket.bucket, enabled=True, prefix=logs.prefix), [policy]


def _target_group(
    options: LoadBalancing, port: int, vpc_id: pulumi.Input[str], tags: Mapping[str, str]
) -> awsx.lb.TargetGroupArgs:
    check = options.health_check
    return awsx.lb.TargetGroupArgs(
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
        tags=tags,
    )


def _listeners(options: LoadBalancing, certificate: pulumi.Input[str] | None) -> list[awsx.lb.ListenerArgs]:
    """HTTPS with a redirect from HTTP, or plain HTTP; with path or host rules the rest gets 404."""
    narrowed: dict[str, Any] = {}
    if options.path_patterns or options.host_names:
        narrowed["default_actions"] = [
            aws.lb.ListenerDefaultActionArgs(
                type="fixed-response",
                fixed_response=aws.lb.ListenerDefaultActionFixedResponseArgs(
                    content_type="text/plain", message_body="Not found", status_code="404"
                ),
            )
        ]
    if options.https is None:
        return [awsx.lb.ListenerArgs(port=80, protocol="HTTP", **narrowed)]
    redirect = aws.lb.ListenerDefaultActionArgs(
        type="redirect",
        redirect=aws.lb.ListenerDefaultActionRedirectArgs(
            port="443", protocol="HTTPS", status_code="HTTP_301"
        ),
    )
    return [
        awsx.lb.ListenerArgs(port=80, protocol="HTTP", default_actions=[redirect]),
        awsx.lb.ListenerArgs(
            port=443,
            protocol="HTTPS",
            certificate_arn=certificate,
            ssl_policy=options.https.ssl_policy,
            **narrowed,
        ),
    ]


def _forwarding_rule(
    name: str, options: LoadBalancing, balancer: awsx.lb.ApplicationLoadBalancer, tags: Mapping[str, str]
) -> aws.lb.ListenerRule:
    conditions: list[aws.lb.ListenerRuleConditionArgs] = []
    if options.path_patterns:
        conditions.append(
            aws.lb.ListenerRuleConditionArgs(
                path_pattern=aws.lb.ListenerRuleConditionPathPatternArgs(values=list(options.path_patterns))
            )
        )
    if options.host_names:
        conditions.append(
            aws.lb.ListenerRuleConditionArgs(
                host_header=aws.lb.ListenerRuleConditionHostHeaderArgs(values=list(options.host_names))
            )
        )
    # The last listener is the one that serves; the first may only redirect.
    listener: pulumi.Output[aws.lb.Listener] = balancer.listeners.apply(_last)
    return aws.lb.ListenerRule(
        f"{name}-forward",
        listener_arn=listener.arn,
        priority=100,
        actions=[
            aws.lb.ListenerRuleActionArgs(type="forward", target_group_arn=balancer.default_target_group.arn)
        ],
        conditions=conditions,
        tags=tags,
        opts=pulumi.ResourceOptions(parent=balancer),
    )


def _last(listeners: Sequence[aws.lb.Listener] | None) -> aws.lb.Listener:
    if not listeners:
        raise AssertionError("awsx returned none of the listeners that it was given")
    return listeners[-1]
