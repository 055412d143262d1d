"""Images that are here: found (`getRemoteImage`), given another name (`Tag`), pushed (`RegistryImage`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from local.plugins.common.values import UNKNOWN, Path
from local.plugins.docker.names import ImageName
from local.plugins.docker.resource import (
    Call,
    Difference,
    Failure,
    Inputs,
    Outputs,
    changes,
    found_or_fail,
    lacking,
    misnamed,
)


class Tag:
    """`docker:index/tag:Tag`; every change replaces."""

    token = "docker:index/tag:Tag"
    secrets: frozenset[Path] = frozenset()

    def check(self, inputs: Inputs) -> tuple[Inputs, Sequence[Failure]]:
        """Check the two names."""
        served = ("sourceImage", "targetImage", "tagTriggers")
        return inputs, [*lacking(inputs, served), *misnamed(inputs, "sourceImage", "targetImage")]

    def diff(self, old: Inputs, new: Inputs) -> Difference:
        """Compare; triggers are a set."""
        kinds = changes(_normalized(old), _normalized(new))
        return Difference(kinds, frozenset(kinds))

    def create(self, inputs: Inputs, call: Call) -> tuple[str, Outputs]:
        """Tag the image."""
        source, target = ImageName.parse(inputs["sourceImage"]), ImageName.parse(inputs["targetImage"])
        image_id = call.images.tag(source, target)
        return f"{inputs['sourceImage']}.{inputs['targetImage']}", {**inputs, "sourceImageId": image_id}

    def read(self, state: Outputs, call: Call) -> Outputs | None:
        """Return what the source is now; it's gone when the target is."""
        if call.images.find(ImageName.parse(state["targetImage"])) is None:
            return None
        image_id = call.images.find(ImageName.parse(state["sourceImage"]))
        return state if image_id is None else {**state, "sourceImageId": image_id}


def _normalized(inputs: Inputs) -> Inputs:
    triggers = inputs.get("tagTriggers")
    if not isinstance(triggers, list) or UNKNOWN in triggers:
        return inputs
    return {**inputs, "tagTriggers": sorted(map(str, triggers))}


class RegistryImage:
    """`docker:index/registryImage:RegistryImage`; another name or trigger pushes again."""

    token = "docker:index/registryImage:RegistryImage"
    secrets: frozenset[Path] = frozenset()

    def check(self, inputs: Inputs) -> tuple[Inputs, Sequence[Failure]]:
        """Fill in a default of the real provider; nothing is deleted in a registry here."""
        found = [*lacking(inputs, ("name", "triggers", "keepRemotely")), *misnamed(inputs, "name")]
        if inputs.get("keepRemotely") is not True:
            found.append(
                (
                    "keepRemotely",
                    "has to be true: the local stand-in for docker deletes no image in a registry",
                )
            )
        return {"insecureSkipVerify": False, **inputs}, found

    def diff(self, old: Inputs, new: Inputs) -> Difference:
        """Compare."""
        kinds = changes(old, new)
        return Difference(kinds, frozenset(kinds))

    def create(self, inputs: Inputs, call: Call) -> tuple[str, Outputs]:
        """Push the image."""
        digest = call.images.push(ImageName.parse(inputs["name"]), call.say)
        return digest, {**inputs, "sha256Digest": digest}

    def read(self, state: Outputs, call: Call) -> Outputs | None:
        """Return the digest that the registry has for the name now."""
        digest = call.ecr.digest(ImageName.parse(state["name"]))
        return None if digest is None else {**state, "sha256Digest": digest}


def get_remote_image(arguments: Mapping[str, Any], call: Call) -> Outputs:
    """`getRemoteImage`: the id of an image that is here, under a name that no registry has."""
    name = ImageName.parse(arguments["name"])
    return {
        "id": found_or_fail(call.images.find(name), name),
        "name": arguments["name"],
        "repoDigest": "",
    }
