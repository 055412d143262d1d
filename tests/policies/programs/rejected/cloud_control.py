"""The service by Cloud Control, in one text."""

# rejected: scheduler-by-aws-service-only on control

import json

import pulumi_aws as aws

aws.cloudcontrol.Resource(
    "control",
    type_name="AWS::ECS::Service",
    desired_state=json.dumps({"ServiceName": "fileflow-scheduler-download", "DesiredCount": 2}),
)
