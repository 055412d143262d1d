"""Which of the resources that a preview would create exist already, and their ids for an import.

Fixed names lead to most of them; from a service its revision, roles and security group follow, from a load
balancer its listeners, from a security group its rules. Owns these ways, and what an id looks like for each
type. Doesn't own the calls (`account`), nor who else may own what is found (`terraform`).
Sources: the section "Import" of each resource at https://www.pulumi.com/registry/packages/aws/api-docs/
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from operate.migration.account import Account
from operate.migration.planned import Planned

CLUSTER = "aws:ecs/cluster:Cluster"
CAPACITY = "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders"
SERVICE = "aws:ecs/service:Service"
TASK_DEFINITION = "aws:ecs/taskDefinition:TaskDefinition"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
REPOSITORY = "aws:ecr/repository:Repository"
LIFECYCLE = "aws:ecr/lifecyclePolicy:LifecyclePolicy"
LOAD_BALANCER = "aws:lb/loadBalancer:LoadBalancer"
TARGET_GROUP = "aws:lb/targetGroup:TargetGroup"
LISTENER = "aws:lb/listener:Listener"
LISTENER_RULE = "aws:lb/listenerRule:ListenerRule"
ROLE = "aws:iam/role:Role"
SECURITY_GROUP = "aws:ec2/securityGroup:SecurityGroup"
INGRESS_RULE = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
EGRESS_RULE = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
SCALABLE_TARGET = "aws:appautoscaling/target:Target"


@dataclass(kw_only=True)
class Existing:
    """What was found of a plan."""

    ids: dict[str, str] = field(default_factory=dict)
    """The id to import each resource by, by its URN."""
    services: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What ECS says of each service that was found."""
    shared: dict[str, list[str]] = field(default_factory=dict)
    """Roles and security groups that several planned resources would be, by their id: nobody takes them."""
    surplus_rules: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """The rules of a security group that is taken over which the program doesn't have, by the group's id."""
    taken_priorities: dict[str, str] = field(default_factory=dict)
    """Listener rules that can't be made, since another one has their priority: its ARN by the URN."""


def existing(plan: Mapping[str, Planned], account: Account) -> Existing:
    """Looks for everything in the plan."""
    found = Existing()
    _named(plan, account, found)
    _services(plan, account, found)
    _load_balancing(plan, account, found)
    _groups_and_roles(plan, account, found)
    _rules(plan, account, found)
    return found


def _of_type(plan: Mapping[str, Planned], *types: str) -> list[Planned]:
    return [each for each in plan.values() if each.type in types]


_BY_NAME: Mapping[str, tuple[str, Callable[[Account, str], object]]] = {
    CLUSTER: ("name", Account.cluster),
    # Where the cluster has none yet, too: made anew, they would be unknown in the preview, and the cluster
    # with them, so that it would show every service replaced.
    CAPACITY: ("clusterName", Account.cluster),
    LOG_GROUP: ("name", Account.has_log_group),
    REPOSITORY: ("name", Account.has_repository),
}
"""What is imported by its name: the argument that says it, and how AWS is asked."""


def _named(plan: Mapping[str, Planned], account: Account, found: Existing) -> None:
    """What has a name of its own that nobody generates."""
    for each in _of_type(plan, *_BY_NAME):
        argument, is_there = _BY_NAME[each.type]
        if is_there(account, each.known(argument)):
            found.ids[each.urn] = each.known(argument)
    for each in _of_type(plan, LIFECYCLE):
        repository = found.ids.get(each.source("repository", REPOSITORY) or "")
        if repository and account.has_lifecycle_policy(repository):
            found.ids[each.urn] = repository
    for each in _of_type(plan, LOAD_BALANCER):
        if balancer := account.load_balancer(each.known("name")):
            found.ids[each.urn] = balancer["LoadBalancerArn"]
    for each in _of_type(plan, TARGET_GROUP):
        if group := account.target_group(each.known("name")):
            found.ids[each.urn] = group["TargetGroupArn"]


def _services(plan: Mapping[str, Planned], account: Account, found: Existing) -> None:
    """A service, the revision that it runs, and what scales it."""
    for each in _of_type(plan, SERVICE):
        cluster = found.ids.get(each.source("cluster", CLUSTER) or "") or _cluster_name(each)
        service = account.service(cluster, each.known("name")) if cluster else None
        if service is None:
            continue
        found.ids[each.urn] = f"{cluster}/{each.known('name')}"
        found.services[each.urn] = service
        definition = each.source("taskDefinition", TASK_DEFINITION) or ""
        # Another family would be another definition: the program then registers its own.
        if definition in plan and _family(service["taskDefinition"]) == plan[definition].known("family"):
            found.ids[definition] = service["taskDefinition"]
    for each in _of_type(plan, SCALABLE_TARGET):
        service_id = found.ids.get(each.source("resourceId", SERVICE) or "")
        if service_id and account.has_scalable_target(f"service/{service_id}"):
            found.ids[each.urn] = f"ecs/service/{service_id}/ecs:service:DesiredCount"


def _load_balancing(plan: Mapping[str, Planned], account: Account, found: Existing) -> None:
    for each in _of_type(plan, LISTENER):
        balancer = found.ids.get(each.source("loadBalancerArn", LOAD_BALANCER) or "")
        for listener in account.listeners(balancer) if balancer else ():
            if str(listener["Port"]) == each.known("port"):
                found.ids[each.urn] = listener["ListenerArn"]
    for each in _of_type(plan, LISTENER_RULE):
        listener_arn = found.ids.get(each.source("listenerArn", LISTENER) or "")
        for rule in account.listener_rules(listener_arn) if listener_arn else ():
            if rule["Priority"] != each.known("priority"):
                continue
            if _paths(rule) == _planned_paths(each):
                found.ids[each.urn] = rule["RuleArn"]
            else:
                found.taken_priorities[each.urn] = rule["RuleArn"]


def _groups_and_roles(plan: Mapping[str, Planned], account: Account, found: Existing) -> None:
    """What belongs to one service alone, by what the service itself names."""
    candidates: dict[str, str] = {}
    for each in _of_type(plan, SERVICE):
        if each.urn not in found.services:
            continue
        service = found.services[each.urn]
        network = service.get("networkConfiguration", {}).get("awsvpcConfiguration", {})
        group = each.source("networkConfiguration", SECURITY_GROUP)
        if group is not None and len(network.get("securityGroups", ())) == 1:
            candidates[group] = network["securityGroups"][0]
        planned = plan.get(each.source("taskDefinition", TASK_DEFINITION) or "")
        if planned is None:
            continue
        runs = account.task_definition(service["taskDefinition"])
        for argument in ("executionRoleArn", "taskRoleArn"):
            role = planned.source(argument, ROLE)
            if role is not None and runs.get(argument):
                candidates[role] = runs[argument].rpartition("/")[2]
    for each in _of_type(plan, LOAD_BALANCER):
        if each.urn not in found.ids:
            continue
        balancer = account.load_balancer(each.known("name")) or {}
        group = each.source("securityGroups", SECURITY_GROUP)
        if group is not None and len(balancer.get("SecurityGroups", ())) == 1:
            candidates[group] = balancer["SecurityGroups"][0]
    users = Counter(candidates.values())
    for urn, resource_id in candidates.items():
        if users[resource_id] > 1:
            found.shared.setdefault(resource_id, []).append(urn)
        elif plan[urn].type == ROLE or account.security_group(resource_id)["GroupName"] != "default":
            found.ids[urn] = resource_id


def _rules(plan: Mapping[str, Planned], account: Account, found: Existing) -> None:
    for group in _of_type(plan, SECURITY_GROUP):
        group_id = found.ids.get(group.urn)
        if group_id is None:
            continue
        rules = account.security_group_rules(group_id)
        for each in _of_type(plan, INGRESS_RULE, EGRESS_RULE):
            if each.source("securityGroupId", SECURITY_GROUP) != group.urn:
                continue
            same = next((rule for rule in rules if is_same_rule(each, rule, found.ids)), None)
            if same is not None:
                found.ids[each.urn] = same["SecurityGroupRuleId"]
                rules.remove(same)
        if rules:
            found.surplus_rules[group_id] = rules


def is_same_rule(planned: Planned, rule: Mapping[str, Any], ids: Mapping[str, str]) -> bool:
    """Whether a rule of EC2 lets the same through: EC2 refuses a second one that does.

    Source: https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html
    """
    if rule["IsEgress"] != (planned.type == EGRESS_RULE) or rule["IpProtocol"] != planned.known("ipProtocol"):
        return False
    if rule["IpProtocol"] != "-1" and [str(rule.get("FromPort")), str(rule.get("ToPort"))] != [
        planned.known("fromPort"),
        planned.known("toPort"),
    ]:
        return False
    referenced = planned.known("referencedSecurityGroupId") or ids.get(
        planned.source("referencedSecurityGroupId", SECURITY_GROUP) or "", ""
    )
    wanted = (planned.known("cidrIpv4"), planned.known("cidrIpv6"), planned.known("prefixListId"), referenced)
    has = (
        rule.get("CidrIpv4", ""),
        rule.get("CidrIpv6", ""),
        rule.get("PrefixListId", ""),
        rule.get("ReferencedGroupInfo", {}).get("GroupId", ""),
    )
    return any(wanted) and wanted == has


def _cluster_name(service: Planned) -> str:
    """The name of a cluster that is no resource of the plan."""
    return service.known("cluster").rpartition("/")[2]


def _family(task_definition_arn: str) -> str:
    return task_definition_arn.rpartition("/")[2].rpartition(":")[0]


def _paths(rule: Mapping[str, Any]) -> list[str]:
    return sorted(
        value
        for condition in rule["Conditions"]
        if condition["Field"] == "path-pattern"
        for value in condition.get("PathPatternConfig", {}).get("Values") or condition.get("Values", ())
    )


def _planned_paths(rule: Planned) -> list[str]:
    return sorted(
        value
        for condition in rule.inputs.get("conditions", ())
        for value in condition.get("pathPattern", {}).get("values", ())
    )
