"""`docker:index/registryImage:RegistryImage`: an image that is here, pushed to its registry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from local.plugins.common.values import Path
from local.plugins.docker.arguments import Failure, failures
from local.plugins.docker.names import Credentials, ImageName
from local.plugins.docker.resource import Call, Difference, Inputs, Outputs, changes
from local.plugins.docker.tag import name_failures

_REPLACING = frozenset({"build", "name", "triggers"})


class RegistryImage:
    """The resource type."""

    token = "docker:index/registryImage:RegistryImage"
    secret_inputs: frozenset[Path] = frozenset({("authConfig", "password")})
    secret_outputs: frozenset[Path] = frozenset({("authConfig", "password")})

    def check(self, inputs: Inputs, call: Call) -> tuple[Inputs, Sequence[Failure]]:
        """Fill in defaults."""
        import pulumi_docker

        found = list(failures(pulumi_docker.RegistryImageArgs, inputs))
        if inputs.get("name") is None:
            found.append(("name", "is missing; give the image's name with its registry"))
        if inputs.get("build") is not None:
            found.append(("build", "isn't done by the local stand-in; build with docker.Image"))
        found.extend(name_failures(inputs, "name"))
        return {"insecureSkipVerify": False, "keepRemotely": False, **inputs}, found

    def diff(self, old: Inputs, new: Inputs) -> Difference:
        """Compare; another name or trigger pushes again."""
        kinds = changes(old, new)
        return Difference(kinds, frozenset(kinds) & _REPLACING)

    def preview(self, inputs: Inputs, call: Call) -> Outputs:
        """Return the arguments; the digest is known after the push."""
        return dict(inputs)

    def create(self, inputs: Inputs, call: Call) -> tuple[str, Outputs]:
        """Push the image."""
        name = ImageName.parse(inputs["name"])
        digest = call.images(name).push(name, _credentials(inputs, name, call), call.say)
        return digest, {**inputs, "sha256Digest": digest}

    def read(
        self, resource_id: str, inputs: Inputs, state: Outputs, call: Call
    ) -> tuple[Inputs, Outputs] | None:
        """Return the digest that the registry has for the name now; an import's id is the name."""
        known = state or {"insecureSkipVerify": False, "keepRemotely": False, "name": resource_id}
        name = ImageName.parse(known["name"])
        digest = call.images(name).digest_in_registry(name, _credentials(known, name, call))
        if digest is None:
            return None
        return inputs or known, {**known, "sha256Digest": digest}

    def update(self, inputs: Inputs, state: Outputs, call: Call) -> Outputs:
        """Take over arguments that push nothing."""
        found = self.read("", inputs, {**state, **inputs}, call)
        return {**inputs, "sha256Digest": state["sha256Digest"]} if found is None else found[1]

    def delete(self, state: Outputs, call: Call) -> None:
        """Delete the image in the registry, unless `keepRemotely`."""
        if state.get("keepRemotely"):
            return
        name = ImageName.parse(state["name"])
        call.images(name).delete_in_registry(name, state["sha256Digest"], _credentials(state, name, call))


def _credentials(inputs: Mapping[str, Any], name: ImageName, call: Call) -> Credentials | None:
    given = inputs.get("authConfig")
    if given:
        return Credentials(given["username"], given["password"])
    return call.credentials_of(name.host or "")
