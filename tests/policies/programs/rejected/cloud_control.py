"""The service by Cloud Control, in one text."""

# rejected: ecs-service-role on control
# rejected: scheduler-desired-count on control
# rejected: ecs-deployment-rolls-back on control
# advice: ecs-tags on control

import json

import pulumi_aws as aws

aws.cloudcontrol.Resource(
    "control",
    type_name="AWS::ECS::Service",
    desired_state=json.dumps({"ServiceName": "fileflow-scheduler-download", "DesiredCount": 2}),
)
