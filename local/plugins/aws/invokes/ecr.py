"""Functions about ECR: images, repositories, credentials, lifecycle policies as documents."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from ..resource import Call, Function, Inputs, tag_map, without_none


def _registry(args: Inputs) -> dict[str, Any]:
    return without_none(registryId=args.get("registryId"))


def _get_repository(call: Call, args: Inputs) -> Mapping[str, Any]:
    ecr = call.client("ecr")
    repository = ecr.describe_repositories(repositoryNames=[args["name"]], **_registry(args))["repositories"][
        0
    ]
    encryption = repository.get("encryptionConfiguration") or {"encryptionType": "AES256"}
    images = _images(call, args["name"], _registry(args))
    latest = max(images, key=lambda image: image["imagePushedAt"], default={})
    return {
        "id": repository["repositoryName"],
        "arn": repository["repositoryArn"],
        "name": repository["repositoryName"],
        "registryId": repository["registryId"],
        "repositoryUrl": repository["repositoryUri"],
        "imageTagMutability": repository.get("imageTagMutability", "MUTABLE"),
        "imageTagMutabilityExclusionFilters": list(
            repository.get("imageTagMutabilityExclusionFilters") or []
        ),
        "imageScanningConfigurations": [
            {"scanOnPush": bool((repository.get("imageScanningConfiguration") or {}).get("scanOnPush"))}
        ],
        "encryptionConfigurations": [
            {"encryptionType": encryption["encryptionType"], "kmsKey": encryption.get("kmsKey", "")}
        ],
        "mostRecentImageTags": list(latest.get("imageTags") or []),
        "tags": tag_map(ecr.list_tags_for_resource(resourceArn=repository["repositoryArn"])["tags"]),
    }


def _get_repositories(call: Call, args: Inputs) -> Mapping[str, Any]:
    del args
    pages = call.client("ecr").get_paginator("describe_repositories").paginate()
    names = [repository["repositoryName"] for page in pages for repository in page["repositories"]]
    return {"id": call.region, "names": sorted(names)}


def _images(call: Call, repository: str, parameters: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    pages = (
        call.client("ecr").get_paginator("describe_images").paginate(repositoryName=repository, **parameters)
    )
    return [image for page in pages for image in page["imageDetails"]]


def _get_image(call: Call, args: Inputs) -> Mapping[str, Any]:
    identity = without_none(imageTag=args.get("imageTag"), imageDigest=args.get("imageDigest"))
    wanted = {"imageIds": [identity]} if identity else {}
    images = _images(call, args["repositoryName"], {**_registry(args), **wanted})
    if not images:
        raise LookupError(f"repository {args['repositoryName']!r} has no image that matches")
    if len(images) > 1 and not args.get("mostRecent"):
        raise LookupError(
            f"{len(images)} images of repository {args['repositoryName']!r} match:"
            " give imageTag, imageDigest or mostRecent"
        )
    image = max(images, key=lambda found: found["imagePushedAt"])
    repository = call.client("ecr").describe_repositories(
        repositoryNames=[args["repositoryName"]], **_registry(args)
    )["repositories"][0]
    return {
        "id": image["imageDigest"],
        "imageDigest": image["imageDigest"],
        "imagePushedAt": int(image["imagePushedAt"].timestamp()),
        "imageSizeInBytes": image.get("imageSizeInBytes", 0),
        "imageTags": list(image.get("imageTags") or []),
        "imageUri": f"{repository['repositoryUri']}@{image['imageDigest']}",
        "registryId": image["registryId"],
        "repositoryName": image["repositoryName"],
    }


def _get_images(call: Call, args: Inputs) -> Mapping[str, Any]:
    pages = (
        call.client("ecr")
        .get_paginator("list_images")
        .paginate(repositoryName=args["repositoryName"], **_registry(args))
    )
    return {
        "imageIds": [
            {"imageDigest": image.get("imageDigest", ""), "imageTag": image.get("imageTag", "")}
            for page in pages
            for image in page["imageIds"]
        ]
    }


def _get_authorization(call: Call, args: Inputs) -> Mapping[str, Any]:
    parameters = {"registryIds": [args["registryId"]]} if args.get("registryId") else {}
    data = call.client("ecr").get_authorization_token(**parameters)["authorizationData"][0]
    user, _, password = base64.b64decode(data["authorizationToken"]).decode().partition(":")
    return {
        "id": call.region,
        "authorizationToken": data["authorizationToken"],
        "expiresAt": data["expiresAt"].strftime("%Y-%m-%dT%H:%M:%SZ"),
        "proxyEndpoint": data["proxyEndpoint"],
        "userName": user,
        "password": password,
    }


def _get_lifecycle_policy_document(call: Call, args: Inputs) -> Mapping[str, Any]:
    del call
    rules = [_rule(rule) for rule in args.get("rules") or []]
    return {"json": json.dumps({"rules": rules}, separators=(",", ":"))}


def _rule(given: Mapping[str, Any]) -> dict[str, Any]:
    selection = given["selection"]
    return without_none(
        rulePriority=given["priority"],
        description=given.get("description"),
        selection=without_none(
            tagStatus=selection["tagStatus"],
            tagPatternList=selection.get("tagPatternLists"),
            tagPrefixList=selection.get("tagPrefixLists"),
            storageClass=selection.get("storageClass"),
            countType=selection["countType"],
            countUnit=selection.get("countUnit"),
            countNumber=selection["countNumber"],
        ),
        action=without_none(**(given.get("action") or {"type": "expire"})),
    )


FUNCTIONS = (
    Function(
        "aws:ecr/getAuthorizationToken:getAuthorizationToken",
        _get_authorization,
        secrets=("authorizationToken", "password"),
    ),
    Function(
        "aws:ecr/getCredentials:getCredentials",
        _get_authorization,
        required=("registryId",),
        secrets=("authorizationToken", "password"),
    ),
    Function("aws:ecr/getImage:getImage", _get_image, required=("repositoryName",)),
    Function("aws:ecr/getImages:getImages", _get_images, required=("repositoryName",)),
    Function("aws:ecr/getLifecyclePolicyDocument:getLifecyclePolicyDocument", _get_lifecycle_policy_document),
    Function("aws:ecr/getRepositories:getRepositories", _get_repositories),
    Function("aws:ecr/getRepository:getRepository", _get_repository, required=("name",)),
)
