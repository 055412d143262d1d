"""Rules of buckets (encryption, lifecycle, CORS) between Pulumi's form and S3's. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from ..calls import given

_TRANSITION: Final = {"date": "Date", "days": "Days", "storageClass": "StorageClass"}


def encryption_to_aws(rules: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Encryption rules of a request."""
    requests = []
    for rule in rules:
        request: dict[str, Any] = {}
        if default := rule.get("applyServerSideEncryptionByDefault"):
            request["ApplyServerSideEncryptionByDefault"] = given(
                default, KMSMasterKeyID="kmsMasterKeyId", SSEAlgorithm="sseAlgorithm"
            )
        if rule.get("bucketKeyEnabled") is not None:
            request["BucketKeyEnabled"] = rule["bucketKeyEnabled"]
        if rule.get("blockedEncryptionTypes"):
            request["BlockedEncryptionTypes"] = {"EncryptionType": rule["blockedEncryptionTypes"]}
        requests.append(request)
    return requests


def encryption_from_aws(rules: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Encryption rules as arguments."""
    found = []
    for rule in rules:
        default = rule.get("ApplyServerSideEncryptionByDefault")
        found.append(
            {
                "applyServerSideEncryptionByDefault": {
                    "kmsMasterKeyId": default.get("KMSMasterKeyID", ""),
                    "sseAlgorithm": default["SSEAlgorithm"],
                }
                if default
                else None,
                "blockedEncryptionTypes": rule.get("BlockedEncryptionTypes", {}).get("EncryptionType"),
                "bucketKeyEnabled": bool(rule.get("BucketKeyEnabled")),
            }
        )
    return found


def cors_to_aws(rules: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """CORS rules of a request."""
    return [
        given(
            rule,
            AllowedHeaders="allowedHeaders",
            AllowedMethods="allowedMethods",
            AllowedOrigins="allowedOrigins",
            ExposeHeaders="exposeHeaders",
            MaxAgeSeconds="maxAgeSeconds",
        )
        for rule in rules
    ]


def cors_from_aws(rules: Sequence[Mapping[str, Any]] | None) -> list[dict[str, Any]]:
    """CORS rules as arguments."""
    return [
        {
            "allowedHeaders": rule.get("AllowedHeaders", []),
            "allowedMethods": rule["AllowedMethods"],
            "allowedOrigins": rule["AllowedOrigins"],
            "exposeHeaders": rule.get("ExposeHeaders", []),
            "maxAgeSeconds": rule.get("MaxAgeSeconds", 0),
        }
        for rule in rules or ()
    ]


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)


def _moment_text(moment: Any) -> str:
    if isinstance(moment, datetime):
        return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return str(moment or "")


def _timed(part: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """A part of a request with the members that say something; S3 takes a date or days, not both."""
    request = {
        parameter: part[name] for name, parameter in names.items() if part.get(name) not in (None, "", False)
    }
    if "Date" in request:
        request["Date"] = _moment(str(request["Date"]))
        request.pop("Days", None)
    return request


def _expiration_to_aws(expiration: Mapping[str, Any]) -> dict[str, Any]:
    request = _timed(
        expiration, {"date": "Date", "days": "Days", "expiredObjectDeleteMarker": "ExpiredObjectDeleteMarker"}
    )
    return request or {"ExpiredObjectDeleteMarker": False}


def _expiration_from_aws(expiration: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if not expiration:
        return None
    return {
        "date": _moment_text(expiration.get("Date")) or None,
        "days": expiration.get("Days", 0),
        "expiredObjectDeleteMarker": bool(expiration.get("ExpiredObjectDeleteMarker")),
    }


def _transition_from_aws(transition: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "date": _moment_text(transition.get("Date")) or None,
        "days": transition.get("Days", 0),
        "storageClass": transition["StorageClass"],
    }


def _tags(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]


def inline_lifecycle_to_aws(rules: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A bucket's own lifecycle rules of a request; a rule without an id is numbered."""
    return [_inline_to_aws(rule, index) for index, rule in enumerate(rules, start=1)]


def _inline_to_aws(rule: Mapping[str, Any], index: int) -> dict[str, Any]:
    prefix, tags = rule.get("prefix") or "", rule.get("tags") or {}
    request: dict[str, Any] = {
        "ID": rule.get("id") or f"rule-{index}",
        "Status": "Enabled" if rule["enabled"] else "Disabled",
        "Filter": {"And": {"Prefix": prefix, "Tags": _tags(tags)}} if tags else {"Prefix": prefix},
    }
    if rule.get("abortIncompleteMultipartUploadDays"):
        days = rule["abortIncompleteMultipartUploadDays"]
        request["AbortIncompleteMultipartUpload"] = {"DaysAfterInitiation": days}
    if rule.get("expiration"):
        request["Expiration"] = _expiration_to_aws(rule["expiration"])
    if (rule.get("noncurrentVersionExpiration") or {}).get("days"):
        request["NoncurrentVersionExpiration"] = {
            "NoncurrentDays": rule["noncurrentVersionExpiration"]["days"]
        }
    if rule.get("noncurrentVersionTransitions"):
        request["NoncurrentVersionTransitions"] = [
            _timed(part, {"days": "NoncurrentDays", "storageClass": "StorageClass"})
            for part in rule["noncurrentVersionTransitions"]
        ]
    if rule.get("transitions"):
        request["Transitions"] = [_timed(part, _TRANSITION) for part in rule["transitions"]]
    return request


def inline_lifecycle_from_aws(rules: Sequence[Mapping[str, Any]] | None) -> list[dict[str, Any]]:
    """A bucket's own lifecycle rules as arguments."""
    return [_inline_from_aws(rule) for rule in rules or ()]


def _inline_from_aws(rule: Mapping[str, Any]) -> dict[str, Any]:
    filter_ = rule.get("Filter", {})
    both = filter_.get("And", {})
    tags = {
        t["Key"]: t["Value"] for t in [*both.get("Tags", []), *([filter_["Tag"]] if "Tag" in filter_ else [])]
    }
    noncurrent = rule.get("NoncurrentVersionExpiration", {})
    return {
        "abortIncompleteMultipartUploadDays": rule.get("AbortIncompleteMultipartUpload", {}).get(
            "DaysAfterInitiation", 0
        ),
        "enabled": rule["Status"] == "Enabled",
        "expiration": _expiration_from_aws(rule.get("Expiration")),
        "id": rule.get("ID", ""),
        "noncurrentVersionExpiration": {"days": noncurrent["NoncurrentDays"]}
        if noncurrent.get("NoncurrentDays")
        else None,
        "noncurrentVersionTransitions": [
            {"days": part.get("NoncurrentDays"), "storageClass": part["StorageClass"]}
            for part in rule.get("NoncurrentVersionTransitions", [])
        ],
        "prefix": both.get("Prefix") or filter_.get("Prefix") or rule.get("Prefix", ""),
        "tags": tags or None,
        "transitions": [_transition_from_aws(part) for part in rule.get("Transitions", [])],
    }
