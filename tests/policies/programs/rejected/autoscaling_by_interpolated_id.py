"""A scalable target whose id is put together from unknown parts."""

# rejected: scheduler-no-autoscaling on scaled

import pulumi
import pulumi_aws as aws

from tests.policies.programs import fleet

main = fleet.cluster()
service = fleet.scheduler(cluster=main.arn)
aws.appautoscaling.Target(
    "scaled",
    service_namespace="ecs",
    scalable_dimension="ecs:service:DesiredCount",
    resource_id=pulumi.Output.format(
        "service/{0}/{1}", main.arn.apply(lambda a: a.split("/")[-1]), service.name
    ),
    min_capacity=1,
    max_capacity=3,
)
