"""A bucket for a load balancer's access logs.

Owns the bucket, who may write to it, and how long lines and their former versions stay. Nobody but the
load balancers of this account may write, nothing is public, and every line goes after the days that the
options name.
"""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from components.aws_environment import AwsEnvironment
from components.names import shorten
from components.web_options import AccessLogs


def create_access_log_bucket(
    name: str, logs: AccessLogs, tags: Mapping[str, str], parent: pulumi.Resource
) -> tuple[aws.s3.Bucket, aws.s3.BucketPolicy]:
    """The bucket, and the policy that must stand before the load balancer tries to write.

    What may be written is scoped by the path, which has the account's number in it, as AWS's page does;
    a condition on `aws:SourceAccount` isn't on that page.

    Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html
    """
    environment = AwsEnvironment.of(parent)
    bucket = aws.s3.Bucket(
        # 63 characters at most, of which the generated ending takes 8.
        shorten(f"{name}-access-logs", 55),
        force_destroy=logs.force_destroy,
        tags=tags,
        opts=pulumi.ResourceOptions(parent=parent),
    )
    child = pulumi.ResourceOptions(parent=bucket)
    blocked = aws.s3.BucketPublicAccessBlock(
        f"{name}-access-logs",
        bucket=bucket.id,
        block_public_acls=True,
        block_public_policy=True,
        ignore_public_acls=True,
        restrict_public_buckets=True,
        opts=child,
    )
    aws.s3.BucketServerSideEncryptionConfiguration(
        f"{name}-access-logs",
        bucket=bucket.id,
        # ELB writes to buckets under S3's own key only.
        rules=[{"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}}],
        opts=child,
    )
    versioning = aws.s3.BucketVersioning(
        f"{name}-access-logs",
        bucket=bucket.id,
        versioning_configuration={"status": "Enabled"},
        opts=child,
    )
    aws.s3.BucketLifecycleConfiguration(
        f"{name}-access-logs",
        bucket=bucket.id,
        rules=[
            {
                "id": "expire",
                "status": "Enabled",
                "filter": {"prefix": ""},
                "expiration": {"days": logs.retention_days},
                "noncurrent_version_expiration": {"noncurrent_days": logs.version_retention_days},
            },
            {
                # What an expiration leaves behind in a bucket with versions.
                "id": "delete-markers",
                "status": "Enabled",
                "filter": {"prefix": ""},
                "expiration": {"expired_object_delete_marker": True},
            },
        ],
        opts=pulumi.ResourceOptions(parent=bucket, depends_on=[versioning]),
    )
    policy = aws.s3.BucketPolicy(
        f"{name}-access-logs",
        bucket=bucket.id,
        policy=pulumi.Output.json_dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Action": "s3:PutObject",
                        "Effect": "Allow",
                        "Principal": {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"},
                        "Resource": pulumi.Output.format(
                            "{0}/{1}AWSLogs/{2}/*",
                            bucket.arn,
                            f"{logs.prefix}/" if logs.prefix else "",
                            environment.account_id,
                        ),
                    },
                    {
                        "Action": "s3:*",
                        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                        "Effect": "Deny",
                        "Principal": "*",
                        "Resource": [bucket.arn, pulumi.Output.format("{0}/*", bucket.arn)],
                    },
                ],
            }
        ),
        opts=pulumi.ResourceOptions(parent=bucket, depends_on=[blocked]),
    )
    return bucket, policy
