"""A template that nobody here can read."""

# rejected: cloudformation-template-readable on template

import pulumi_aws as aws

aws.cloudformation.Stack("template", template_url="https://s3.amazonaws.com/templates/scheduler.yaml")
