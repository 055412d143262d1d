"""Settings of buckets that are resources of their own; each has the bucket's name as its id."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ...resource import Call, Inputs, Resource, State
from ..calls import given, retried, unless_absent
from ..defaulting import if_given
from .buckets import NO_BUCKET
from .rules import encryption_from_aws, encryption_to_aws, lifecycle_from_aws, lifecycle_to_aws


class _Setting(Resource):
    """Put makes and changes it; what S3 calls an absent one is in `absent`."""

    replacing = frozenset({"bucket"})
    absent: tuple[str, ...] = ()
    missing = frozenset(NO_BUCKET)

    @abstractmethod
    def put(self, s3: Any, bucket: str, inputs: Inputs) -> None:
        """Makes the setting that of the inputs."""

    @abstractmethod
    def get(self, s3: Any, bucket: str) -> Mapping[str, Any] | None:
        """The setting as arguments, without the bucket; None where there is none."""

    @abstractmethod
    def remove(self, s3: Any, bucket: str, state: State) -> None:
        """Takes the setting away."""

    def create(self, call: Call, inputs: Inputs) -> str:
        bucket = str(inputs["bucket"])
        self._put(call, bucket, inputs)
        return bucket

    def read(self, call: Call, resource_id: str, state: State) -> Mapping[str, Any] | None:
        bucket = resource_id.partition(",")[0]
        found = unless_absent(lambda: self.get(call.client("s3"), bucket), *self.absent, *NO_BUCKET)
        return None if found is None else {**found, "bucket": bucket, "id": bucket}

    def update(
        self, call: Call, resource_id: str, old: State, new: Inputs, changed: frozenset[str]
    ) -> str | None:
        self._put(call, resource_id, new)
        return None

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        unless_absent(lambda: self.remove(call.client("s3"), resource_id, state), *self.absent, *NO_BUCKET)

    def _put(self, call: Call, bucket: str, inputs: Inputs) -> None:
        retried(
            call,
            f"bucket {bucket} takes the setting",
            lambda: self.put(call.client("s3"), bucket, inputs),
            "NoSuchBucket",
            "OperationAborted",
            default_timeout_seconds=60,
        )


class BucketPolicy(_Setting):
    token = "aws:s3/bucketPolicy:BucketPolicy"
    policies = frozenset({"policy"})
    absent = ("NoSuchBucketPolicy",)

    def put(self, s3: Any, bucket: str, inputs: Inputs) -> None:
        s3.put_bucket_policy(Bucket=bucket, Policy=inputs["policy"])

    def get(self, s3: Any, bucket: str) -> Mapping[str, Any]:
        return {"policy": s3.get_bucket_policy(Bucket=bucket)["Policy"]}

    def remove(self, s3: Any, bucket: str, state: State) -> None:
        s3.delete_bucket_policy(Bucket=bucket)


class BucketPublicAccessBlock(_Setting):
    token = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
    kept = frozenset({"skipDestroy"})
    absent = ("NoSuchPublicAccessBlockConfiguration",)

    _NAMES = MappingProxyType(
        {
            "blockPublicAcls": "BlockPublicAcls",
            "blockPublicPolicy": "BlockPublicPolicy",
            "ignorePublicAcls": "IgnorePublicAcls",
            "restrictPublicBuckets": "RestrictPublicBuckets",
        }
    )

    def put(self, s3: Any, bucket: str, inputs: Inputs) -> None:
        block = {parameter: bool(inputs.get(name)) for name, parameter in self._NAMES.items()}
        s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=block)

    def get(self, s3: Any, bucket: str) -> Mapping[str, Any]:
        block = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
        return {name: bool(block.get(parameter)) for name, parameter in self._NAMES.items()}

    def remove(self, s3: Any, bucket: str, state: State) -> None:
        if not state.get("skipDestroy"):
            s3.delete_public_access_block(Bucket=bucket)


class BucketServerSideEncryptionConfiguration(_Setting):
    """S3 encrypts every bucket; without the resource it does so with its own key."""

    token = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
    replacing = frozenset({"bucket", "expectedBucketOwner"})
    sets = frozenset({"rules"})
    same = MappingProxyType({"rules.blockedEncryptionTypes": if_given})
    kept = frozenset({"expectedBucketOwner"})
    absent = ("ServerSideEncryptionConfigurationNotFoundError",)

    def put(self, s3: Any, bucket: str, inputs: Inputs) -> None:
        s3.put_bucket_encryption(
            Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": encryption_to_aws(inputs["rules"])}
        )

    def get(self, s3: Any, bucket: str) -> Mapping[str, Any]:
        found = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
        return {"rules": encryption_from_aws(found)}

    def remove(self, s3: Any, bucket: str, state: State) -> None:
        s3.delete_bucket_encryption(Bucket=bucket)


class BucketLifecycleConfiguration(_Setting):
    token = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
    replacing = frozenset({"bucket", "expectedBucketOwner"})
    sets = frozenset({"rules.noncurrentVersionTransitions", "rules.transitions"})
    same = MappingProxyType({"transitionDefaultMinimumObjectSize": if_given, "rules.filter": if_given})
    kept = frozenset({"expectedBucketOwner", "timeouts"})
    absent = ("NoSuchLifecycleConfiguration",)

    def put(self, s3: Any, bucket: str, inputs: Inputs) -> None:
        s3.put_bucket_lifecycle_configuration(
            Bucket=bucket,
            LifecycleConfiguration={"Rules": lifecycle_to_aws(inputs["rules"])},
            **given(inputs, TransitionDefaultMinimumObjectSize="transitionDefaultMinimumObjectSize"),
        )

    def get(self, s3: Any, bucket: str) -> Mapping[str, Any]:
        found = s3.get_bucket_lifecycle_configuration(Bucket=bucket)
        return {
            "rules": lifecycle_from_aws(found["Rules"]),
            "transitionDefaultMinimumObjectSize": found.get(
                "TransitionDefaultMinimumObjectSize", "all_storage_classes_128K"
            ),
        }

    def remove(self, s3: Any, bucket: str, state: State) -> None:
        s3.delete_bucket_lifecycle(Bucket=bucket)


class BucketOwnershipControls(_Setting):
    token = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
    absent = ("OwnershipControlsNotFoundError",)

    def put(self, s3: Any, bucket: str, inputs: Inputs) -> None:
        ownership = inputs["rule"]["objectOwnership"]
        s3.put_bucket_ownership_controls(
            Bucket=bucket, OwnershipControls={"Rules": [{"ObjectOwnership": ownership}]}
        )

    def get(self, s3: Any, bucket: str) -> Mapping[str, Any]:
        rules = s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"]
        return {"rule": {"objectOwnership": rules[0]["ObjectOwnership"]}}

    def remove(self, s3: Any, bucket: str, state: State) -> None:
        s3.delete_bucket_ownership_controls(Bucket=bucket)


class BucketVersioning(_Setting):
    """Versioning can't be taken away again: without the resource it is suspended."""

    token = "aws:s3/bucketVersioning:BucketVersioning"
    replacing = frozenset({"bucket", "expectedBucketOwner"})
    same = MappingProxyType({"versioningConfiguration.mfaDelete": if_given})
    kept = frozenset({"expectedBucketOwner", "mfa"})

    def put(self, s3: Any, bucket: str, inputs: Inputs) -> None:
        wanted = inputs["versioningConfiguration"]
        if wanted["status"] == "Disabled":
            return
        s3.put_bucket_versioning(
            Bucket=bucket,
            VersioningConfiguration=given(wanted, MFADelete="mfaDelete", Status="status"),
            **given(inputs, MFA="mfa"),
        )

    def get(self, s3: Any, bucket: str) -> Mapping[str, Any]:
        there = s3.get_bucket_versioning(Bucket=bucket)
        return {
            "versioningConfiguration": {
                "mfaDelete": there.get("MFADelete", ""),
                "status": there.get("Status") or "Disabled",
            }
        }

    def remove(self, s3: Any, bucket: str, state: State) -> None:
        if state["versioningConfiguration"]["status"] == "Enabled":
            s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
