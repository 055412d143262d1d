"""S3 functions: buckets that exist already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..resource import Call, Function, Inputs
from ..resources.s3.buckets import Bucket


def _get_bucket(call: Call, args: Inputs) -> Mapping[str, Any]:
    found = Bucket().read(call, args["bucket"], {})
    if found is None:
        raise LookupError(f"there is no bucket {args['bucket']}")
    names = (
        "arn",
        "bucket",
        "bucketDomainName",
        "bucketRegion",
        "bucketRegionalDomainName",
        "hostedZoneId",
        "websiteDomain",
        "websiteEndpoint",
    )
    return {**{name: found[name] for name in names}, "id": args["bucket"]}


FUNCTIONS: tuple[Function, ...] = (Function("aws:s3/getBucket:getBucket", _get_bucket, required=("bucket",)),)
