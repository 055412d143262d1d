"""One form of a resource, whichever door it came through.

A service can be made by pulumi-aws, by any Terraform provider, by a Terraform module
(`…:tf:aws_ecs_service`), by aws-native or Cloud Control, and in a CloudFormation template. Rules are written
for the form of pulumi-aws; this module owns turning the others into it: the type's token, the spelling of
the properties, and the few places where CloudFormation puts a value elsewhere. A type that no rule concerns
stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

from pulumi_policy.deserialize import SPECIAL_SIG_KEY
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE

from .json_text import UnreadableTextError, lower_first, parse, spelled

_ECS: Final = "aws:ecs/"
# Token of pulumi-aws; resource of Terraform's provider without `aws_`; type of CloudFormation.
_DOORS: Final[tuple[tuple[str, str, str], ...]] = (
    (_ECS + "service:Service", "ecs_service", "AWS::ECS::Service"),
    (_ECS + "taskDefinition:TaskDefinition", "ecs_task_definition", "AWS::ECS::TaskDefinition"),
    (_ECS + "taskSet:TaskSet", "ecs_task_set", "AWS::ECS::TaskSet"),
    (_ECS + "cluster:Cluster", "ecs_cluster", "AWS::ECS::Cluster"),
    (
        _ECS + "clusterCapacityProviders:ClusterCapacityProviders",
        "ecs_cluster_capacity_providers",
        "AWS::ECS::ClusterCapacityProviderAssociations",
    ),
    (
        _ECS + "expressGatewayService:ExpressGatewayService",
        "ecs_express_gateway_service",
        "AWS::ECS::ExpressGatewayService",
    ),
    (_ECS + "daemon:Daemon", "ecs_daemon", "AWS::ECS::Daemon"),
    (
        _ECS + "daemonTaskDefinition:DaemonTaskDefinition",
        "ecs_daemon_task_definition",
        "AWS::ECS::DaemonTaskDefinition",
    ),
    (
        "aws:appautoscaling/target:Target",
        "appautoscaling_target",
        "AWS::ApplicationAutoScaling::ScalableTarget",
    ),
    (
        "aws:appautoscaling/policy:Policy",
        "appautoscaling_policy",
        "AWS::ApplicationAutoScaling::ScalingPolicy",
    ),
    ("aws:appautoscaling/scheduledAction:ScheduledAction", "appautoscaling_scheduled_action", ""),
    (
        "aws:autoscalingplans/scalingPlan:ScalingPlan",
        "autoscalingplans_scaling_plan",
        "AWS::AutoScalingPlans::ScalingPlan",
    ),
    ("aws:cloudwatch/eventTarget:EventTarget", "cloudwatch_event_target", ""),
    ("aws:cloudwatch/eventRule:EventRule", "cloudwatch_event_rule", "AWS::Events::Rule"),
    ("aws:scheduler/schedule:Schedule", "scheduler_schedule", "AWS::Scheduler::Schedule"),
    ("aws:pipes/pipe:Pipe", "pipes_pipe", "AWS::Pipes::Pipe"),
    ("aws:sfn/stateMachine:StateMachine", "sfn_state_machine", "AWS::StepFunctions::StateMachine"),
    ("aws:lb/targetGroup:TargetGroup", "lb_target_group", "AWS::ElasticLoadBalancingV2::TargetGroup"),
    ("aws:lb/targetGroupAttachment:TargetGroupAttachment", "lb_target_group_attachment", ""),
    (
        "aws:vpclattice/targetGroup:TargetGroup",
        "vpclattice_target_group",
        "AWS::VpcLattice::TargetGroup",
    ),
    ("aws:vpclattice/targetGroupAttachment:TargetGroupAttachment", "vpclattice_target_group_attachment", ""),
    ("aws:ec2/securityGroup:SecurityGroup", "security_group", "AWS::EC2::SecurityGroup"),
    ("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", "default_security_group", ""),
    ("aws:ec2/securityGroupRule:SecurityGroupRule", "security_group_rule", ""),
    (
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
        "vpc_security_group_ingress_rule",
        "AWS::EC2::SecurityGroupIngress",
    ),
    ("aws:cloudwatch/metricAlarm:MetricAlarm", "cloudwatch_metric_alarm", "AWS::CloudWatch::Alarm"),
    (
        "aws:cloudwatch/compositeAlarm:CompositeAlarm",
        "cloudwatch_composite_alarm",
        "AWS::CloudWatch::CompositeAlarm",
    ),
    ("aws:cloudwatch/logGroup:LogGroup", "cloudwatch_log_group", "AWS::Logs::LogGroup"),
    ("aws:iam/role:Role", "iam_role", "AWS::IAM::Role"),
    ("aws:iam/policy:Policy", "iam_policy", "AWS::IAM::ManagedPolicy"),
    ("aws:iam/rolePolicy:RolePolicy", "iam_role_policy", "AWS::IAM::RolePolicy"),
    ("aws:iam/userPolicy:UserPolicy", "iam_user_policy", "AWS::IAM::UserPolicy"),
    ("aws:iam/groupPolicy:GroupPolicy", "iam_group_policy", "AWS::IAM::GroupPolicy"),
    ("aws:cloudformation/stack:Stack", "cloudformation_stack", "AWS::CloudFormation::Stack"),
    ("aws:cloudformation/stackSet:StackSet", "cloudformation_stack_set", "AWS::CloudFormation::StackSet"),
    (
        "aws:servicecatalog/provisionedProduct:ProvisionedProduct",
        "servicecatalog_provisioned_product",
        "AWS::ServiceCatalog::CloudFormationProvisionedProduct",
    ),
    (
        "aws:codedeploy/deploymentGroup:DeploymentGroup",
        "codedeploy_deployment_group",
        "AWS::CodeDeploy::DeploymentGroup",
    ),
)
_BY_TERRAFORM: Final = {name: token for token, name, _ in _DOORS} | {
    "alb_target_group": "aws:lb/targetGroup:TargetGroup",
    "alb_target_group_attachment": "aws:lb/targetGroupAttachment:TargetGroupAttachment",
}
_BY_CLOUD_FORMATION: Final = {kind.lower(): token for token, _, kind in _DOORS if kind}

CLOUD_CONTROL: Final = "aws:cloudcontrol/resource:Resource"
_NATIVE_EXTENSION: Final = "aws-native:index:ExtensionResource"

# Modules that the AWS provider publishes under several names for the same resource.
_MODULE_ALIASES: Final = {
    "alb": "lb",
    "applicationloadbalancing": "lb",
    "elasticloadbalancingv2": "lb",
    "elasticloadbalancing": "elb",
}
# Types that were renamed, or that live in two modules, read as the newer one.
_TYPE_ALIASES: Final = {
    "aws:s3/bucketV2:BucketV2": "aws:s3/bucket:Bucket",
    "aws:ec2/securityGroupIngressRule:SecurityGroupIngressRule": (
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
    ),
    "aws:ec2/securityGroupEgressRule:SecurityGroupEgressRule": (
        "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
    ),
}


@lru_cache(maxsize=4096)
def canonical_type(token: str) -> str:
    """The one token for a resource type that has several, by its token alone."""
    parts = token.split(":")
    if len(parts) != 3:
        return token
    package, module, name = parts
    if package == "aws" and "/" in module and not module.startswith("index/"):
        head, _, rest = module.partition("/")
        token = f"aws:{_MODULE_ALIASES.get(head, head)}/{rest}:{name}"
        return _TYPE_ALIASES.get(token, token)
    if module == "tf" and name.startswith("aws_"):  # pulumi-terraform-module shows a module's resources so
        return _BY_TERRAFORM.get(name.removeprefix("aws_"), token)
    if module.startswith("index/") or module == "index":  # `pulumi package add terraform-provider …`
        known = _BY_TERRAFORM.get(snake_case(name))
        # Only `ecs…` and its like are certain to be AWS's under any other package's name.
        if known and ("aws" in package or known.startswith((_ECS, "aws:appautoscaling/"))):
            return known
    if package == "aws-native":
        return _BY_CLOUD_FORMATION.get(f"aws::{module}::{name}".lower(), token)
    return token


def cloud_formation_type(kind: str) -> str:
    """The token for a type of CloudFormation, or the type itself."""
    return _BY_CLOUD_FORMATION.get(kind.strip().lower(), kind.strip())


def normal(token: str, properties: Any) -> tuple[str, Any]:
    """The token and the properties in the form of pulumi-aws."""
    kind = canonical_type(token)
    if not isinstance(properties, dict):
        return kind, properties
    if kind == CLOUD_CONTROL:
        return _from_text(properties, "typeName", "desiredState", kind)
    if token == _NATIVE_EXTENSION:
        return _from_text(properties, "type", "properties", kind)
    if token.startswith("aws-native:") and kind != token:
        return kind, from_cloud_formation(kind, properties)
    if kind != token and (":tf:" in token or ":index" in token):
        return kind, _from_terraform(properties)
    return kind, properties


def _from_text(properties: dict[str, Any], type_key: str, state_key: str, kind: str) -> tuple[str, Any]:
    named = _bare(properties.get(type_key))
    state = properties.get(state_key)
    if not isinstance(named, str) or named.strip().lower() not in _BY_CLOUD_FORMATION:
        return kind, properties
    inner = cloud_formation_type(named)
    bare = _bare(state)
    if isinstance(bare, str) and bare != UNKNOWN_STRING_VALUE:
        try:
            bare = parse(bare)
        except UnreadableTextError:
            return kind, properties
    if not isinstance(bare, dict):
        return kind, properties
    converted = from_cloud_formation(inner, bare)
    if bare is not state and isinstance(state, dict):  # a secret as a whole stays one, part by part
        converted = {key: {**state, "value": value} for key, value in converted.items()}
    return inner, converted


def _bare(raw: Any) -> Any:
    """The value inside a secret."""
    while isinstance(raw, dict) and SPECIAL_SIG_KEY in raw:
        raw = raw.get("value")
    return raw


# -- Terraform -----------------------------------------------------------------------------------------------

_WORD = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")
# Blocks that Terraform names in the singular and pulumi-aws in the plural.
_PLURALS: Final = {
    "capacityProviderStrategy": "capacityProviderStrategies",
    "defaultCapacityProviderStrategy": "defaultCapacityProviderStrategies",
    "gatewayConnector": "gatewayConnectors",
    "loadBalancer": "loadBalancers",
    "metricQuery": "metricQueries",
    "serviceRegistry": "serviceRegistries",
    "setting": "settings",
    "volume": "volumes",
    "vpcLatticeConfiguration": "vpcLatticeConfigurations",
}
_FREE_MAPS: Final = frozenset({"tags", "tagsAll", "dimensions", "environment", "variables"})


def snake_case(name: str) -> str:
    return "_".join(_WORD.findall(name)).lower()


def _camel_case(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word[:1].upper() + word[1:] for word in rest)


def _from_terraform(raw: Any) -> Any:
    if isinstance(raw, list):
        return [_from_terraform(item) for item in raw]
    if not isinstance(raw, dict):
        return raw
    if SPECIAL_SIG_KEY in raw:
        return {**raw, "value": _from_terraform(raw.get("value"))} if "value" in raw else raw
    result = {}
    for key, value in raw.items():
        name = _camel_case(key) if isinstance(key, str) else key
        name = _PLURALS.get(name, name)
        result[name] = value if name in _FREE_MAPS else _from_terraform(value)
    return result


# -- CloudFormation ------------------------------------------------------------------------------------------


def from_cloud_formation(token: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    """CloudFormation's properties (aws-native's, Cloud Control's) in the form of pulumi-aws."""
    plain = {
        (lower_first(key) if isinstance(key, str) else key): (
            value if key in _KEPT else _without_intrinsics(value, key not in _OWN_LANGUAGES)
        )
        for key, value in properties.items()
    }
    renamed = _RENAMED.get(token, {})
    result = {renamed.get(key, key): value for key, value in plain.items()}
    reshape = _RESHAPED.get(token)
    return reshape(result) if reshape is not None else result


_KEPT: Final = frozenset(
    {"Options", "options", "DockerLabels", "dockerLabels", "TemplateBody", "templateBody", "template"}
)
"""Members whose content isn't CloudFormation's to spell."""


def _without_intrinsics(raw: Any, spelled: bool = True) -> Any:
    """Keys begun in lower case, if so `spelled`; what a template works out (`Ref`, `Fn::…`) is unknown."""
    if isinstance(raw, list):
        return [_without_intrinsics(item, spelled) for item in raw]
    if not isinstance(raw, dict):
        return raw
    if SPECIAL_SIG_KEY in raw:
        return {**raw, "value": _without_intrinsics(raw.get("value"), spelled)} if "value" in raw else raw
    if len(raw) == 1:
        (key,) = raw
        if isinstance(key, str) and (key == "Ref" or key.startswith("Fn::")):
            return UNKNOWN_STRING_VALUE
    return {
        (lower_first(key) if spelled and isinstance(key, str) else key): (
            value if key in _KEPT else _without_intrinsics(value, spelled and key not in _OWN_LANGUAGES)
        )
        for key, value in raw.items()
    }


_OWN_LANGUAGES: Final = frozenset(
    {
        *("Definition", "definition", "PolicyDocument", "policyDocument"),
        *("AssumeRolePolicyDocument", "assumeRolePolicyDocument"),
    }
)
"""State machines and policies are languages of their own, with capital letters."""


def _service(given: dict[str, Any]) -> dict[str, Any]:
    deployment = given.get("deploymentConfiguration")
    if isinstance(deployment, dict):
        for inner, outer in (
            ("minimumHealthyPercent", "deploymentMinimumHealthyPercent"),
            ("maximumPercent", "deploymentMaximumPercent"),
            ("deploymentCircuitBreaker", "deploymentCircuitBreaker"),
        ):
            if inner in deployment:
                given[outer] = deployment[inner]
    network = given.get("networkConfiguration")
    if isinstance(network, dict):
        inside = network.get("awsvpcConfiguration", network.get("awsVpcConfiguration"))
        if isinstance(inside, dict):
            public = {"ENABLED": True, "DISABLED": False}.get(inside.get("assignPublicIp", ""))
            given["networkConfiguration"] = inside if public is None else {**inside, "assignPublicIp": public}
    return given


def _alarm(given: dict[str, Any]) -> dict[str, Any]:
    given["dimensions"] = _pairs(given.get("dimensions"))
    queries = given.pop("metrics", None)
    if isinstance(queries, list):
        given["metricQueries"] = [_query(each) if isinstance(each, dict) else each for each in queries]
    return {key: value for key, value in given.items() if value is not None}


def _query(given: dict[str, Any]) -> dict[str, Any]:
    measured = given.pop("metricStat", None)
    if isinstance(measured, dict):
        metric = measured.pop("metric", None)
        inner = dict(metric) if isinstance(metric, dict) else {}
        given["metric"] = {**measured, **inner, "dimensions": _pairs(inner.get("dimensions"))}
    return given


def _pairs(raw: Any) -> Any:
    """A list of names and values as a mapping."""
    if not isinstance(raw, list):
        return raw
    return {item["name"]: item.get("value") for item in raw if isinstance(item, dict) and "name" in item}


def _group(given: dict[str, Any]) -> dict[str, Any]:
    for direction in ("ingress", "egress"):
        rules = given.get(direction)
        if isinstance(rules, list):
            given[direction] = [_group_rule(rule) if isinstance(rule, dict) else rule for rule in rules]
    return given


def _group_rule(rule: dict[str, Any]) -> dict[str, Any]:
    lists = {
        "cidrBlocks": "cidrIp",
        "ipv6CidrBlocks": "cidrIpv6",
        "securityGroups": "sourceSecurityGroupId",
        "prefixListIds": "sourcePrefixListId",
    }
    made = {name: [rule[key]] for name, key in lists.items() if key in rule}
    kept = {key: value for key, value in rule.items() if key not in lists.values() and key != "ipProtocol"}
    return {**kept, **made, "protocol": rule.get("ipProtocol")}


def _volumes(given: dict[str, Any]) -> dict[str, Any]:
    for volume in given.get("volumes") or () if isinstance(given.get("volumes"), list) else ():
        if isinstance(volume, dict) and isinstance(volume.get("host"), dict):
            volume["hostPath"] = volume["host"].get("sourcePath")
    return given


def _role(given: dict[str, Any]) -> dict[str, Any]:
    inline = given.get("inlinePolicies")
    if isinstance(inline, list):
        given["inlinePolicies"] = [
            {**each, "policy": each.get("policyDocument")} if isinstance(each, dict) else each
            for each in inline
        ]
    return given


def _state_machine(given: dict[str, Any]) -> dict[str, Any]:
    """With what `definitionSubstitutions` puts in place of `${Name}`."""
    definition = given.get("definitionString", given.get("definition"))
    given["definition"] = definition
    substitutions = given.get("definitionSubstitutions")
    if isinstance(definition, str) and isinstance(substitutions, dict):
        given["definition"] = _SUBSTITUTED.sub(
            lambda match: _plain_text(substitutions.get(match[1])) or match[0], definition
        )
    return given


def _plain_text(raw: Any) -> str | None:
    return raw if isinstance(raw, str) and raw != UNKNOWN_STRING_VALUE else None


_SUBSTITUTED: Final = re.compile(r"\$\{([^{}$]+)\}")


_RENAMED: Final[dict[str, dict[str, str]]] = {
    _ECS + "service:Service": {
        "serviceName": "name",
        "capacityProviderStrategy": "capacityProviderStrategies",
    },
    _ECS + "cluster:Cluster": {
        "clusterName": "name",
        "clusterSettings": "settings",
        "defaultCapacityProviderStrategy": "defaultCapacityProviderStrategies",
    },
    _ECS + "clusterCapacityProviders:ClusterCapacityProviders": {
        "cluster": "clusterName",
        "defaultCapacityProviderStrategy": "defaultCapacityProviderStrategies",
    },
    "aws:ec2/securityGroup:SecurityGroup": {
        "groupDescription": "description",
        "groupName": "name",
        "securityGroupIngress": "ingress",
        "securityGroupEgress": "egress",
    },
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": {
        "groupId": "securityGroupId",
        "cidrIp": "cidrIpv4",
        "sourcePrefixListId": "prefixListId",
        "sourceSecurityGroupId": "referencedSecurityGroupId",
    },
    "aws:cloudwatch/metricAlarm:MetricAlarm": {"alarmName": "name"},
    "aws:cloudwatch/logGroup:LogGroup": {"logGroupName": "name"},
    "aws:iam/role:Role": {
        "roleName": "name",
        "assumeRolePolicyDocument": "assumeRolePolicy",
        "policies": "inlinePolicies",
    },
    "aws:iam/policy:Policy": {"policyDocument": "policy", "managedPolicyName": "name"},
    "aws:iam/rolePolicy:RolePolicy": {"policyDocument": "policy"},
    "aws:iam/userPolicy:UserPolicy": {"policyDocument": "policy"},
    "aws:iam/groupPolicy:GroupPolicy": {"policyDocument": "policy"},
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": {"alarmName": "alarmName"},
    "aws:cloudformation/stack:Stack": {"templateURL": "templateUrl", "stackName": "name"},
    "aws:codedeploy/deploymentGroup:DeploymentGroup": {
        "eCSServices": "ecsService",
        "ecsServices": "ecsService",
    },
}
_RESHAPED: Final[dict[str, Callable[[dict[str, Any]], dict[str, Any]]]] = {
    _ECS + "service:Service": _service,
    _ECS + "taskDefinition:TaskDefinition": _volumes,
    "aws:cloudwatch/metricAlarm:MetricAlarm": _alarm,
    "aws:ec2/securityGroup:SecurityGroup": _group,
    "aws:iam/role:Role": _role,
    "aws:sfn/stateMachine:StateMachine": _state_machine,
}

__all__ = [
    "CLOUD_CONTROL",
    "canonical_type",
    "cloud_formation_type",
    "from_cloud_formation",
    "normal",
    "spelled",
]
