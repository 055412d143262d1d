"""`docker:index/image:Image`: an image built from a Dockerfile and pushed.

Its rules are the real provider's: a change of the context shows in `build.contextDigest`, new credentials
alone change nothing, a preview builds only when told to, and deleting it leaves the image where it is.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from local.plugins.common import values
from local.plugins.common.values import UNKNOWN, has_unknown
from local.plugins.docker import context as contexts
from local.plugins.docker.arguments import Failure, failures
from local.plugins.docker.images import Build
from local.plugins.docker.names import Credentials, ImageError, ImageName
from local.plugins.docker.paper import host_platform
from local.plugins.docker.resource import Call, Difference, Inputs, Outputs, changes

_INPUTS_IN_STATE = "__inputs"


class Image:
    """The resource type."""

    token = "docker:index/image:Image"
    secret_inputs: frozenset[values.Path] = frozenset({("registry", "password")})
    secret_outputs: frozenset[values.Path] = frozenset({(_INPUTS_IN_STATE,)})

    def check(self, inputs: Inputs, call: Call) -> tuple[Inputs, Sequence[Failure]]:
        """Fill in defaults and the context's digest."""
        import pulumi_docker

        given = dict(inputs)
        build = given.get("build")
        if isinstance(build, Mapping):
            # What an earlier Check added isn't the user's.
            given["build"] = build = {key: value for key, value in build.items() if key != "contextDigest"}
        found = list(failures(pulumi_docker.ImageArgs, given))
        if found:
            return given, found
        on_preview = given.get("buildOnPreview")
        given["buildOnPreview"] = bool(on_preview) if on_preview is not UNKNOWN else False
        given.setdefault("skipPush", False)
        if build is not UNKNOWN:
            checked = dict(build or {})
            given["build"] = checked
            found.extend(_check_build(checked))
            if checked.get("platform") is None:
                checked["platform"] = host_platform()
                call.tell(f"build.platform isn't set; the image is built for {host_platform()}")
        found.extend(_check_name(given))
        return given, found

    def diff(self, old: Inputs, new: Inputs) -> Difference:
        """Compare; of the registry only the server counts."""
        kinds = changes(old, new)
        before, after = old.get("registry"), new.get("registry")
        both = isinstance(before, Mapping) and isinstance(after, Mapping)
        if both and _server(before) == _server(after):
            kinds.pop("registry", None)
        return Difference(kinds)

    def preview(self, inputs: Inputs, call: Call) -> Outputs:
        """Build in a preview when `buildOnPreview` says so and everything needed is known."""
        needed = [inputs.get("imageName"), inputs.get("build")]
        if not inputs.get("buildOnPreview"):
            return dict(inputs)
        if has_unknown(needed):
            call.tell("buildOnPreview: not built, because imageName or build isn't known yet")
            return dict(inputs)
        return self._made(inputs, call, push=False)[1]

    def create(self, inputs: Inputs, call: Call) -> tuple[str, Outputs]:
        """Build and push."""
        return self._made(inputs, call, push=not inputs.get("skipPush"))

    def read(
        self, resource_id: str, inputs: Inputs, state: Outputs, call: Call
    ) -> tuple[Inputs, Outputs] | None:
        """Keep the state, unless the registry no longer has this image under its tag."""
        if not state:
            raise ImageError(
                f"{resource_id}: an image built elsewhere can't be imported; let pulumi build it"
            )
        digest = str(state.get("repoDigest", ""))
        if "@" not in digest:
            return inputs, state
        name, registry = ImageName.parse(state["imageName"]), inputs.get("registry") or {}
        credentials = _credentials(registry) or call.credentials_of(name.host or "")
        try:
            found = call.images(name).digest_in_registry(name, credentials)
        except ImageError as error:
            call.tell(f"the image is taken to be unchanged: {error}")
            return inputs, state
        return (inputs, state) if found == ImageName.parse(digest).digest else None

    def update(self, inputs: Inputs, state: Outputs, call: Call) -> Outputs:
        """Build and push again."""
        return self.create(inputs, call)[1]

    def delete(self, state: Outputs, call: Call) -> None:
        """Leave the image where it is: something may run it."""

    def _made(self, inputs: Inputs, call: Call, *, push: bool) -> tuple[str, Outputs]:
        name = ImageName.parse(inputs["imageName"])
        images, build, registry = call.images(name), build_of(inputs["build"]), inputs.get("registry") or {}
        credentials = _credentials(registry) or call.credentials_of(registry.get("server") or name.host or "")
        image_id = images.build(name, build, credentials, call.say)
        repo_digest = image_id
        if push:
            repo_digest = name.with_digest(images.push(name, credentials, call.say))
        return str(inputs["imageName"]), {
            "baseImageName": inputs["imageName"],
            "context": build.context,
            "dockerfile": contexts.dockerfile_in_context(build.context, build.dockerfile),
            "imageName": inputs["imageName"],
            "platform": build.platform,
            "registryServer": registry.get("server") or "",
            "repoDigest": repo_digest,
            _INPUTS_IN_STATE: inputs,
        }


def build_of(inputs: Mapping[str, Any]) -> Build:
    """Read the build's arguments after Check."""
    return Build(
        context=inputs["context"],
        dockerfile=inputs["dockerfile"],
        args=inputs.get("args") or {},
        target=inputs.get("target") or "",
        platform=inputs.get("platform") or "",
        builder_version=inputs.get("builderVersion") or "BuilderBuildKit",
        cache_from=tuple((inputs.get("cacheFrom") or {}).get("images") or ()),
        add_hosts=tuple(inputs.get("addHosts") or ()),
        network=inputs.get("network") or "",
    )


def _server(registry: Any) -> Any:
    return registry.get("server")


def _credentials(registry: Mapping[str, Any]) -> Credentials | None:
    username, password = registry.get("username"), registry.get("password")
    return Credentials(username, password) if username and password else None


def _check_build(build: Inputs) -> list[Failure]:
    context, dockerfile = build.get("context"), build.get("dockerfile")
    if context is None:
        build["context"] = context = "."
    if dockerfile is None and context is not UNKNOWN:
        build["dockerfile"] = dockerfile = os.path.normpath(Path(context, "Dockerfile"))
    if dockerfile is UNKNOWN or dockerfile is None or context is UNKNOWN:
        return []
    if not Path(context).is_dir():
        return [("build.context", f'is "{context}", which is not a folder in {Path.cwd()}; correct it')]
    if not Path(dockerfile).is_file():
        in_context = os.path.normpath(Path(context, dockerfile))
        hint = f'set it to "{in_context}"' if Path(in_context).is_file() else "correct it or write the file"
        reason = f'is "{dockerfile}", which is not a file in {Path.cwd()}; {hint}'
        return [("build.dockerfile", f"{reason} (it is not relative to the context)")]
    try:
        build["contextDigest"] = contexts.digest(context, dockerfile)
    except ImageError as error:
        return [("build.context", str(error))]
    return []


def _check_name(inputs: Inputs) -> list[Failure]:
    """A name that is pushed, or read as a cache, must say where to."""
    name, registry = inputs.get("imageName"), inputs.get("registry")
    server = registry.get("server") if isinstance(registry, Mapping) else registry
    build = inputs.get("build")
    cache = (build.get("cacheFrom") or {}).get("images") if isinstance(build, Mapping) else None
    pushes = inputs.get("skipPush") is not True
    names = [("imageName", name)]
    if isinstance(cache, list):
        names += [(f"build.cacheFrom.images[{nth}]", entry) for nth, entry in enumerate(cache)]
    found = []
    for path, text in names:
        if not isinstance(text, str):
            continue
        try:
            parsed = ImageName.parse(text)
        except ImageError as error:
            found.append((path, str(error)))
            continue
        if parsed.host is None and not server and (pushes or cache):
            found.append(
                (
                    path,
                    f'is "{text}", which names no registry; write HOST/{text}, or set skipPush',
                )
            )
    return found
