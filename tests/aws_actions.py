"""Which IAM action a request to AWS needs.

Owns reading it from the request itself: the service from its signature, the operation from its protocol, the
name that IAM has for it. Doesn't own what else AWS asks for with a call (`ALSO` in the deployer's tests).
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

import botocore.loaders

SIGNED_FOR: Final = re.compile(rb"Credential=[^/]+/\d+/[^/]+/([^/]+)/aws4_request")

PREFIXES: Final = {"monitoring": "cloudwatch", "tagging": "tag"}
"""IAM's prefix of a service where it isn't the name that requests are signed for."""

S3_ACTIONS: Final = {
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "DeleteBucketTagging": "PutBucketTagging",
    "DeleteObjects": "DeleteObject",
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetBucketAccelerateConfiguration": "GetAccelerateConfiguration",
    "GetBucketCors": "GetBucketCORS",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "GetBucketReplication": "GetReplicationConfiguration",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "HeadBucket": "ListBucket",
    "HeadObject": "GetObject",
    "ListBuckets": "ListAllMyBuckets",
    "ListObjectVersions": "ListBucketVersions",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
}
"""IAM's name of an operation where it is another one.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
"""


def action_of(request: bytes) -> str:
    """IAM's action for a signed request, for example `ecs:CreateService`.

    Raises ValueError for a request that says neither its service nor its operation.
    """
    head, _, body = request.partition(b"\r\n\r\n")
    signed = SIGNED_FOR.search(head)
    if signed is None:
        raise ValueError(f"{head[:200]!r} isn't signed")
    service = signed[1].decode()
    operation = _operation(service, head.decode("latin-1"), body)
    if service == "s3":
        operation = S3_ACTIONS.get(operation, operation)
    return f"{PREFIXES.get(service, service)}:{operation}"


def _operation(service: str, head: str, body: bytes) -> str:
    method, target, _ = head.split("\r\n", 1)[0].split(" ")
    if named := re.search(r"(?im)^x-amz-target:\s*\S*\.(\w+)", head):
        return named[1]
    url = urlsplit(target)
    if named := re.search(r"/operation/(\w+)$", url.path):
        return named[1]
    query = parse_qs(url.query, keep_blank_values=True)
    if re.search(r"(?im)^content-type:\s*application/x-www-form-urlencoded", head):
        query |= parse_qs(body.decode())
    if "Action" in query:
        return query["Action"][0]
    headers = {line.partition(":")[0].lower() for line in head.split("\r\n")[1:]}
    return _rest_operation(service, method, unquote(url.path), query, headers)


def _rest_operation(
    service: str, method: str, path: str, query: dict[str, list[str]], headers: set[str]
) -> str:
    """The operation whose URL fits, of several the one that asks for most of the query."""
    fitting = []
    model = _model(service)
    for name, operation in model["operations"].items():
        http = operation["http"]
        wanted_path, _, wanted_query = http["requestUri"].partition("?")
        wanted = parse_qs(wanted_query, keep_blank_values=True)
        shape = model["shapes"][operation["input"]["shape"]] if "input" in operation else {}
        required = [shape["members"][member] for member in shape.get("required", ())]
        if (
            http["method"] == method
            and not operation.get("deprecated")
            and _pattern(wanted_path).fullmatch(path)
            and all(key in query and value in ([""], query[key]) for key, value in wanted.items())
            and all(
                each["locationName"] in query for each in required if each.get("location") == "querystring"
            )
            and all(each["locationName"] in headers for each in required if each.get("location") == "header")
        ):
            fitting.append((len(wanted), wanted_path.count("/"), -wanted_path.count("{"), name))
    if not fitting:
        raise ValueError(f"{service} has no operation for {method} {path} {query}")
    found: str = max(fitting)[-1]
    return found


@cache
def _model(service: str) -> Any:
    return botocore.loaders.Loader().load_service_model(service, "service-2")


@cache
def _pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"(\{\w+\+?\})", template.rstrip("/"))
    whole = "".join(
        (".+" if part.endswith("+}") else "[^/]+") if part.startswith("{") else re.escape(part)
        for part in parts
    )
    return re.compile(f"{whole}/?")
