"""Manifests in the emulated ECR: looked up, put under a tag. Never reaches a real account.

Owns how the API's answers become one message.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

from local.plugins.aws import session
from local.plugins.common.registries import ecr_account_and_region
from local.plugins.docker.names import ImageError, ImageName

MANIFEST_TYPES = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
]


class EmulatedEcr:
    """The emulated ECR of each account and region that image names mention. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._clients: dict[tuple[str, str], Any] = {}

    def digest(self, name: ImageName) -> str | None:
        """Return the digest that the name has, or None."""
        with self._explained(name):
            answer = self._client(name).batch_get_image(
                repositoryName=name.path,
                imageIds=[{"imageTag": name.tag or "latest"}],
                acceptedMediaTypes=MANIFEST_TYPES,
            )
        images = answer["images"]
        return str(images[0]["imageId"]["imageDigest"]) if images else None

    def put(self, name: ImageName, manifest: str, media_type: str) -> None:
        """Put a manifest under the name's tag."""
        with self._explained(name):
            self._client(name).put_image(
                repositoryName=name.path,
                imageManifest=manifest,
                imageManifestMediaType=media_type,
                imageTag=name.tag or "latest",
            )

    def _client(self, name: ImageName) -> Any:
        place = ecr_account_and_region(name.host)
        if place is None:
            raise ImageError(
                f"{name} isn't in the stack's ECR, and the local stand-in for docker asks no other registry; "
                "use an image of the stack's own repository or install the real docker plugin"
            )
        with self._lock:
            if place not in self._clients:
                try:
                    configuration = session.configuration({"region": place[1]})
                except session.ConfigurationError as error:
                    raise ImageError(str(error)) from None
                self._clients[place] = session.Aws(configuration).client("ecr")
            return self._clients[place]

    @contextlib.contextmanager
    def _explained(self, name: ImageName) -> Iterator[None]:
        """Turn what AWS answers into one message."""
        try:
            with session.plain_errors():
                yield
        except session.AwsError as error:
            cause = error.__cause__
            code = session.code(cause) if isinstance(cause, Exception) else ""
            if code == "RepositoryNotFoundException":
                raise ImageError(
                    f'there is no repository "{name.path}" in {name.host}; '
                    "create it first, and check that AWS_ACCESS_KEY_ID belongs to that account"
                ) from None
            if code == "ImageTagAlreadyExistsException":
                raise ImageError(
                    f"{name} is already {self.digest(name)} and its repository doesn't let this tag move; "
                    "raise the version, or delete the tag if the old image was a mistake"
                ) from None
            raise ImageError(f"{name}: {error}") from None
