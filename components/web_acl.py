"""A small web ACL in front of a load balancer, and its log.

Owns the ACL, its rules, its log group and its association. Doesn't own the load balancer, nor an ACL that
exists already.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pulumi
import pulumi_aws as aws

from components.log_group import create_log_group
from components.web_options import WebAcl

MANAGED_RULES: Final = ("AWSManagedRulesKnownBadInputsRuleSet", "AWSManagedRulesCommonRuleSet")
"""Source: https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-baseline.html"""
COUNTED_RULES: Final = {"AWSManagedRulesCommonRuleSet": ("SizeRestrictions_BODY",)}
"""What never blocks: that one refuses bodies over 8 KiB, and FileFlow takes files."""
RULE_ACTIONS: Final[Mapping[str, Mapping[str, Any]]] = {"count": {"count": {}}, "block": {"block": {}}}
GROUP_ACTIONS: Final[Mapping[str, Mapping[str, Any]]] = {"count": {"count": {}}, "block": {"none": {}}}
"""A group's own actions block; `none` leaves them as they are."""
REDACTED_HEADERS: Final = ("authorization", "cookie")


def create_web_acl(
    name: str,
    options: WebAcl,
    load_balancer_arn: pulumi.Input[str],
    tags: Mapping[str, str],
    parent: pulumi.Resource,
) -> aws.wafv2.WebAcl:
    """Makes the ACL `options.name` and puts it in front of the load balancer.

    What it counted or blocked is logged, without the headers that let somebody in.
    Source: https://docs.aws.amazon.com/waf/latest/developerguide/logging-cw-logs.html
    """
    acl = aws.wafv2.WebAcl(
        f"{name}-web-acl",
        name=options.name,
        description=f"In front of {options.name}",
        scope="REGIONAL",
        default_action=aws.wafv2.WebAclDefaultActionArgs(allow=aws.wafv2.WebAclDefaultActionAllowArgs()),
        rules=[_rate(options), *(_managed(options, *each) for each in enumerate(MANAGED_RULES, start=1))],
        visibility_config=_metrics_of_acl(options.name),
        tags=tags,
        opts=pulumi.ResourceOptions(parent=parent),
    )
    child = pulumi.ResourceOptions(parent=acl)
    group = create_log_group(f"{name}-web-acl", options.log_group_name, options.logging, tags, acl)
    keep = aws.wafv2.WebAclLoggingConfigurationLoggingFilterFilterArgs(
        behavior="KEEP",
        requirement="MEETS_ANY",
        conditions=[
            aws.wafv2.WebAclLoggingConfigurationLoggingFilterFilterConditionArgs(
                action_condition=aws.wafv2.WebAclLoggingConfigurationLoggingFilterFilterConditionActionConditionArgs(
                    action=action
                )
            )
            for action in ("BLOCK", "COUNT")
        ],
    )
    aws.wafv2.WebAclLoggingConfiguration(
        f"{name}-web-acl",
        resource_arn=acl.arn,
        log_destination_configs=[group.arn],
        logging_filter=aws.wafv2.WebAclLoggingConfigurationLoggingFilterArgs(
            default_behavior="DROP", filters=[keep]
        ),
        redacted_fields=[
            aws.wafv2.WebAclLoggingConfigurationRedactedFieldArgs(
                single_header=aws.wafv2.WebAclLoggingConfigurationRedactedFieldSingleHeaderArgs(name=header)
            )
            for header in REDACTED_HEADERS
        ],
        opts=child,
    )
    associate_web_acl(name, acl.arn, load_balancer_arn, parent)
    return acl


def associate_web_acl(
    name: str,
    web_acl_arn: pulumi.Input[str],
    load_balancer_arn: pulumi.Input[str],
    parent: pulumi.Resource,
) -> None:
    """Puts an ACL in front of the load balancer.

    Deleted before it is replaced: AWS takes off whatever ACL is there, so that the old association's end
    would leave the load balancer without the new one.
    Source: https://docs.aws.amazon.com/waf/latest/APIReference/API_DisassociateWebACL.html
    """
    aws.wafv2.WebAclAssociation(
        f"{name}-web-acl",
        resource_arn=load_balancer_arn,
        web_acl_arn=web_acl_arn,
        opts=pulumi.ResourceOptions(parent=parent, delete_before_replace=True),
    )


def _metrics_of_acl(name: str) -> aws.wafv2.WebAclVisibilityConfigArgs:
    return aws.wafv2.WebAclVisibilityConfigArgs(
        cloudwatch_metrics_enabled=True, metric_name=name, sampled_requests_enabled=True
    )


def _metrics(name: str) -> aws.wafv2.WebAclRuleVisibilityConfigArgs:
    return aws.wafv2.WebAclRuleVisibilityConfigArgs(
        cloudwatch_metrics_enabled=True, metric_name=name, sampled_requests_enabled=True
    )


def _rate(options: WebAcl) -> aws.wafv2.WebAclRuleArgs:
    return aws.wafv2.WebAclRuleArgs(
        name="rate-per-address",
        priority=0,
        statement=aws.wafv2.WebAclRuleStatementArgs(
            rate_based_statement=aws.wafv2.WebAclRuleStatementRateBasedStatementArgs(
                aggregate_key_type="IP", limit=options.requests_per_five_minutes, evaluation_window_sec=300
            )
        ),
        action=aws.wafv2.WebAclRuleActionArgs(**RULE_ACTIONS[options.action]),
        visibility_config=_metrics("rate-per-address"),
    )


def _managed(options: WebAcl, priority: int, group: str) -> aws.wafv2.WebAclRuleArgs:
    counted = [
        aws.wafv2.WebAclRuleStatementManagedRuleGroupStatementRuleActionOverrideArgs(
            name=each,
            action_to_use=aws.wafv2.WebAclRuleStatementManagedRuleGroupStatementRuleActionOverrideActionToUseArgs(
                count=aws.wafv2.WebAclRuleStatementManagedRuleGroupStatementRuleActionOverrideActionToUseCountArgs()
            ),
        )
        for each in COUNTED_RULES.get(group, ())
    ]
    return aws.wafv2.WebAclRuleArgs(
        name=group,
        priority=priority,
        statement=aws.wafv2.WebAclRuleStatementArgs(
            managed_rule_group_statement=aws.wafv2.WebAclRuleStatementManagedRuleGroupStatementArgs(
                name=group, vendor_name="AWS", rule_action_overrides=counted or None
            )
        ),
        override_action=aws.wafv2.WebAclRuleOverrideActionArgs(**GROUP_ACTIONS[options.action]),
        visibility_config=_metrics(group),
    )
