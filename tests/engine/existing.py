"""What of FileFlow exists in an emulated AWS, kind by kind.

Owns the questions, asked by the SDK: a test asks them all many times, and each AWS CLI takes half a second to
start. What the guide tells people to ask is asked by the CLI (`test_guide_commands`).
"""

from __future__ import annotations

from typing import Any, Final

from tests.engine.deployment import Deployment

IN_A_CLUSTER: Final = ("services", "tasks")
"""What can't be asked for where there is no cluster."""

CLUSTER: Final = {"cluster": "fileflow-prod"}
QUESTIONS: Final[dict[str, tuple[str, str, dict[str, Any], str]]] = {
    "clusters": ("ecs", "list_clusters", {}, "clusterArns"),
    "services": ("ecs", "list_services", CLUSTER, "serviceArns"),
    "tasks": ("ecs", "list_tasks", {**CLUSTER, "desiredStatus": "RUNNING"}, "taskArns"),
    "networks": ("ec2", "describe_vpcs", {}, "Vpcs[].VpcId"),
    "subnets": ("ec2", "describe_subnets", {}, "Subnets[].SubnetId"),
    "gateways": (
        "ec2",
        "describe_nat_gateways",
        {"Filters": [{"Name": "state", "Values": ["available"]}]},
        "NatGateways[].NatGatewayId",
    ),
    "security groups": ("ec2", "describe_security_groups", {}, "SecurityGroups[].GroupId"),
    "load balancers": ("elbv2", "describe_load_balancers", {}, "LoadBalancers[].LoadBalancerArn"),
    "target groups": ("elbv2", "describe_target_groups", {}, "TargetGroups[].TargetGroupArn"),
    "repositories": ("ecr", "describe_repositories", {}, "repositories[].repositoryName"),
    "log groups": ("logs", "describe_log_groups", {}, "logGroups[].logGroupName"),
    "roles": ("iam", "list_roles", {}, "Roles[].RoleName"),
    "alarms": ("cloudwatch", "describe_alarms", {}, "MetricAlarms[].AlarmName"),
    "topics": ("sns", "list_topics", {}, "Topics[].TopicArn"),
    "buckets": ("s3", "list_buckets", {}, "Buckets[].Name"),
    "tables": ("dynamodb", "list_tables", {}, "TableNames"),
    "keys": ("kms", "list_keys", {}, "Keys[].KeyId"),
}
"""Of each kind: the service, its operation, the arguments and where the names stand in the answer."""


def existing(deployment: Deployment, *but: str) -> dict[str, list[str]]:
    """The names of all that there is, by kind, but of these kinds."""
    found = {}
    for kind, (service, operation, arguments, names) in QUESTIONS.items():
        if kind not in but:
            answer = getattr(deployment.client(service), operation)(**arguments)
            listed, _, name = names.partition("[].")
            found[kind] = sorted(each[name] if name else each for each in answer[listed])
    return found
