"""A scalable target that names the scheduler."""

# rejected: scheduler-no-autoscaling on scaled

import pulumi_aws as aws

from tests.policies.programs import fleet

fleet.scheduler()
aws.appautoscaling.Target(
    "scaled",
    service_namespace="ecs",
    scalable_dimension="ecs:service:DesiredCount",
    resource_id="service/fileflow-main/fileflow-scheduler-download",
    min_capacity=1,
    max_capacity=3,
)
