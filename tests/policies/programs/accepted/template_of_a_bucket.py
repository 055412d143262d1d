"""A CloudFormation template that has nothing to do with ECS."""

import json

import pulumi_aws as aws

aws.cloudformation.Stack(
    "template", template_body=json.dumps({"Resources": {"B": {"Type": "AWS::S3::Bucket"}}})
)
