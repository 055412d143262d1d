"""The service in a CloudFormation template."""

# rejected: scheduler-not-in-template on template

import json

import pulumi_aws as aws

aws.cloudformation.Stack(
    "template",
    template_body=json.dumps(
        {"Resources": {"S": {"Type": "AWS::ECS::Service", "Properties": {"DesiredCount": 2}}}}
    ),
)
