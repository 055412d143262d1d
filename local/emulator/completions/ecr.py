"""ECR: immutable tags with exclusions, tags that move, and images found by any of their names.

Owns which tags may move, and what an image's names are. To ministack, which keeps repositories and images,
every tag may. Deliberately doesn't expire images by the lifecycle policy, which is only stored, and scans
nothing.
Source: https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutImageTagMutability.html,
https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutImage.html,
https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_BatchDeleteImage.html
"""

from __future__ import annotations

import base64
import fnmatch
import hashlib
import json
import re
import secrets
from functools import partial
from typing import Any

from ministack.core.responses import AccountRegionScopedDict, get_account_id, request_scope
from ministack.services import ecr

from local.emulator.completions.inside import ask_json, end_of
from local.emulator.completions.patching import AwsError, Request, Response, wrap
from local.emulator.completions.protocols import serve

invalid = partial(AwsError, "InvalidParameterException")

MUTABILITIES = ("MUTABLE", "IMMUTABLE", "IMMUTABLE_WITH_EXCLUSION", "MUTABLE_WITH_EXCLUSION")
_REPOSITORY_IMAGE = re.compile(
    r"^(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com/(?P<name>[^@:]+)"
    r"(?::(?P<tag>[^@]+))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?$"
)
_PUSHED_TAG = re.compile(r"/v2/(?P<repository>.+)/manifests/(?P<tag>[^/:]+)")
_MEDIA_TYPE = "application/vnd.docker.distribution.manifest.v2+json"
_REGISTRY_VERSION = {"Docker-Distribution-Api-Version": "registry/2.0"}

_mutability = AccountRegionScopedDict()
"""What a repository says of its tags, by its name."""


def install() -> None:
    """Completes repositories and images."""
    serve(
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
    wrap(ecr, "handle_registry_request", _registry)


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
        if parsed["name"] not in _mutability:
            return f"pull access denied for {image}: repository {parsed['name']} does not exist"
        wanted = (
            {"imageDigest": parsed["digest"]} if parsed["digest"] else {"imageTag": parsed["tag"] or "latest"}
        )
        if _find_image(parsed["name"], wanted) is None:
            return f"image manifest has been retried 1 time(s): failed to resolve ref {image}: not found"
    return None


def _repository(request: Request) -> str:
    name = str(request.get("repositoryName", ""))
    if name not in _mutability:
        raise AwsError(
            "RepositoryNotFoundException",
            f"The repository with name '{name}' does not exist in the registry with id '{get_account_id()}'",
        )
    return name


def _checked_mutability(request: Request) -> dict[str, Any]:
    mutability = request.get("imageTagMutability", "MUTABLE")
    filters = request.get("imageTagMutabilityExclusionFilters") or []
    if mutability not in MUTABILITIES:
        raise invalid(f"imageTagMutability {mutability!r} must be one of {MUTABILITIES}")
    if mutability.endswith("_WITH_EXCLUSION") != bool(filters):
        raise invalid(
            f"imageTagMutabilityExclusionFilters must be given with {mutability!r} exactly if it ends with "
            "_WITH_EXCLUSION"
        )
    if len(filters) > 5:
        raise invalid("At most 5 imageTagMutabilityExclusionFilters can be given")
    for exclusion in filters:
        pattern = exclusion.get("filter", "")
        if exclusion.get("filterType") != "WILDCARD" or not re.fullmatch(r"[0-9A-Za-z._*-]{1,128}", pattern):
            raise invalid(
                f"The exclusion filter {pattern!r} must be of type WILDCARD, of letters, digits, '.', "
                "'_', '-' and '*'"
            )
    excluded = {"imageTagMutabilityExclusionFilters": filters} if filters else {}
    return {"imageTagMutability": mutability} | excluded


def _create_repository(request: Request) -> dict[str, Any]:
    mutability = _checked_mutability(request)
    asked = {name: value for name, value in request.items() if name not in mutability}
    answer = ask_json("ecr", "CreateRepository", asked)
    _mutability[request["repositoryName"]] = mutability
    return {"repository": answer["repository"] | mutability}


def _describe_repositories(request: Request) -> dict[str, Any]:
    answer = ask_json("ecr", "DescribeRepositories", request)
    shown = [each | _mutability[each["repositoryName"]] for each in answer["repositories"]]
    return answer | {"repositories": shown}


def _delete_repository(request: Request) -> dict[str, Any]:
    answer = ask_json("ecr", "DeleteRepository", request)
    return {"repository": answer["repository"] | _mutability.pop(request["repositoryName"])}


def _put_image_tag_mutability(request: Request) -> dict[str, Any]:
    name = _repository(request)
    _mutability[name] = mutability = _checked_mutability(request)
    return {"registryId": get_account_id(), "repositoryName": name} | mutability


def tag_is_immutable(repository: str, tag: str) -> bool:
    """Whether this tag, once given, must stay on its image."""
    said = _mutability[repository]
    mutability = said["imageTagMutability"]
    excluded = any(
        fnmatch.fnmatchcase(tag, exclusion["filter"])
        for exclusion in said.get("imageTagMutabilityExclusionFilters") or []
    )
    if mutability == "IMMUTABLE_WITH_EXCLUSION":
        return not excluded
    if mutability == "MUTABLE_WITH_EXCLUSION":
        return excluded
    return bool(mutability == "IMMUTABLE")


def _put_image(request: Request) -> dict[str, Any]:
    name, registry = _repository(request), get_account_id()
    manifest, tag = request.get("imageManifest", ""), request.get("imageTag")
    digest = _digest(manifest.encode())
    if request.get("imageDigest", digest) != digest:
        raise AwsError(
            "ImageDigestDoesNotMatchException",
            f"The provided digest '{request['imageDigest']}' doesn't match the manifest's '{digest}'",
        )
    existing = _find_image(name, {"imageDigest": digest})
    if existing is not None and (tag is None or tag in existing["imageTags"]):
        raise AwsError(
            "ImageAlreadyExistsException",
            f"Image with digest '{digest}' and tag '{tag}' already exists in the repository with name "
            f"'{name}' in registry with id '{registry}'",
        )
    if tag and _find_image(name, {"imageTag": tag}) and tag_is_immutable(name, tag):
        raise AwsError("ImageTagAlreadyExistsException", _stays(name, tag))
    _push(name, tag or digest, manifest, request.get("imageManifestMediaType") or _MEDIA_TYPE)
    return {"image": _shown(name, digest, tag)}


def _stays(repository: str, tag: str) -> str:
    return (
        f"The image tag '{tag}' already exists in the '{repository}' repository and cannot be overwritten "
        "because the tag is immutable."
    )


def _push(repository: str, reference: str, manifest: str, media_type: str) -> None:
    """Stores a manifest as Docker does: by the registry and by the API then, the same image is seen."""
    path, headers = f"/v2/{repository}/manifests/{reference}", {"content-type": media_type}
    status, _, body = end_of(ecr.handle_registry_request("PUT", path, headers, manifest.encode(), {}))
    if status >= 300:
        raise invalid(body.decode())


def _shown(repository: str, digest: str, tag: str | None) -> dict[str, Any]:
    of_image = {"repositoryName": repository, "imageIds": [{"imageDigest": digest}]}
    image: dict[str, Any] = ask_json("ecr", "BatchGetImage", of_image)["images"][0]
    return image | {"imageId": {"imageDigest": digest} | ({"imageTag": tag} if tag else {})}


def _digest(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


def _find_image(repository: str, image_id: dict[str, str]) -> dict[str, Any] | None:
    """The image that has every name given: digest and tag must be of the same image."""
    if repository not in _mutability:
        return None
    digest, tag = image_id.get("imageDigest"), image_id.get("imageTag")
    for image in ask_json("ecr", "DescribeImages", {"repositoryName": repository})["imageDetails"]:
        if digest in (None, image["imageDigest"]) and (tag is None or tag in image["imageTags"]):
            found: dict[str, Any] = image
            return found
    return None


def _not_found(image_id: dict[str, str]) -> dict[str, Any]:
    return {
        "imageId": image_id,
        "failureCode": "ImageNotFound",
        "failureReason": "Requested image not found",
    }


def _batch_get_image(request: Request) -> dict[str, Any]:
    name = _repository(request)
    images, failures = [], []
    for image_id in request.get("imageIds", []):
        found = _find_image(name, image_id)
        if found is None:
            failures.append(_not_found(image_id))
        else:
            images.append(_shown(name, found["imageDigest"], image_id.get("imageTag")))
    return {"images": images, "failures": failures}


def _batch_delete_image(request: Request) -> dict[str, Any]:
    """By tag, only the tag goes, and the image with its last one; by digest, the image with all its tags."""
    name = _repository(request)
    deleted, failures = [], []
    for image_id in request.get("imageIds", []):
        found = _find_image(name, image_id)
        if found is None:
            failures.append(_not_found(image_id))
            continue
        digest, tag = found["imageDigest"], image_id.get("imageTag")
        tags = [tag] if tag else found["imageTags"]
        deleted += [{"imageDigest": digest, "imageTag": each} for each in tags] or [{"imageDigest": digest}]
        if tag and found["imageTags"] != [tag]:
            # The tag moves to a manifest of nobody's, and goes with that one.
            nobodys = json.dumps({"deleted": secrets.token_hex(8)})
            _push(name, tag, nobodys, _MEDIA_TYPE)
            digest = _digest(nobodys.encode())
        of_image = {"repositoryName": name, "imageIds": [{"imageDigest": digest}]}
        ask_json("ecr", "BatchDeleteImage", of_image)
    return {"imageIds": deleted, "failures": failures}


def _describe_images(request: Request) -> dict[str, Any]:
    name = request.get("repositoryName", "")
    for image_id in request.get("imageIds") or []:
        if name in _mutability and _find_image(name, image_id) is None:
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


async def _registry(
    original: Any, method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]
) -> Response:
    """A push over the registry's own protocol is refused where PutImage is."""
    pushed = _PUSHED_TAG.fullmatch(path) if method == "PUT" else None
    if pushed is not None:
        # The question also settles of which account and region the repository is.
        _, found, _ = await original("HEAD", path, headers, b"", query)
        name, tag = pushed["repository"], pushed["tag"]
        if found.get("Docker-Content-Digest", _digest(body)) != _digest(body) and tag_is_immutable(name, tag):
            problem = {"code": "TAG_INVALID", "message": _stays(name, tag), "detail": {"tag": tag}}
            content = {"Content-Type": "application/json"} | _REGISTRY_VERSION
            return 400, content, json.dumps({"errors": [problem]}).encode()
    response: Response = await original(method, path, headers, body, query)
    return response
