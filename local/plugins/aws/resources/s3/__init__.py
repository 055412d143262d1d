"""S3: buckets and their settings."""

from __future__ import annotations

from ...resource import Resource
from .buckets import Bucket
from .settings import (
    BucketLifecycleConfiguration,
    BucketOwnershipControls,
    BucketPolicy,
    BucketPublicAccessBlock,
    BucketServerSideEncryptionConfiguration,
    BucketVersioning,
)

RESOURCES: tuple[Resource, ...] = (
    Bucket(),
    BucketLifecycleConfiguration(),
    BucketOwnershipControls(),
    BucketPolicy(),
    BucketPublicAccessBlock(),
    BucketServerSideEncryptionConfiguration(),
    BucketVersioning(),
)
