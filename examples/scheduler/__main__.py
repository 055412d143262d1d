"""A scheduler of another application, in a cluster and a VPC that exist already."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from components.options import Alarms, ContainerOptions, Placement, TaskSize
from components.scheduler_service import SchedulerService, SchedulerServiceArgs

config = pulumi.Config()
cluster = aws.ecs.get_cluster_output(cluster_name=config.require("clusterName"))
vpc = aws.ec2.get_vpc_output(id=config.require("vpcId"))
# Somebody must hear when it doesn't run exactly once.
topic = aws.sns.Topic("nightly-alarms")

nightly = SchedulerService(
    "nightly",
    SchedulerServiceArgs(
        cluster_arn=cluster.arn,
        service_name="billing-scheduler-nightly",
        family="billing-scheduler-nightly",
        image=config.require("image"),
        port=9091,
        size=TaskSize(cpu=256, memory_mib=512),
        container=ContainerOptions(environment={"SPRING_PROFILES_ACTIVE": "nightly"}),
        log_group_name="/aws/ecs/billing-scheduler-nightly",
        placement=Placement(
            vpc_id=vpc.id,
            cidr_block=vpc.cidr_block,
            private_subnet_ids=config.require_object("privateSubnetIds"),
        ),
        alarms=Alarms(topic_arns=[topic.arn]),
        tags={"Project": "billing"},
    ),
)

pulumi.export("service_name", nightly.service_name)
pulumi.export("task_definition_arn", nightly.task_definition_arn)
