"""A worker that scales, its id put together from unknown parts."""

import pulumi
import pulumi_aws as aws

from tests.policies.programs import fleet

main = fleet.cluster()
worker = fleet.service("thumbnails", cluster=main.arn)
target = aws.appautoscaling.Target(
    "scaled",
    service_namespace="ecs",
    scalable_dimension="ecs:service:DesiredCount",
    resource_id=pulumi.Output.format(
        "service/{0}/{1}", main.arn.apply(lambda a: a.split("/")[-1]), worker.name
    ),
    min_capacity=1,
    max_capacity=30,
)
aws.appautoscaling.Policy(
    "scaling",
    policy_type="TargetTrackingScaling",
    service_namespace=target.service_namespace,
    scalable_dimension=target.scalable_dimension,
    resource_id=target.resource_id,
)
