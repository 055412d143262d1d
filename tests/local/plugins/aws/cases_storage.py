"""What the lives of buckets' settings ask for."""

from __future__ import annotations

import uuid
from typing import Any

from tests.local.plugins.aws.case import Aws, Case, policy

PRIVATE = dict.fromkeys(
    ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"), True
)


def bucket(aws: Aws) -> dict[str, Any]:
    """A bucket of the test's own: all accounts share the names."""
    name = f"logs-{uuid.uuid4().hex}"
    aws("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "ap-northeast-2"})
    return {"bucket": name}


def rule(identifier: str = "expire", **parts: Any) -> dict[str, Any]:
    return {"id": identifier, "status": "Enabled", "filter": {"prefix": ""}, **parts}


def encrypted_by(algorithm: str, **parts: Any) -> dict[str, Any]:
    return {"rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": algorithm}, **parts}]}


CASES = [
    Case(
        "s3/bucket:Bucket",
        {"tags": {"team": "a", "Name": "logs"}},
        {"tags": None},
        lambda aws, life: aws("s3").put_bucket_tagging(
            Bucket=life.id, Tagging={"TagSet": [{"Key": "whose", "Value": "nobody's"}]}
        ),
        ["tags"],
        {"bucket": "other"},
    ),
    Case(
        "s3/bucketObjectv2:BucketObjectv2",
        {
            "key": "pages/start.html",
            "content": "<h1>start</h1>",
            "contentType": "text/html",
            "metadata": {"page": "start"},
            "tags": {"team": "a & b"},
        },
        {"content": "<h1>begin</h1>", "cacheControl": "no-cache", "storageClass": "STANDARD_IA"},
        lambda aws, life: aws("s3").put_object(
            Bucket=life.outputs["bucket"], Key="pages/start.html", ContentType="text/plain", Body=b"mine"
        ),
        ["cacheControl", "contentType", "metadata", "storageClass"],
        {"bucket": "other", "key": "pages/end.html"},
        unknowable=("content",),
        needs=bucket,
    ),
    Case(
        "s3/bucketPolicy:BucketPolicy",
        {"policy": policy("a")},
        {"policy": policy("b")},
        lambda aws, life: aws("s3").put_bucket_policy(Bucket=life.id, Policy=policy("c")),
        ["policy"],
        {"bucket": "other"},
        needs=bucket,
    ),
    Case(
        "s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
        PRIVATE,
        {"blockPublicAcls": False},
        lambda aws, life: aws("s3").put_public_access_block(
            Bucket=life.id, PublicAccessBlockConfiguration={"BlockPublicPolicy": True}
        ),
        ["ignorePublicAcls", "restrictPublicBuckets"],
        {"bucket": "other"},
        needs=bucket,
    ),
    Case(
        "s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
        encrypted_by("AES256"),
        encrypted_by("aws:kms", bucketKeyEnabled=True),
        lambda aws, life: aws("s3").delete_bucket_encryption(Bucket=life.id),
        ["rules"],
        {"bucket": "other"},
        needs=bucket,
        stays=True,
    ),
    Case(
        "s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
        {
            "rules": [
                rule(expiration={"days": 30}, noncurrentVersionExpiration={"noncurrentDays": 3}),
                rule("delete-markers", expiration={"expiredObjectDeleteMarker": True}),
            ]
        },
        {
            "rules": [
                rule(
                    abortIncompleteMultipartUpload={"daysAfterInitiation": 2},
                    transitions=[{"days": 5, "storageClass": "GLACIER"}],
                )
            ]
        },
        lambda aws, life: aws("s3").put_bucket_lifecycle_configuration(
            Bucket=life.id,
            LifecycleConfiguration={
                "Rules": [
                    {
                        "ID": "expire",
                        "Status": "Disabled",
                        "Filter": {"Prefix": ""},
                        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 2},
                    }
                ]
            },
        ),
        ["rules"],
        {"bucket": "other"},
        needs=bucket,
    ),
    Case(
        "s3/bucketOwnershipControls:BucketOwnershipControls",
        {"rule": {"objectOwnership": "ObjectWriter"}},
        {"rule": {"objectOwnership": "BucketOwnerPreferred"}},
        lambda aws, life: aws("s3").put_bucket_ownership_controls(
            Bucket=life.id, OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
        ),
        ["rule"],
        {"bucket": "other"},
        needs=bucket,
    ),
    Case(
        "s3/bucketVersioning:BucketVersioning",
        {"versioningConfiguration": {"status": "Suspended"}},
        {"versioningConfiguration": {"status": "Enabled"}},
        lambda aws, life: aws("s3").put_bucket_versioning(
            Bucket=life.id, VersioningConfiguration={"Status": "Suspended"}
        ),
        ["versioningConfiguration"],
        {"bucket": "other"},
        needs=bucket,
        stays=True,
    ),
]
