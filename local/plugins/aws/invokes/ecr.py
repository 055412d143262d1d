"""Functions about ECR: images and credentials."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from ..resource import Call, Inputs, function, without_none


def _registry(args: Inputs) -> dict[str, Any]:
    return without_none(registryId=args.get("registryId"))


def _images(call: Call, repository: str, parameters: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    pages = (
        call.client("ecr").get_paginator("describe_images").paginate(repositoryName=repository, **parameters)
    )
    return [image for page in pages for image in page["imageDetails"]]


@function("aws:ecr/getImage:getImage", required="repositoryName")
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


@function("aws:ecr/getAuthorizationToken:getAuthorizationToken", secrets="authorizationToken password")
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
