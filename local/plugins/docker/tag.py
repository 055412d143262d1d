"""`docker:index/tag:Tag`: another name for an image that is here. Deleting it deletes neither name."""

from __future__ import annotations

from collections.abc import Sequence

from local.plugins.common.values import UNKNOWN, Path
from local.plugins.docker.arguments import Failure, failures
from local.plugins.docker.names import ImageError, ImageName
from local.plugins.docker.resource import Call, Difference, Inputs, Outputs, changes


def name_failures(inputs: Inputs, *paths: str) -> list[Failure]:
    """Return what is wrong with the image names at the paths that are known."""
    found = []
    for path in paths:
        value = inputs.get(path)
        if value is UNKNOWN or not isinstance(value, str):
            continue
        try:
            ImageName.parse(value)
        except ImageError as error:
            found.append((path, str(error)))
    return found


class Tag:
    """The resource type; every change replaces."""

    token = "docker:index/tag:Tag"
    secret_inputs: frozenset[Path] = frozenset()
    secret_outputs: frozenset[Path] = frozenset()

    def check(self, inputs: Inputs, call: Call) -> tuple[Inputs, Sequence[Failure]]:
        """Check the two names."""
        import pulumi_docker

        found = [
            *failures(pulumi_docker.TagArgs, inputs),
            *name_failures(inputs, "sourceImage", "targetImage"),
        ]
        return inputs, found

    def diff(self, old: Inputs, new: Inputs) -> Difference:
        """Compare; triggers are a set."""
        kinds = changes(_normalized(old), _normalized(new))
        return Difference(kinds, frozenset(kinds))

    def preview(self, inputs: Inputs, call: Call) -> Outputs:
        """Return the arguments; only the image's id is unknown."""
        return dict(inputs)

    def create(self, inputs: Inputs, call: Call) -> tuple[str, Outputs]:
        """Tag the image."""
        source, target = ImageName.parse(inputs["sourceImage"]), ImageName.parse(inputs["targetImage"])
        image_id = call.images(target).tag(source, target)
        return f"{inputs['sourceImage']}.{inputs['targetImage']}", {**inputs, "sourceImageId": image_id}

    def read(
        self, resource_id: str, inputs: Inputs, state: Outputs, call: Call
    ) -> tuple[Inputs, Outputs] | None:
        """Return what the source is now; it's gone when the target is."""
        if not state:
            raise ImageError(f"{resource_id}: a tag can't be imported; creating it again changes nothing")
        source, target = ImageName.parse(state["sourceImage"]), ImageName.parse(state["targetImage"])
        images = call.images(target)
        if images.find(target) is None:
            return None
        image_id = images.find(source)
        return inputs, state if image_id is None else {**state, "sourceImageId": image_id}

    def update(self, inputs: Inputs, state: Outputs, call: Call) -> Outputs:
        """Never happens: every change replaces."""
        return self.create(inputs, call)[1]

    def delete(self, state: Outputs, call: Call) -> None:
        """Leave both names."""


def _normalized(inputs: Inputs) -> Inputs:
    triggers = inputs.get("tagTriggers")
    if not isinstance(triggers, list) or UNKNOWN in triggers:
        return inputs
    return {**inputs, "tagTriggers": sorted(map(str, triggers))}
