"""Buckets, with the settings that may be given inside of them.

Most settings have a resource of their own by now; the arguments here are deprecated and still work.
Replication is refused: it needs the real provider.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from ...naming import AutoName, from_prefix
from ...resource import Call, Inputs, Resource, State, tag_list, tag_map
from ..calls import given, retried, touched, unless_absent
from ..defaulting import if_given
from .rules import (
    cors_from_aws,
    cors_to_aws,
    encryption_from_aws,
    encryption_to_aws,
    inline_lifecycle_from_aws,
    inline_lifecycle_to_aws,
)

NO_BUCKET: Final = ("NoSuchBucket", "404", "NotFound")
_FIRST_REGION: Final = "us-east-1"
# https://docs.aws.amazon.com/general/latest/gr/s3.html: hosted zones of the website endpoints.
_HOSTED_ZONES: Final = {
    "ap-northeast-1": "Z2M4EHUR26P7ZW",
    "ap-northeast-2": "Z3W03O7B5YMIYP",
    "ap-northeast-3": "Z2YQB5RD63NC85",
    "ap-south-1": "Z11RGJOFQNVJUP",
    "ap-southeast-1": "Z3O0J2DXBE1FTB",
    "ap-southeast-2": "Z1WCIGYICN2BYD",
    "ca-central-1": "Z1QDHH18159H29",
    "eu-central-1": "Z21DNDUVLTQW6Q",
    "eu-north-1": "Z3BAZG2TWCNX0D",
    "eu-west-1": "Z1BKCTXD74EZPE",
    "eu-west-2": "Z3GKZC51ZF0DB4",
    "eu-west-3": "Z3R1K369G5AVDG",
    "sa-east-1": "Z7KQH4QJS55SO",
    "us-east-1": "Z3AQBSTGFYJSTF",
    "us-east-2": "Z2O1EMRO9K5GLX",
    "us-west-1": "Z2F56UZL2M1ACD",
    "us-west-2": "Z3BJ6K6RIION7M",
}


class Bucket(Resource):
    token = "aws:s3/bucket:Bucket"
    replacing = frozenset({"bucket", "bucketNamespace", "bucketPrefix", "objectLockEnabled"})
    auto_name = AutoName(property="bucket", max_length=63, lower=True)
    defaults = MappingProxyType({"forceDestroy": False})
    exclusive = (("bucket", "bucketPrefix"), ("acl", "grants"))
    policies = frozenset({"policy"})
    sets = frozenset({"grants", "grants.permissions"})
    same = MappingProxyType({"lifecycleRules.id": if_given})
    kept = frozenset({"acl", "forceDestroy"})
    missing = frozenset(NO_BUCKET)

    def check(self, inputs: Inputs) -> list[tuple[str, str]]:
        name = "replicationConfiguration"
        if name not in inputs:
            return []
        return [(name, f"the aws stand-in doesn't serve `{name}` of a bucket; use the real aws plugin")]

    def create(self, call: Call, inputs: Inputs) -> str:
        s3 = call.client("s3")
        name = str(inputs.get("bucket") or from_prefix(inputs.get("bucketPrefix") or "terraform-"))
        place = {} if call.region == _FIRST_REGION else {"LocationConstraint": call.region}
        s3.create_bucket(
            Bucket=name,
            **({"CreateBucketConfiguration": place} if place else {}),
            **({"ObjectLockEnabledForBucket": True} if inputs.get("objectLockEnabled") else {}),
        )
        call.wait_until(
            f"bucket {name} is there",
            lambda: unless_absent(lambda: s3.head_bucket(Bucket=name), *NO_BUCKET) is not None,
            120,
        )
        self._configure(call, name, inputs, frozenset(inputs))
        if inputs.get("tags"):
            s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": tag_list(inputs["tags"])})
        return name

    def read(self, call: Call, resource_id: str, state: State) -> Mapping[str, Any] | None:
        s3 = call.client("s3")
        if unless_absent(lambda: s3.head_bucket(Bucket=resource_id), *NO_BUCKET) is None:
            return None
        domain = "amazonaws.com.cn" if call.region.startswith("cn-") else "amazonaws.com"
        website = self._website(s3, resource_id)
        site = f"s3-website.{call.region}.{domain}"
        lock = unless_absent(
            lambda: s3.get_object_lock_configuration(Bucket=resource_id)["ObjectLockConfiguration"],
            "ObjectLockConfigurationNotFoundError",
        )
        tags = unless_absent(lambda: s3.get_bucket_tagging(Bucket=resource_id)["TagSet"], "NoSuchTagSet")
        acl = s3.get_bucket_acl(Bucket=resource_id)
        return {
            "accelerationStatus": s3.get_bucket_accelerate_configuration(Bucket=resource_id).get(
                "Status", ""
            ),
            "arn": f"arn:{call.aws.partition}:s3:::{resource_id}",
            "bucket": resource_id,
            "bucketDomainName": f"{resource_id}.s3.{domain}",
            "bucketNamespace": state.get("bucketNamespace") or "global",
            "bucketPrefix": state.get("bucketPrefix") or "",
            "bucketRegion": call.region,
            "bucketRegionalDomainName": f"{resource_id}.s3.{call.region}.{domain}",
            "corsRules": cors_from_aws(
                unless_absent(
                    lambda: s3.get_bucket_cors(Bucket=resource_id)["CORSRules"], "NoSuchCORSConfiguration"
                )
            ),
            "grants": self._grants(acl.get("Grants", [])),
            "hostedZoneId": _HOSTED_ZONES.get(call.region, ""),
            "lifecycleRules": inline_lifecycle_from_aws(
                unless_absent(
                    lambda: s3.get_bucket_lifecycle_configuration(Bucket=resource_id)["Rules"],
                    "NoSuchLifecycleConfiguration",
                )
            ),
            "logging": self._logging(s3, resource_id),
            "objectLockConfiguration": self._object_lock(lock),
            "objectLockEnabled": (lock or {}).get("ObjectLockEnabled") == "Enabled",
            "policy": unless_absent(
                lambda: s3.get_bucket_policy(Bucket=resource_id)["Policy"], "NoSuchBucketPolicy"
            )
            or "",
            "requestPayer": s3.get_bucket_request_payment(Bucket=resource_id).get("Payer", ""),
            "serverSideEncryptionConfiguration": self._encryption(s3, resource_id),
            "tagsAll": tag_map(tags),
            "versioning": self._versioning(s3, resource_id),
            "website": website,
            "websiteDomain": site if website else None,
            "websiteEndpoint": f"{resource_id}.{site}" if website else None,
        }

    def update(
        self, call: Call, resource_id: str, old: State, new: Inputs, changed: frozenset[str]
    ) -> str | None:
        s3 = call.client("s3")
        self._configure(call, resource_id, new, changed)
        if touched(changed, "tags"):
            if new.get("tags"):
                s3.put_bucket_tagging(Bucket=resource_id, Tagging={"TagSet": tag_list(new["tags"])})
            else:
                s3.delete_bucket_tagging(Bucket=resource_id)
        return None

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        s3 = call.client("s3")
        if state.get("forceDestroy"):
            self._empty(s3, resource_id)
        retried(
            call,
            f"bucket {resource_id} is free",
            lambda: unless_absent(lambda: s3.delete_bucket(Bucket=resource_id), *NO_BUCKET),
            "OperationAborted",
            default_timeout_seconds=120,
        )

    @staticmethod
    def _empty(s3: Any, name: str) -> None:
        """Deletes every object in every version."""
        pages = s3.get_paginator("list_object_versions").paginate(Bucket=name)
        for page in unless_absent(lambda: list(pages), *NO_BUCKET) or ():
            found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
            objects = [{"Key": o["Key"], "VersionId": o["VersionId"]} for o in found]
            if objects:
                s3.delete_objects(Bucket=name, Delete={"Objects": objects, "Quiet": True})

    def _configure(self, call: Call, name: str, inputs: Inputs, wanted: frozenset[str]) -> None:
        """Makes the named settings those of the inputs; an absent one is taken away where S3 can."""
        s3 = call.client("s3")

        def is_set(argument: str) -> bool:
            return argument in wanted and inputs.get(argument) not in (None, [], {}, "")

        if is_set("acl"):
            s3.put_bucket_acl(Bucket=name, ACL=inputs["acl"])
        if is_set("grants"):
            s3.put_bucket_acl(
                Bucket=name,
                AccessControlPolicy={
                    "Grants": [g for grant in inputs["grants"] for g in self._grants_to_aws(grant)],
                    "Owner": s3.get_bucket_acl(Bucket=name)["Owner"],
                },
            )
        if is_set("accelerationStatus"):
            s3.put_bucket_accelerate_configuration(
                Bucket=name, AccelerateConfiguration={"Status": inputs["accelerationStatus"]}
            )
        if is_set("corsRules"):
            s3.put_bucket_cors(Bucket=name, CORSConfiguration={"CORSRules": cors_to_aws(inputs["corsRules"])})
        if is_set("versioning"):
            self._set_versioning(s3, name, inputs["versioning"])
        if is_set("lifecycleRules"):
            s3.put_bucket_lifecycle_configuration(
                Bucket=name,
                LifecycleConfiguration={"Rules": inline_lifecycle_to_aws(inputs["lifecycleRules"])},
            )
        if is_set("logging"):
            logging = inputs["logging"]
            s3.put_bucket_logging(
                Bucket=name,
                BucketLoggingStatus={
                    "LoggingEnabled": {
                        "TargetBucket": logging["targetBucket"],
                        "TargetPrefix": logging.get("targetPrefix") or "",
                    }
                },
            )
        if is_set("objectLockConfiguration"):
            self._set_object_lock(s3, name, inputs["objectLockConfiguration"])
        if is_set("policy"):
            s3.put_bucket_policy(Bucket=name, Policy=inputs["policy"])
        if is_set("requestPayer"):
            s3.put_bucket_request_payment(
                Bucket=name, RequestPaymentConfiguration={"Payer": inputs["requestPayer"]}
            )
        if is_set("serverSideEncryptionConfiguration"):
            rule = inputs["serverSideEncryptionConfiguration"]["rule"]
            s3.put_bucket_encryption(
                Bucket=name, ServerSideEncryptionConfiguration={"Rules": encryption_to_aws([rule])}
            )
        if is_set("website"):
            s3.put_bucket_website(Bucket=name, WebsiteConfiguration=self._website_to_aws(inputs["website"]))

    @staticmethod
    def _grants(grants: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """One member for each grantee, with everything it may do."""
        found: dict[tuple[str, ...], dict[str, Any]] = {}
        for grant in grants:
            grantee = grant["Grantee"]
            key = (grantee["Type"], grantee.get("ID", ""), grantee.get("URI", ""))
            member = found.setdefault(key, {"id": key[1], "permissions": [], "type": key[0], "uri": key[2]})
            member["permissions"].append(grant["Permission"])
        return list(found.values())

    @staticmethod
    def _grants_to_aws(grant: Mapping[str, Any]) -> list[dict[str, Any]]:
        grantee = given(grant, ID="id", Type="type", URI="uri")
        return [{"Grantee": grantee, "Permission": permission} for permission in grant["permissions"]]

    @staticmethod
    def _encryption(s3: Any, name: str) -> dict[str, Any] | None:
        rules = unless_absent(
            lambda: s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"],
            "ServerSideEncryptionConfigurationNotFoundError",
        )
        return {"rule": encryption_from_aws(rules)[0]} if rules else None

    @staticmethod
    def _versioning(s3: Any, name: str) -> dict[str, bool]:
        there = s3.get_bucket_versioning(Bucket=name)
        return {
            "enabled": there.get("Status") == "Enabled",
            "mfaDelete": there.get("MFADelete") == "Enabled",
        }

    @staticmethod
    def _set_versioning(s3: Any, name: str, versioning: Mapping[str, Any]) -> None:
        before = s3.get_bucket_versioning(Bucket=name).get("Status")
        if versioning.get("enabled"):
            s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        elif before:
            # Versioning that was on can be suspended; a bucket that never had it stays without.
            s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Suspended"})

    @staticmethod
    def _logging(s3: Any, name: str) -> dict[str, str] | None:
        enabled = s3.get_bucket_logging(Bucket=name).get("LoggingEnabled")
        if not enabled:
            return None
        return {"targetBucket": enabled["TargetBucket"], "targetPrefix": enabled.get("TargetPrefix", "")}

    @staticmethod
    def _object_lock(lock: Mapping[str, Any] | None) -> dict[str, Any] | None:
        if not lock:
            return None
        retention = lock.get("Rule", {}).get("DefaultRetention")
        rule = (
            {
                "defaultRetention": {
                    "days": retention.get("Days"),
                    "mode": retention["Mode"],
                    "years": retention.get("Years"),
                }
            }
            if retention
            else None
        )
        return {"objectLockEnabled": lock.get("ObjectLockEnabled"), "rule": rule}

    @staticmethod
    def _set_object_lock(s3: Any, name: str, lock: Mapping[str, Any]) -> None:
        retention = (lock.get("rule") or {}).get("defaultRetention") or {}
        names = {"Days": "days", "Mode": "mode", "Years": "years"}
        default = {parameter: retention[n] for parameter, n in names.items() if retention.get(n)}
        s3.put_object_lock_configuration(
            Bucket=name,
            ObjectLockConfiguration={
                "ObjectLockEnabled": "Enabled",
                **({"Rule": {"DefaultRetention": default}} if default else {}),
            },
        )

    @staticmethod
    def _website(s3: Any, name: str) -> dict[str, Any] | None:
        site = unless_absent(lambda: s3.get_bucket_website(Bucket=name), "NoSuchWebsiteConfiguration")
        if not site:
            return None
        redirect = site.get("RedirectAllRequestsTo")
        target = ""
        if redirect:
            scheme = f"{redirect['Protocol']}://" if redirect.get("Protocol") else ""
            target = f"{scheme}{redirect['HostName']}"
        rules = site.get("RoutingRules")
        return {
            "errorDocument": site.get("ErrorDocument", {}).get("Key", ""),
            "indexDocument": site.get("IndexDocument", {}).get("Suffix", ""),
            "redirectAllRequestsTo": target,
            "routingRules": json.dumps(rules) if rules else "",
        }

    @staticmethod
    def _website_to_aws(website: Mapping[str, Any]) -> dict[str, Any]:
        if website.get("redirectAllRequestsTo"):
            protocol, _, host = str(website["redirectAllRequestsTo"]).rpartition("://")
            return {
                "RedirectAllRequestsTo": {"HostName": host, **({"Protocol": protocol} if protocol else {})}
            }
        request: dict[str, Any] = {}
        if website.get("indexDocument"):
            request["IndexDocument"] = {"Suffix": website["indexDocument"]}
        if website.get("errorDocument"):
            request["ErrorDocument"] = {"Key": website["errorDocument"]}
        if website.get("routingRules"):
            request["RoutingRules"] = json.loads(website["routingRules"])
        return request
