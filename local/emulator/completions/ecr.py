"""ECR: immutable tags with exclusions, tags that move, and images found by any of their names.

Owns what ministack's repositories and images lack. Deliberately doesn't expire images by the lifecycle
policy, which is only stored, and scans nothing.
"""

from __future__ import annotations

import base64
import fnmatch
import hashlib
import json
import re
import secrets
import time
from typing import Any

from ministack.core.responses import get_account_id, request_scope
from ministack.services import ecr

from local.emulator.completions.inside import ask_json
from local.emulator.completions.patching import AwsError, Request, Response, serve_json, wrap

MUTABILITIES = ("MUTABLE", "IMMUTABLE", "IMMUTABLE_WITH_EXCLUSION", "MUTABLE_WITH_EXCLUSION")
_REPOSITORY_IMAGE = re.compile(
    r"^(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com/(?P<name>[^@:]+)"
    r"(?::(?P<tag>[^@]+))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?$"
)


_REGISTRY_VERSION = {"Docker-Distribution-Api-Version": "registry/2.0"}


def install() -> None:
    """Completes repositories and images."""
    serve_json(
        "ecr",
        {
            "CreateRepository": _create_repository,
            "DescribeRepositories": _describe_repositories,
            "DeleteRepository": _delete_repository,
            "PutImageTagMutability": _put_image_tag_mutability,
            "PutImage": _put_image,
            "BatchGetImage": _batch_get_image,
            "BatchDeleteImage": _batch_delete_image,
            "DescribeImages": _describe_images,
            "GetAuthorizationToken": _get_authorization_token,
        },
    )
    wrap(ecr, "_v2_put_manifest", _v2_put_manifest)


def _get_authorization_token(request: Request) -> dict[str, Any]:
    """Another token at every call, as ECR's: what keeps one in its inputs shows a change at every run.

    Source: https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html
    """
    answer = ask_json("ecr", "GetAuthorizationToken", request)
    for data in answer["authorizationData"]:
        data["authorizationToken"] = base64.b64encode(f"AWS:{secrets.token_hex(32)}".encode()).decode()
    return answer


def resolve_digest(image: str) -> str | None:
    """The digest that an image's tag points at in the emulated ECR; None if there is no such image."""
    parsed = _REPOSITORY_IMAGE.match(image)
    if parsed is None:
        return None
    with request_scope(parsed["account"], parsed["region"]):
        found = _find_image(parsed["name"], {"imageTag": parsed["tag"] or "latest"})
    return str(found["imageDigest"]) if found else None


def repository_of(image: str) -> str | None:
    """The ARN of the repository that an image of ECR is in; None for another registry's image."""
    parsed = _REPOSITORY_IMAGE.match(image)
    if parsed is None:
        return None
    return f"arn:aws:ecr:{parsed['region']}:{parsed['account']}:repository/{parsed['name']}"


def missing_image(image: str) -> str | None:
    """Why a container runtime couldn't pull an image of the emulated ECR; None if it could or isn't from
    there."""
    parsed = _REPOSITORY_IMAGE.match(image)
    if parsed is None:
        return None
    with request_scope(parsed["account"], parsed["region"]):
        if parsed["name"] not in ecr._repositories:
            return f"pull access denied for {image}: repository {parsed['name']} does not exist"
        wanted = (
            {"imageDigest": parsed["digest"]} if parsed["digest"] else {"imageTag": parsed["tag"] or "latest"}
        )
        if _find_image(parsed["name"], wanted) is None:
            return f"image manifest has been retried 1 time(s): failed to resolve ref {image}: not found"
    return None


def _repository(request: Request) -> dict[str, Any]:
    name = request.get("repositoryName", "")
    repository: dict[str, Any] | None = ecr._repositories.get(name)
    if repository is None:
        raise AwsError(
            "RepositoryNotFoundException",
            f"The repository with name '{name}' does not exist in the registry with id '{get_account_id()}'",
        )
    return repository


def _check_mutability(request: Request) -> tuple[str, list[dict[str, str]]]:
    mutability = request.get("imageTagMutability", "MUTABLE")
    filters = request.get("imageTagMutabilityExclusionFilters") or []
    if mutability not in MUTABILITIES:
        raise AwsError(
            "InvalidParameterException", f"imageTagMutability {mutability!r} must be one of {MUTABILITIES}"
        )
    if mutability.endswith("_WITH_EXCLUSION") != bool(filters):
        raise AwsError(
            "InvalidParameterException",
            f"imageTagMutabilityExclusionFilters must be given with {mutability!r} exactly if it ends with "
            "_WITH_EXCLUSION",
        )
    if len(filters) > 5:
        raise AwsError(
            "InvalidParameterException", "At most 5 imageTagMutabilityExclusionFilters can be given"
        )
    for exclusion in filters:
        pattern = exclusion.get("filter", "")
        if exclusion.get("filterType") != "WILDCARD" or not re.fullmatch(r"[0-9A-Za-z._*-]{1,128}", pattern):
            raise AwsError(
                "InvalidParameterException",
                f"The exclusion filter {pattern!r} must be of type WILDCARD, of letters, digits, '.', "
                "'_', '-' and '*'",
            )
    return mutability, filters


def _create_repository(request: Request) -> dict[str, Any]:
    _, filters = _check_mutability(request)
    answer = ask_json("ecr", "CreateRepository", request)
    if filters:
        ecr._repositories[request["repositoryName"]]["imageTagMutabilityExclusionFilters"] = filters
    return {"repository": _with_exclusions(answer["repository"])}


def _describe_repositories(request: Request) -> dict[str, Any]:
    answer = ask_json("ecr", "DescribeRepositories", request)
    return answer | {"repositories": [_with_exclusions(each) for each in answer["repositories"]]}


def _delete_repository(request: Request) -> dict[str, Any]:
    exclusions = _exclusions(ecr._repositories.get(request.get("repositoryName")) or {})
    answer = ask_json("ecr", "DeleteRepository", request)
    return {"repository": answer["repository"] | exclusions}


def _with_exclusions(shown: dict[str, Any]) -> dict[str, Any]:
    return shown | _exclusions(ecr._repositories[shown["repositoryName"]])


def _exclusions(repository: dict[str, Any]) -> dict[str, Any]:
    name = "imageTagMutabilityExclusionFilters"
    return {name: repository[name]} if repository.get(name) else {}


def _put_image_tag_mutability(request: Request) -> dict[str, Any]:
    repository = _repository(request)
    mutability, filters = _check_mutability(request)
    repository["imageTagMutability"] = mutability
    repository["imageTagMutabilityExclusionFilters"] = filters
    answer = {
        "registryId": get_account_id(),
        "repositoryName": repository["repositoryName"],
        "imageTagMutability": mutability,
    }
    return answer | ({"imageTagMutabilityExclusionFilters": filters} if filters else {})


def tag_is_immutable(repository: dict[str, Any], tag: str) -> bool:
    """Whether this tag, once given, must stay on its image."""
    mutability = repository.get("imageTagMutability", "MUTABLE")
    excluded = any(
        fnmatch.fnmatchcase(tag, exclusion["filter"])
        for exclusion in repository.get("imageTagMutabilityExclusionFilters") or []
    )
    if mutability == "IMMUTABLE_WITH_EXCLUSION":
        return not excluded
    if mutability == "MUTABLE_WITH_EXCLUSION":
        return excluded
    return bool(mutability == "IMMUTABLE")


def _put_image(request: Request) -> dict[str, Any]:
    repository = _repository(request)
    name, registry = repository["repositoryName"], get_account_id()
    manifest, tag = request.get("imageManifest", ""), request.get("imageTag")
    digest = _digest(manifest.encode())
    if request.get("imageDigest", digest) != digest:
        raise AwsError(
            "ImageDigestDoesNotMatchException",
            f"The provided digest '{request['imageDigest']}' doesn't match the manifest's '{digest}'",
        )
    media_type = (
        request.get("imageManifestMediaType") or "application/vnd.docker.distribution.manifest.v2+json"
    )
    images = ecr._images[name]
    existing = _find_image(name, {"imageDigest": digest})
    if existing is not None and (tag is None or tag in existing["imageTags"]):
        raise AwsError(
            "ImageAlreadyExistsException",
            f"Image with digest '{digest}' and tag '{tag}' already exists in the repository with name "
            f"'{name}' in registry with id '{registry}'",
        )
    holder = _find_image(name, {"imageTag": tag}) if tag else None
    if holder is not None:
        if tag_is_immutable(repository, str(tag)):
            raise AwsError(
                "ImageTagAlreadyExistsException",
                f"The image tag '{tag}' already exists in the '{name}' repository and cannot be overwritten "
                "because the tag is immutable.",
            )
        holder["imageTags"].remove(tag)
    image = existing
    if image is None:
        image = {
            "registryId": registry,
            "repositoryName": name,
            "imageId": {"imageDigest": digest},
            "imageManifest": manifest,
            "imageManifestMediaType": media_type,
            "imageTags": [],
            "imagePushedAt": int(time.time()),
            "imageDigest": digest,
        }
        images.append(image)
    if tag:
        image["imageTags"].append(tag)
    # Docker asks the registry for the manifest; both ways see the same image.
    ecr._manifest_blobs.setdefault(name, {})[digest] = manifest.encode()
    return {"image": _shown(image, tag)}


def _shown(image: dict[str, Any], tag: str | None) -> dict[str, Any]:
    return {
        "registryId": get_account_id(),
        "repositoryName": image["repositoryName"],
        "imageId": {"imageDigest": image["imageDigest"]} | ({"imageTag": tag} if tag else {}),
        "imageManifest": image.get("imageManifest", "{}"),
        "imageManifestMediaType": image["imageManifestMediaType"],
    }


def _digest(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


def _find_image(repository: str, image_id: dict[str, str]) -> dict[str, Any] | None:
    """The first image that has one of the names given."""
    for image in ecr._images.get(repository, []):
        if (
            image["imageDigest"] == image_id.get("imageDigest")
            or image_id.get("imageTag") in image["imageTags"]
        ):
            found: dict[str, Any] = image
            return found
    return None


def _not_found(image_id: dict[str, str]) -> dict[str, Any]:
    return {
        "imageId": image_id,
        "failureCode": "ImageNotFound",
        "failureReason": "Requested image not found",
    }


def _lookup(name: str, image_id: dict[str, str]) -> dict[str, Any] | None:
    """The image that has every name given: digest and tag must be of the same image."""
    found = _find_image(name, image_id)
    if found is None:
        return None
    digest, tag = image_id.get("imageDigest"), image_id.get("imageTag")
    if (digest and found["imageDigest"] != digest) or (tag and tag not in found["imageTags"]):
        return None
    return found


def _batch_get_image(request: Request) -> dict[str, Any]:
    name = _repository(request)["repositoryName"]
    images, failures = [], []
    for image_id in request.get("imageIds", []):
        found = _lookup(name, image_id)
        if found is None:
            failures.append(_not_found(image_id))
        else:
            images.append(_shown(found, image_id.get("imageTag")))
    return {"images": images, "failures": failures}


def _batch_delete_image(request: Request) -> dict[str, Any]:
    """By tag, only the tag goes, and the image with its last one; by digest, the image with all its tags."""
    name = _repository(request)["repositoryName"]
    deleted, failures = [], []
    for image_id in request.get("imageIds", []):
        found = _lookup(name, image_id)
        if found is None:
            failures.append(_not_found(image_id))
            continue
        tags = [image_id["imageTag"]] if image_id.get("imageTag") else list(found["imageTags"])
        found["imageTags"] = [tag for tag in found["imageTags"] if tag not in tags]
        deleted += [{"imageDigest": found["imageDigest"], "imageTag": tag} for tag in tags]
        if not tags:
            deleted.append({"imageDigest": found["imageDigest"]})
        if not found["imageTags"]:
            ecr._images[name].remove(found)
    return {"imageIds": deleted, "failures": failures}


def _describe_images(request: Request) -> dict[str, Any]:
    name = request.get("repositoryName", "")
    for image_id in request.get("imageIds") or []:
        if name in ecr._repositories and _lookup(name, image_id) is None:
            shown = ", ".join(f"{key}:'{value}'" for key, value in image_id.items())
            raise AwsError(
                "ImageNotFoundException",
                f"The image with imageId {{{shown}}} does not exist within the repository with name "
                f"'{name}' in the registry with id '{get_account_id()}'",
            )
    answer = ask_json("ecr", "DescribeImages", request)
    status = (request.get("filter") or {}).get("tagStatus", "ANY")
    if status == "ANY":
        return answer
    details = [
        detail for detail in answer["imageDetails"] if bool(detail.get("imageTags")) == (status == "TAGGED")
    ]
    return {"imageDetails": details}


def _v2_put_manifest(original: Any) -> Any:
    """A push over the registry's own protocol is refused where PutImage is."""

    def put(name: str, ref: str, headers: dict[str, str], body: bytes) -> Response:
        repository = ecr._repositories.get(name)
        if repository is not None and not ref.startswith("sha256:"):
            holder = _find_image(name, {"imageTag": ref})
            digest = _digest(body)
            if holder is not None and holder["imageDigest"] != digest and tag_is_immutable(repository, ref):
                message = (
                    f"The image tag '{ref}' already exists in the '{name}' repository and cannot be "
                    "overwritten because the tag is immutable."
                )
                problem = {"code": "TAG_INVALID", "message": message, "detail": {"tag": ref}}
                headers = {"Content-Type": "application/json"} | _REGISTRY_VERSION
                return 400, headers, json.dumps({"errors": [problem]}).encode()
        response: Response = original(name, ref, headers, body)
        return response

    return put
