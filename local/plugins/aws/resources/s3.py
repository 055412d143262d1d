"""S3: buckets, their settings that are resources of their own, and objects.

Deliberately doesn't own the settings inside of a bucket, which are deprecated, nor the owner that a bucket is
expected to have, nor deletion by a second factor, nor objects that are a file, encrypted or locked: they are
refused. A website's addresses are told as nothing.
Sources of what replaces, of the sets and of how an object is put: bucket.go, object.go and their like in
https://github.com/hashicorp/terraform-provider-aws/tree/main/internal/service/s3
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..modelled import Ask, Modelled
from ..modelled import Tags as TagOperations
from ..naming import AutoName
from ..resource import Answer, Call, Inputs, Outputs, State, facts, names, pairs
from .calls import unless_absent
from .defaulting import if_given

# https://docs.aws.amazon.com/general/latest/gr/s3.html: hosted zones of the website endpoints.
_HOSTED_ZONES = pairs("""
    ap-northeast-1=Z2M4EHUR26P7ZW ap-northeast-2=Z3W03O7B5YMIYP ap-northeast-3=Z2YQB5RD63NC85
    ap-south-1=Z11RGJOFQNVJUP ap-southeast-1=Z3O0J2DXBE1FTB ap-southeast-2=Z1WCIGYICN2BYD
    ca-central-1=Z1QDHH18159H29 eu-central-1=Z21DNDUVLTQW6Q eu-north-1=Z3BAZG2TWCNX0D
    eu-west-1=Z1BKCTXD74EZPE eu-west-2=Z3GKZC51ZF0DB4 eu-west-3=Z3R1K369G5AVDG sa-east-1=Z7KQH4QJS55SO
    us-east-1=Z3AQBSTGFYJSTF us-east-2=Z2O1EMRO9K5GLX us-west-1=Z2F56UZL2M1ACD us-west-2=Z3BJ6K6RIION7M
""")


class _Stored(Modelled):
    """What has an ARN by its id."""

    off = names("forceDestroy")
    # A request without a body is answered by its status alone.
    missing = names("404 NoSuchBucket")

    def read(self, call: Call, resource_id: str, state: State) -> Outputs | None:
        found = super().read(call, resource_id, state)
        return found and {**found, "arn": f"arn:{call.aws.partition}:s3:::{resource_id}"}

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        if state.get("forceDestroy") or state.get("versionId"):
            bucket, _, key = resource_id.partition("/")
            _delete_versions(call.client("s3"), bucket, key)
        if not state.get("versionId"):
            super().delete(call, resource_id, state)


def _delete_versions(s3: Any, bucket: str, key: str) -> None:
    """Deletes every version of an object, or of all where the key is empty."""
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=key)
    for page in unless_absent(lambda: list(pages), *_Stored.missing) or ():
        found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        mine = [each for each in found if not key or each["Key"] == key]
        objects = [{name: each[name] for name in ("Key", "VersionId")} for each in mine]
        if objects:
            s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})


class Bucket(_Stored):
    token = "aws:s3/bucket:Bucket"
    made_by = Ask("CreateBucket")
    read_by = (
        Ask("HeadBucket"),
        Ask("GetBucketAcl", only=("grants",)),
        Ask(
            "GetBucketEncryption",
            only=("serverSideEncryptionConfiguration",),
            none=("ServerSideEncryptionConfigurationNotFoundError",),
        ),
    )
    deleted_by = Ask("DeleteBucket")
    tags = TagOperations(
        "GetBucketTagging",
        "PutBucketTagging",
        "DeleteBucketTagging",
        of="bucket",
        none=("NoSuchTagSet",),
        whole=True,
    )
    noun = "Bucket"
    named = pairs("""region=CreateBucketConfiguration.LocationConstraint grants.permissions=Permission
        grants.id=Grantee.ID grants.type=Grantee.Type grants.uri=Grantee.URI
        serverSideEncryptionConfiguration.rule=Rules
        serverSideEncryptionConfiguration.rule.blockedEncryptionTypes=BlockedEncryptionTypes.EncryptionType""")
    replacing = names("bucket")
    auto_name = AutoName(property="bucket", max_length=63, lower=True)
    lacking = names("""accelerationStatus acl bucketNamespace bucketPrefix corsRules grants lifecycleRules
        logging objectLock* policy replicationConfiguration requestPayer
        serverSideEncryptionConfiguration versioning website""")
    kept = names("forceDestroy")
    by_hand = names("""arn bucketDomainName bucketRegionalDomainName hostedZoneId websiteDomain
        websiteEndpoint""")

    def shaped(self, inputs: Inputs) -> Inputs:
        # S3 knows its first region by the absence of a place alone.
        return {**inputs, "region": "" if inputs["region"] == "us-east-1" else inputs["region"]}

    def told(self, outputs: Outputs, found: Answer, state: State) -> Outputs:
        name, region = outputs["bucket"], outputs["bucketRegion"]
        return {
            **outputs,
            "bucketDomainName": f"{name}.s3.amazonaws.com",
            "bucketRegionalDomainName": f"{name}.s3.{region}.amazonaws.com",
            "hostedZoneId": _HOSTED_ZONES.get(region),
        }


class BucketObjectv2(_Stored):
    """Its id is since release 6.2, https://github.com/hashicorp/terraform-provider-aws/issues/44433."""

    token = "aws:s3/bucketObjectv2:BucketObjectv2"
    key = "bucket/key"
    made_by = Ask("PutObject", whole=True)
    read_by = (Ask("HeadObject"),)
    deleted_by = Ask("DeleteObject")
    tags = TagOperations(
        "GetObjectTagging", "PutObjectTagging", "DeleteObjectTagging", of="bucket/key", whole=True
    )
    named = pairs("content=Body websiteRedirect=WebsiteRedirectLocation")
    replacing = names("bucket key")
    required = names("key")
    lacking = names("""acl bucketKeyEnabled checksumAlgorithm contentBase64 etag kmsKeyId objectLock*
        overrideProvider serverSideEncryption source*""")
    kept = names("forceDestroy")
    by_hand = names("arn")

    when_absent = facts(storageClass="STANDARD")

    def told(self, outputs: Outputs, found: Answer, state: State) -> Outputs:
        return {**outputs, "etag": outputs["etag"].strip('"')}


class _Setting(Modelled):
    """A setting of a bucket, which has the bucket's name as its id."""

    key = "bucket"
    replacing = names("bucket")


class BucketPolicy(_Setting):
    token = "aws:s3/bucketPolicy:BucketPolicy"
    made_by = Ask("PutBucketPolicy", whole=True)
    read_by = (Ask("GetBucketPolicy"),)
    deleted_by = Ask("DeleteBucketPolicy")
    policies = names("policy")
    missing = names("NoSuchBucket NoSuchBucketPolicy")


class BucketPublicAccessBlock(_Setting):
    token = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
    made_by = Ask("PutPublicAccessBlock", whole=True)
    read_by = (Ask("GetPublicAccessBlock"),)
    deleted_by = Ask("DeletePublicAccessBlock")
    within = "PublicAccessBlockConfiguration"
    kept = names("skipDestroy")
    missing = names("NoSuchBucket NoSuchPublicAccessBlockConfiguration")


class BucketServerSideEncryptionConfiguration(_Setting):
    """S3 encrypts every bucket; without the resource it does so with its own key."""

    token = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
    made_by = Ask("PutBucketEncryption", whole=True)
    read_by = (Ask("GetBucketEncryption"),)
    deleted_by = Ask("DeleteBucketEncryption")
    within = "ServerSideEncryptionConfiguration"
    named = pairs("rules.blockedEncryptionTypes=BlockedEncryptionTypes.EncryptionType")
    sets = names("rules")
    same = facts({"rules.blockedEncryptionTypes": if_given})
    lacking = names("expectedBucketOwner")
    missing = names("NoSuchBucket ServerSideEncryptionConfigurationNotFoundError")


class BucketLifecycleConfiguration(_Setting):
    token = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
    made_by = Ask("PutBucketLifecycleConfiguration", whole=True)
    read_by = (Ask("GetBucketLifecycleConfiguration"),)
    deleted_by = Ask("DeleteBucketLifecycle")
    named = pairs("rules=LifecycleConfiguration.Rules|Rules")
    sets = names("rules.noncurrentVersionTransitions rules.transitions")
    lacking = names("expectedBucketOwner")
    kept = names("timeouts")
    missing = names("NoSuchBucket NoSuchLifecycleConfiguration")


class BucketOwnershipControls(_Setting):
    token = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
    made_by = Ask("PutBucketOwnershipControls", whole=True)
    read_by = (Ask("GetBucketOwnershipControls"),)
    deleted_by = Ask("DeleteBucketOwnershipControls")
    named = pairs("rule=OwnershipControls.Rules")
    missing = names("NoSuchBucket OwnershipControlsNotFoundError")


class BucketVersioning(_Setting):
    """Versioning can't be taken away again: without the resource it is suspended."""

    token = "aws:s3/bucketVersioning:BucketVersioning"
    made_by = Ask("PutBucketVersioning", whole=True)
    read_by = (Ask("GetBucketVersioning"),)
    deleted_by = Ask("PutBucketVersioning", fixed=facts(VersioningConfiguration={"Status": "Suspended"}))
    named = pairs("versioningConfiguration=VersioningConfiguration|")
    lacking = names("expectedBucketOwner mfa versioningConfiguration.mfaDelete")
    missing = names("NoSuchBucket")

    def check(self, inputs: Inputs) -> Iterable[tuple[str, str]]:
        if inputs["versioningConfiguration"] == {"status": "Disabled"}:
            reason = "the aws stand-in can't disable versioning: leave the resource out"
            yield "versioningConfiguration", reason
