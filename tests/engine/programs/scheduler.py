"""A scheduler, spoiled as TRICK says: as a raw service (BY=raw), or by the component that can't say it."""

from __future__ import annotations

import os
from typing import Any

import pulumi
import pulumi_aws as aws

from components.options import Alarms, Placement
from components.scheduler_service import SchedulerService, SchedulerServiceArgs
from tests.policies.programs import fleet

TARGET_GROUP = "arn:aws:elasticloadbalancing:ap-northeast-2:646886795421:targetgroup/any/0123456789abcdef"
SPOILED: dict[str, dict[str, Any]] = {
    "": {},
    "count": {"desired_count": 2},
    "load balancer": {
        "load_balancers": [
            {
                "target_group_arn": TARGET_GROUP,
                "container_name": "fileflow-scheduler-download",
                "container_port": 9091,
            }
        ]
    },
    "spot": {
        "launch_type": None,
        "capacity_provider_strategies": [{"capacity_provider": "FARGATE_SPOT", "weight": 1, "base": 0}],
    },
}
spoiled = SPOILED[os.environ["TRICK"]]

vpc = aws.ec2.Vpc("trial", cidr_block="10.90.0.0/16")
subnet = aws.ec2.Subnet("trial", vpc_id=vpc.id, cidr_block="10.90.1.0/24")
cluster = aws.ecs.Cluster("trial", settings=[{"name": "containerInsights", "value": "enabled"}])
aws.ecs.ClusterCapacityProviders(
    "trial", cluster_name=cluster.name, capacity_providers=["FARGATE", "FARGATE_SPOT"]
)
topic = aws.sns.Topic("trial")


def spoil(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
    """What somebody does to a component that has no such argument."""
    if args.type_ != "aws:ecs/service:Service":
        return None
    return pulumi.ResourceTransformationResult({**args.props, **spoiled}, args.opts)


if os.environ["BY"] == "component":
    SchedulerService(
        "download",
        SchedulerServiceArgs(
            cluster_arn=cluster.arn,
            service_name="fileflow-scheduler-download",
            family="fileflow-scheduler-download-trial",
            image=os.environ["IMAGE"],
            port=9091,
            log_group_name="/aws/ecs/trial",
            placement=Placement(vpc_id=vpc.id, cidr_block="10.90.0.0/16", private_subnet_ids=[subnet.id]),
            alarms=Alarms(topic_arns=[topic.arn]),
        ),
        pulumi.ResourceOptions(transformations=[spoil]),
    )
else:
    tasks = aws.ec2.SecurityGroup("tasks", description="Tasks of the trial", vpc_id=vpc.id)
    fleet.scheduler(
        cluster=cluster.arn,
        cluster_name=cluster.name,
        network_configuration={
            "assign_public_ip": False,
            "security_groups": [tasks.id],
            "subnets": [subnet.id],
        },
        security_group=tasks,
        **spoiled,
    )
