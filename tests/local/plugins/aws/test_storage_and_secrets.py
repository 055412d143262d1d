"""Buckets and secrets through the stand-in, on the emulated AWS."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.local.plugins.aws.life import Life
from tests.local.plugins.aws.plugin import Plugin, RefusedError

Client = Callable[[str], Any]
GET_SECRET = "aws:secretsmanager/getSecret:getSecret"


@pytest.fixture
def bucket(plugin: Plugin, account: str) -> Life:
    """A bucket whose name, which all accounts share, is this test's own."""
    return Life(plugin, "s3/bucket:Bucket", bucket=f"access-logs-{account}", forceDestroy=True)


def test_a_bucket_is_emptied_in_every_version_before_it_is_deleted(bucket: Life, aws: Client) -> None:
    bucket.change(versioning={"enabled": True})
    for body in (b"1", b"2"):
        aws("s3").put_object(Bucket=bucket.id, Key="log", Body=body)
    aws("s3").delete_object(Bucket=bucket.id, Key="log")
    bucket.delete()


def test_a_buckets_own_settings_change_in_place(bucket: Life) -> None:
    assert bucket.outputs["bucketRegionalDomainName"] == f"{bucket.id}.s3.ap-northeast-2.amazonaws.com"
    bucket.change(tags={"Name": "logs"})
    assert bucket.change(tags=None)["tagsAll"] == {}
    bucket.change(lifecycleRules=[{"enabled": True, "expiration": {"days": 30}}])
    bucket.change(corsRules=[{"allowedMethods": ["GET"], "allowedOrigins": ["*"]}])
    bucket.change(versioning={"enabled": True})
    bucket.change(versioning={"enabled": False})
    bucket.imported(unknowable=["forceDestroy", "acl"])
    assert bucket.replaced_by(bucket="other") == ["bucket"]


def test_settings_of_their_own_leave_the_buckets_arguments_alone(plugin: Plugin, bucket: Life) -> None:
    statement = {
        "Effect": "Allow",
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{bucket.id}/*",
        "Principal": {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"},
    }
    document = {"Version": "2012-10-17", "Statement": [statement]}
    policy = Life(plugin, "s3/bucketPolicy:BucketPolicy", bucket=bucket.id, policy=json.dumps(document))
    rule = {"id": "expire", "status": "Enabled", "filter": {"prefix": ""}, "expiration": {"days": 30}}
    lifecycle = Life(
        plugin,
        "s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
        bucket=bucket.id,
        rules=[rule],
    )
    encryption = Life(
        plugin,
        "s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
        bucket=bucket.id,
        rules=[{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}],
    )
    _, inputs = bucket.refreshed()
    assert inputs == bucket.inputs
    policy.imported()
    lifecycle.imported()
    lifecycle.change(
        rules=[
            {
                **rule,
                "noncurrentVersionExpiration": {"noncurrentDays": 3},
                "abortIncompleteMultipartUpload": {"daysAfterInitiation": 2},
                "transitions": [{"days": 5, "storageClass": "GLACIER"}],
            }
        ]
    )
    encryption.imported()
    encryption.change(
        rules=[
            {
                "applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms"},
                "bucketKeyEnabled": True,
            }
        ]
    )
    policy.delete()
    lifecycle.delete()


def test_a_public_access_block_that_somebody_opens_is_closed_again(
    plugin: Plugin, bucket: Life, aws: Client
) -> None:
    block = Life(
        plugin,
        "s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
        bucket=bucket.id,
        blockPublicAcls=True,
        blockPublicPolicy=True,
        ignorePublicAcls=True,
        restrictPublicBuckets=True,
    )
    block.imported()
    aws("s3").delete_public_access_block(Bucket=bucket.id)
    assert plugin.read(block.token, block.id, block.outputs, block.inputs) is None
    aws("s3").put_public_access_block(
        Bucket=bucket.id,
        PublicAccessBlockConfiguration={"BlockPublicAcls": False, "BlockPublicPolicy": True},
    )
    assert block.put_back() == ["blockPublicAcls", "ignorePublicAcls", "restrictPublicBuckets"]
    block.delete()


def test_a_secret_that_exists_is_found_by_its_name_unless_it_is_going(plugin: Plugin, aws: Client) -> None:
    client = aws("secretsmanager")
    arn = client.create_secret(
        Name="fileflow/database", Description="credentials", Tags=[{"Key": "team", "Value": "a"}]
    )["ARN"]
    found = plugin.invoke(GET_SECRET, {"name": "fileflow/database"})
    assert (found["arn"], found["description"], found["tags"]) == (arn, "credentials", {"team": "a"})
    client.delete_secret(SecretId=arn)
    for name in ("fileflow/database", "fileflow/nothing"):
        with pytest.raises(RefusedError, match=f"there is no secret {name}"):
            plugin.invoke(GET_SECRET, {"name": name})
