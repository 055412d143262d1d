"""`docker:index/remoteImage:RemoteImage`: an image brought here from its registry, and the two look-ups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from local.plugins.common.values import Path
from local.plugins.docker.arguments import Failure, failures
from local.plugins.docker.names import ImageError, ImageName
from local.plugins.docker.resource import Call, Difference, Inputs, Outputs, changes, found_or_fail
from local.plugins.docker.tag import name_failures

_REPLACING = frozenset({"build", "forceRemove", "name", "platform", "pullTriggers", "triggers"})


class RemoteImage:
    """The resource type."""

    token = "docker:index/remoteImage:RemoteImage"
    secret_inputs: frozenset[Path] = frozenset()
    secret_outputs: frozenset[Path] = frozenset()

    def check(self, inputs: Inputs, call: Call) -> tuple[Inputs, Sequence[Failure]]:
        """Check the name."""
        import pulumi_docker

        found = [*failures(pulumi_docker.RemoteImageArgs, inputs), *name_failures(inputs, "name")]
        if inputs.get("build") is not None:
            found.append(("build", "isn't done by the local stand-in; build with docker.Image"))
        return inputs, found

    def diff(self, old: Inputs, new: Inputs) -> Difference:
        """Compare; triggers bring the image again."""
        kinds = changes(old, new)
        return Difference(kinds, frozenset(kinds) & _REPLACING - {"forceRemove"})

    def preview(self, inputs: Inputs, call: Call) -> Outputs:
        """Return the arguments; ids are known afterwards."""
        return dict(inputs)

    def create(self, inputs: Inputs, call: Call) -> tuple[str, Outputs]:
        """Use the image that is here, or bring it."""
        name = ImageName.parse(inputs["name"])
        images = call.images(name)
        image_id = images.find(name)
        if image_id is None:
            credentials = call.credentials_of(name.host or "")
            image_id = images.pull(name, credentials, inputs.get("platform") or "", call.say)
        return f"{image_id}{inputs['name']}", self._outputs(inputs, image_id, call)

    def read(
        self, resource_id: str, inputs: Inputs, state: Outputs, call: Call
    ) -> tuple[Inputs, Outputs] | None:
        """Return the image's id now; it's gone when nothing here has the name."""
        if not state:
            raise ImageError(f"{resource_id}: an image can't be imported; creating it again changes nothing")
        image_id = call.images(ImageName.parse(state["name"])).find(ImageName.parse(state["name"]))
        return None if image_id is None else (inputs, self._outputs(state, image_id, call))

    def update(self, inputs: Inputs, state: Outputs, call: Call) -> Outputs:
        """Take over how it is removed."""
        return {**inputs, "imageId": state["imageId"], "repoDigest": state["repoDigest"]}

    def delete(self, state: Outputs, call: Call) -> None:
        """Remove the image here, unless `keepLocally`."""
        if not state.get("keepLocally"):
            name = ImageName.parse(state["name"])
            call.images(name).remove(name, force=bool(state.get("forceRemove")))

    def _outputs(self, inputs: Inputs, image_id: str, call: Call) -> Outputs:
        name = ImageName.parse(inputs["name"])
        return {**inputs, "imageId": image_id, "repoDigest": _repo_digest(name, call)}


def _repo_digest(name: ImageName, call: Call) -> str:
    """Return `REPOSITORY@DIGEST`, or nothing for an image that no registry has."""
    if name.host is None:
        return ""
    digest = call.images(name).digest_in_registry(name, call.credentials_of(name.host))
    return name.with_digest(digest) if digest else ""


def get_remote_image(arguments: Mapping[str, Any], call: Call) -> Outputs:
    """`getRemoteImage`: id and digest of an image that is here."""
    name = ImageName.parse(arguments["name"])
    image_id = found_or_fail(call.images(name).find(name), name)
    return {"id": image_id, "name": arguments["name"], "repoDigest": _repo_digest(name, call)}


def get_registry_image(arguments: Mapping[str, Any], call: Call) -> Outputs:
    """`getRegistryImage`: the digest that a registry has for a name."""
    name = ImageName.parse(arguments["name"])
    digest = call.images(name).digest_in_registry(name, call.credentials_of(name.host or ""))
    if digest is None:
        raise ImageError(f"{name} isn't in the registry; push it first, or correct its tag")
    return {
        "id": digest,
        "insecureSkipVerify": bool(arguments.get("insecureSkipVerify")),
        "name": arguments["name"],
        "sha256Digest": digest,
    }
