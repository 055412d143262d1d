"""What AWS has of the things that a migration takes over: one question a method, plain answers.

Owns the calls. Doesn't own what an answer means for a migration.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from operate.aws import Aws

ABSENT = frozenset(
    {
        "ClusterNotFoundException",
        "LifecyclePolicyNotFoundException",
        "LoadBalancerNotFound",
        "NoSuchEntity",
        "RepositoryNotFoundException",
        "TargetGroupNotFound",
    }
)


class Account:
    """An account and region, as it is."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    def cluster(self, name: str) -> dict[str, Any] | None:
        found = self._aws.ecs.describe_clusters(clusters=[name])["clusters"]
        return next((each for each in found if each["status"] == "ACTIVE"), None)

    def service(self, cluster: str, name: str) -> dict[str, Any] | None:
        answer = _unless_absent(lambda: self._aws.ecs.describe_services(cluster=cluster, services=[name]))
        found = [] if answer is None else answer["services"]
        return next((each for each in found if each["status"] == "ACTIVE"), None)

    def task_definition(self, arn: str) -> dict[str, Any]:
        return dict(self._aws.ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"])

    def has_log_group(self, name: str) -> bool:
        pages = (
            self._aws.client("logs").get_paginator("describe_log_groups").paginate(logGroupNamePrefix=name)
        )
        return any(each["logGroupName"] == name for page in pages for each in page["logGroups"])

    def has_repository(self, name: str) -> bool:
        ecr = self._aws.client("ecr")
        return _unless_absent(lambda: ecr.describe_repositories(repositoryNames=[name])) is not None

    def has_lifecycle_policy(self, repository: str) -> bool:
        ecr = self._aws.client("ecr")
        return _unless_absent(lambda: ecr.get_lifecycle_policy(repositoryName=repository)) is not None

    def load_balancer(self, name: str) -> dict[str, Any] | None:
        elb = self._aws.client("elbv2")
        answer = _unless_absent(lambda: elb.describe_load_balancers(Names=[name]))
        return None if answer is None else next(iter(answer["LoadBalancers"]), None)

    def target_group(self, name: str) -> dict[str, Any] | None:
        elb = self._aws.client("elbv2")
        answer = _unless_absent(lambda: elb.describe_target_groups(Names=[name]))
        return None if answer is None else next(iter(answer["TargetGroups"]), None)

    def listeners(self, load_balancer_arn: str) -> list[dict[str, Any]]:
        pages = self._aws.client("elbv2").get_paginator("describe_listeners")
        return [
            each for page in pages.paginate(LoadBalancerArn=load_balancer_arn) for each in page["Listeners"]
        ]

    def listener_rules(self, listener_arn: str) -> list[dict[str, Any]]:
        pages = self._aws.client("elbv2").get_paginator("describe_rules")
        return [each for page in pages.paginate(ListenerArn=listener_arn) for each in page["Rules"]]

    def security_group_rules(self, group_id: str) -> list[dict[str, Any]]:
        pages = self._aws.client("ec2").get_paginator("describe_security_group_rules")
        return [
            each
            for page in pages.paginate(Filters=[{"Name": "group-id", "Values": [group_id]}])
            for each in page["SecurityGroupRules"]
        ]

    def security_group(self, group_id: str) -> dict[str, Any]:
        found = self._aws.client("ec2").describe_security_groups(GroupIds=[group_id])["SecurityGroups"]
        return dict(found[0])

    def has_scalable_target(self, resource_id: str) -> bool:
        answer = self._aws.client("application-autoscaling").describe_scalable_targets(
            ServiceNamespace="ecs", ResourceIds=[resource_id]
        )
        return bool(answer["ScalableTargets"])


def _unless_absent(ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in ABSENT:
            return None
        raise
