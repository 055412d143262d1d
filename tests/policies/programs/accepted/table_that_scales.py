"""A DynamoDB table that scales, its name unknown."""

import pulumi
import pulumi_aws as aws

table = aws.dynamodb.Table(
    "scheduler-locks", hash_key="id", attributes=[{"name": "id", "type": "S"}], billing_mode="PROVISIONED"
)
aws.appautoscaling.Target(
    "scaled",
    service_namespace="dynamodb",
    scalable_dimension="dynamodb:table:ReadCapacityUnits",
    resource_id=pulumi.Output.format("table/{0}", table.id),
    min_capacity=1,
    max_capacity=30,
)
