"""A scaling plan, the other service that scales ECS."""

# rejected: scheduler-no-autoscaling on plan

import pulumi_aws as aws

from tests.policies.programs import fleet

fleet.scheduler()
aws.autoscalingplans.ScalingPlan(
    "plan",
    application_source={"tag_filters": [{"key": "application", "values": ["fileflow"]}]},
    scaling_instructions=[
        {
            "service_namespace": "ecs",
            "scalable_dimension": "ecs:service:DesiredCount",
            "resource_id": "service/fileflow-main/fileflow-scheduler-download",
            "min_capacity": 1,
            "max_capacity": 3,
            "target_tracking_configurations": [{"target_value": 50}],
        }
    ],
)
