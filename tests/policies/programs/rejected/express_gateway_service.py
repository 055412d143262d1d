"""An express gateway service brings a load balancer along."""

# rejected: scheduler-by-aws-service-only on express

import pulumi_aws as aws

aws.ecs.ExpressGatewayService(
    "express",
    service_name="fileflow-scheduler-download",
    execution_role_arn="arn:aws:iam::1:role/execution",
    infrastructure_role_arn="arn:aws:iam::1:role/infrastructure",
    primary_container={"image": "image"},
)
