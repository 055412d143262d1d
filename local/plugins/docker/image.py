"""`docker:index/image:Image`: an image built from a Dockerfile and pushed.

Its rules are the real provider's: a change of the context shows in `build.contextDigest`, new credentials
alone change nothing, and a preview builds nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from local.plugins.common import values
from local.plugins.common.values import UNKNOWN
from local.plugins.docker import context as contexts
from local.plugins.docker.images import Build
from local.plugins.docker.names import ImageError, ImageName
from local.plugins.docker.resource import (
    Call,
    Difference,
    Failure,
    Inputs,
    Outputs,
    changes,
    lacking,
    misnamed,
)

_INPUTS_IN_STATE = "__inputs"
_BUILD = ("context", "dockerfile", "target", "args", "platform", "builderVersion", "contextDigest")
_BUILDER = "BuilderBuildKit"


class Image:
    """The resource type."""

    token = "docker:index/image:Image"
    secrets: frozenset[values.Path] = frozenset({("registry", "password"), (_INPUTS_IN_STATE,)})

    def check(self, inputs: Inputs) -> tuple[Inputs, Sequence[Failure]]:
        """Fill in defaults of the real provider, and the context's digest."""
        build = dict(inputs["build"])
        found = [
            *lacking(inputs, ("imageName", "build", "registry")),
            *lacking(build, _BUILD, "build."),
            *misnamed(inputs, "imageName"),
            *_check_build(build),
        ]
        return {"buildOnPreview": False, "skipPush": False, **inputs, "build": build}, found

    def diff(self, old: Inputs, new: Inputs) -> Difference:
        """Compare; of the registry only the server counts."""
        kinds = changes(old, new)
        if old["registry"]["server"] == new["registry"]["server"]:
            kinds.pop("registry", None)
        return Difference(kinds)

    def create(self, inputs: Inputs, call: Call) -> tuple[str, Outputs]:
        """Build and push."""
        name, build = ImageName.parse(inputs["imageName"]), _build_of(inputs["build"])
        call.images.build(name, build, call.say)
        digest = call.images.push(name, call.say)
        return str(inputs["imageName"]), {
            "baseImageName": inputs["imageName"],
            "context": build.context,
            "dockerfile": contexts.dockerfile_in_context(build.context, build.dockerfile),
            "imageName": inputs["imageName"],
            "platform": build.platform,
            "registryServer": inputs["registry"]["server"],
            "repoDigest": name.with_digest(digest),
            _INPUTS_IN_STATE: inputs,
        }

    def read(self, state: Outputs, call: Call) -> Outputs | None:
        """Keep the state, unless the registry no longer has this image under its tag."""
        try:
            found = call.ecr.digest(ImageName.parse(state["imageName"]))
        except ImageError as error:
            call.tell(f"the image is taken to be unchanged: {error}")
            return state
        return state if found == ImageName.parse(state["repoDigest"]).digest else None


def _build_of(inputs: Mapping[str, Any]) -> Build:
    return Build(
        context=inputs["context"],
        dockerfile=inputs["dockerfile"],
        args=inputs.get("args") or {},
        target=inputs.get("target") or "",
        platform=inputs["platform"],
    )


def _check_build(build: Inputs) -> Iterator[Failure]:
    if build.get("builderVersion") != _BUILDER:
        yield "build.builderVersion", f"has to be {_BUILDER}: the local stand-in for docker knows no other"
    context, dockerfile = build["context"], build["dockerfile"]
    if dockerfile is UNKNOWN or context is UNKNOWN:
        return
    if not Path(context).is_dir():
        yield "build.context", f'is "{context}", which is not a folder in {Path.cwd()}; correct it'
    elif not Path(dockerfile).is_file():
        in_context = os.path.normpath(Path(context, dockerfile))
        hint = f'set it to "{in_context}"' if Path(in_context).is_file() else "correct it or write the file"
        reason = f'is "{dockerfile}", which is not a file in {Path.cwd()}; {hint}'
        yield "build.dockerfile", f"{reason} (it is not relative to the context)"
    else:
        try:
            build["contextDigest"] = contexts.digest(context, dockerfile)
        except ImageError as error:
            yield "build.context", str(error)
