"""Images on paper: manifests without layers, for a machine without a Docker engine and a registry.

A paper image is a configuration derived from what the image is built of, and a manifest that names it. Its
digest is the real digest of that manifest, so the same inputs give the same digest on every machine. Pushing
one puts the manifest into the emulated ECR; nothing can run it. Never pushes to a real account.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform as machine
from collections.abc import Mapping
from pathlib import Path

from local.cache import write_atomically
from local.plugins.docker import context as contexts
from local.plugins.docker.emulated_ecr import EmulatedEcr
from local.plugins.docker.images import Build, Say
from local.plugins.docker.names import ImageError, ImageName

_MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
_CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def default_folder() -> Path:
    """Return where they are kept: `paper-images` in FILEFLOW_LOCAL_DIR, else in the checkout's `.local`."""
    given = os.environ.get("FILEFLOW_LOCAL_DIR")
    return (Path(given) if given else Path(__file__).resolve().parents[3] / ".local") / "paper-images"


class PaperImages:
    """Implements `images.Images`. A file for each name; safe with several plugins at once."""

    def __init__(self, folder: Path, ecr: EmulatedEcr) -> None:
        self._folder = folder
        self._ecr = ecr

    # -- images that are here ------------------------------------------------------------------------------

    def build(self, name: ImageName, build: Build, say: Say) -> str:
        """Make an image of a build's inputs: Dockerfile, context, arguments, target and platform."""
        stages = contexts.stage_names(build.dockerfile)
        if build.target and build.target.lower() not in stages and not build.target.isdecimal():
            raise ImageError(
                f'{name} can\'t be built: {build.dockerfile} has no stage "{build.target}", '
                f"only {', '.join(stages) or 'none'}; change build.target"
            )
        inputs = {
            "args": hashlib.sha256(json.dumps(dict(build.args), sort_keys=True).encode()).hexdigest(),
            "context": contexts.digest(build.context, build.dockerfile),
            "target": build.target,
        }
        image_id = self._keep(name, inputs, build.platform)
        say(f"{name.path}: built on paper, without a Docker engine")
        return image_id

    def find(self, name: ImageName) -> str | None:
        """Return the image's id; an image without a registry's address is always there, by its name alone."""
        if (kept := self._read(name)) is not None:
            return kept["id"]
        return self._keep(name, {"local-image": str(name)}, _host_platform()) if name.host is None else None

    def tag(self, source: ImageName, target: ImageName) -> str:
        """Give a paper image another name."""
        image_id = self.find(source)
        kept = self._read(source)
        if image_id is None or kept is None:
            raise ImageError(f"there is no image {source} to tag as {target}; build it first")
        self._write(target, kept)
        return image_id

    # -- images in the emulated ECR ------------------------------------------------------------------------

    def push(self, name: ImageName, say: Say) -> str:
        """Put the manifest into the emulated ECR under its tag, unless it's there already."""
        kept = self._read(name)
        if kept is None:
            raise ImageError(f"there is no image {name} to push; build or tag it first")
        manifest = kept["manifest"]
        digest = _sha256(manifest)
        if self._ecr.digest(name) != digest:
            self._ecr.put(name, manifest, json.loads(manifest)["mediaType"])
            say(f"{name.path}: {name.tag or 'latest'} is now {digest} in the emulated ECR")
        return digest

    # -- files ---------------------------------------------------------------------------------------------

    def _keep(self, name: ImageName, inputs: Mapping[str, str], platform: str) -> str:
        operating_system, _, architecture = platform.partition("/")
        config = json.dumps(
            {
                "architecture": architecture.partition("/")[0],
                "os": operating_system,
                "config": {"Labels": {f"fileflow.local.{key}": value for key, value in inputs.items()}},
                "rootfs": {"type": "layers", "diff_ids": []},
            },
            sort_keys=True,
        )
        manifest = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": _MANIFEST_TYPE,
                "config": {"mediaType": _CONFIG_TYPE, "digest": _sha256(config), "size": len(config)},
                "layers": [],
                "annotations": {"fileflow.local.paper-image": "has no layers and can't run"},
            },
            sort_keys=True,
        )
        self._write(name, {"manifest": manifest, "id": _sha256(config)})
        return _sha256(config)

    def _path(self, name: ImageName) -> Path:
        return self._folder / f"{hashlib.sha256(str(name).encode()).hexdigest()[:40]}.json"

    def _read(self, name: ImageName) -> dict[str, str] | None:
        try:
            kept: dict[str, str] = json.loads(self._path(name).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise ImageError(
                f"the paper image in {self._path(name)} can't be read ({error}); delete it"
            ) from None
        return kept

    def _write(self, name: ImageName, kept: Mapping[str, str]) -> None:
        """Write a name's file whole or not at all."""
        try:
            write_atomically(self._path(name), json.dumps({"name": str(name), **kept}))
        except OSError as error:
            raise ImageError(
                f"the paper image {name} can't be kept in {self._folder} ({error.strerror}); "
                "make room or set FILEFLOW_LOCAL_DIR to a writable folder"
            ) from None


def _sha256(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _host_platform() -> str:
    architecture = machine.machine().lower()
    return f"linux/{_ARCHITECTURES.get(architecture, architecture)}"
