"""S3: settings of buckets that are resources of their own; each has the bucket's name as its id.

Deliberately doesn't own the owner that a bucket is expected to have, nor deletion by a second factor: they
are refused.
Sources of what replaces and of the sets: bucket_lifecycle_configuration.go, bucket_policy.go and their like
in https://github.com/hashicorp/terraform-provider-aws/tree/main/internal/service/s3
"""

from __future__ import annotations

from collections.abc import Iterable
from types import MappingProxyType

from ...modelled import Ask, Modelled
from ...places import Places
from ...resource import Inputs
from ..defaulting import if_given


class _Setting(Modelled):
    service = "s3"
    key = "bucket"
    replacing = frozenset({"bucket"})


class BucketPolicy(_Setting):
    token = "aws:s3/bucketPolicy:BucketPolicy"
    made_by = Ask("PutBucketPolicy", whole=True)
    read_by = (Ask("GetBucketPolicy"),)
    changed_by = (made_by,)
    deleted_by = Ask("DeleteBucketPolicy")
    policies = frozenset({"policy"})
    missing = frozenset({"NoSuchBucket", "NoSuchBucketPolicy"})


class BucketPublicAccessBlock(_Setting):
    token = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
    made_by = Ask("PutPublicAccessBlock", whole=True)
    read_by = (Ask("GetPublicAccessBlock"),)
    changed_by = (made_by,)
    deleted_by = Ask("DeletePublicAccessBlock")
    places = Places(within="PublicAccessBlockConfiguration")
    kept = frozenset({"skipDestroy"})
    missing = frozenset({"NoSuchBucket", "NoSuchPublicAccessBlockConfiguration"})


class BucketServerSideEncryptionConfiguration(_Setting):
    """S3 encrypts every bucket; without the resource it does so with its own key."""

    token = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
    made_by = Ask("PutBucketEncryption", whole=True)
    read_by = (Ask("GetBucketEncryption"),)
    changed_by = (made_by,)
    deleted_by = Ask("DeleteBucketEncryption")
    places = Places(
        within="ServerSideEncryptionConfiguration",
        named={"rules.blockedEncryptionTypes": "BlockedEncryptionTypes.EncryptionType"},
    )
    sets = frozenset({"rules"})
    same = MappingProxyType({"rules.blockedEncryptionTypes": if_given})
    lacking = frozenset({"expectedBucketOwner"})
    missing = frozenset({"NoSuchBucket", "ServerSideEncryptionConfigurationNotFoundError"})


class BucketLifecycleConfiguration(_Setting):
    token = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
    made_by = Ask("PutBucketLifecycleConfiguration", whole=True)
    read_by = (Ask("GetBucketLifecycleConfiguration"),)
    changed_by = (made_by,)
    deleted_by = Ask("DeleteBucketLifecycle")
    places = Places(named={"rules": "LifecycleConfiguration.Rules|Rules"})
    sets = frozenset({"rules.noncurrentVersionTransitions", "rules.transitions"})
    lacking = frozenset({"expectedBucketOwner"})
    kept = frozenset({"timeouts"})
    missing = frozenset({"NoSuchBucket", "NoSuchLifecycleConfiguration"})


class BucketOwnershipControls(_Setting):
    token = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
    made_by = Ask("PutBucketOwnershipControls", whole=True)
    read_by = (Ask("GetBucketOwnershipControls"),)
    changed_by = (made_by,)
    deleted_by = Ask("DeleteBucketOwnershipControls")
    places = Places(named={"rule": "OwnershipControls.Rules"})
    missing = frozenset({"NoSuchBucket", "OwnershipControlsNotFoundError"})


class BucketVersioning(_Setting):
    """Versioning can't be taken away again: without the resource it is suspended."""

    token = "aws:s3/bucketVersioning:BucketVersioning"
    made_by = Ask("PutBucketVersioning", whole=True)
    read_by = (Ask("GetBucketVersioning"),)
    changed_by = (made_by,)
    deleted_by = Ask(
        "PutBucketVersioning",
        fixed=MappingProxyType({"VersioningConfiguration": {"Status": "Suspended"}}),
    )
    places = Places(named={"versioningConfiguration": "VersioningConfiguration|"})
    lacking = frozenset({"expectedBucketOwner", "mfa", "versioningConfiguration.mfaDelete"})
    missing = frozenset({"NoSuchBucket"})

    def check(self, inputs: Inputs) -> Iterable[tuple[str, str]]:
        if inputs["versioningConfiguration"] == {"status": "Disabled"}:
            yield (
                "versioningConfiguration",
                "the aws stand-in can't disable versioning: leave the resource out",
            )
