"""Which changed arguments replace a resource, and which update it in place.

Owns the facts, one entry per resource type that is no table. An argument that is named nowhere updates in
place. Doesn't own the comparison of inputs: callers ask only about arguments that they found changed.

Source of the facts: the public schemas of the Terraform AWS provider (the `ForceNew` attributes, the
framework's `RequiresReplace` plan modifiers and the `CustomizeDiff` functions under `internal/service/*`),
which pulumi-aws bridges under the same names in camel case. Where release 5.100 and release 6 differ (an ECS
service's deployment controller and capacity providers), 5.100 decides: the recordings of the real provider
were made with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

# Types that belong to no region have no `region` argument; of every other type a changed region replaces.
_GLOBAL_MODULES: Final = frozenset({"route53"})

_REPLACING: Final[Mapping[str, frozenset[str]]] = {
    token: frozenset(names)
    for token, names in {
        "acm/certificateValidation:CertificateValidation": ("certificateArn", "validationRecordFqdns"),
        "route53/record:Record": ("name", "zoneId"),
        "s3/bucket:Bucket": ("bucket", "bucketNamespace", "bucketPrefix", "objectLockEnabled"),
        "s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": ("bucket", "expectedBucketOwner"),
        "s3/bucketOwnershipControls:BucketOwnershipControls": ("bucket",),
        "s3/bucketPolicy:BucketPolicy": ("bucket",),
        "s3/bucketPublicAccessBlock:BucketPublicAccessBlock": ("bucket",),
        "s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": (
            "bucket",
            "expectedBucketOwner",
        ),
        "s3/bucketVersioning:BucketVersioning": ("bucket", "expectedBucketOwner"),
    }.items()
}


TYPES: Final = frozenset(_REPLACING)
"""The types that have an entry, without the `aws:` of their tokens (`ec2/vpc:Vpc`)."""


def named_arguments(token: str) -> frozenset[str]:
    """The arguments of a type for which a change replaces; `region` aside."""
    return _REPLACING[token.removeprefix("aws:")]


def replaces(token: str, argument: str) -> bool:
    """Whether a change of one top-level argument replaces the resource.

    Raises KeyError for a type that isn't known here, so that a new resource can't silently update in place.
    """
    named = named_arguments(token)
    if argument == "region":
        return token.removeprefix("aws:").split("/", 1)[0] not in _GLOBAL_MODULES
    return argument in named
