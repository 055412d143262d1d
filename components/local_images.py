"""Whether an image in the Docker engine is made for the architecture of the task that is to run it.

A machine's own builds are for the machine: an image from a laptop with an ARM64 processor ends on X86_64 by
"exec format error", after it was pushed and ECS has tried it three times. The provider tells an image's id
and no more, so the Docker CLI is asked. Where there is none, or it reaches another engine, all is let pass.
Owns the question and its message. Doesn't own an image, nor what a registry has: ECR tells an architecture
only with the image's content.
"""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from components.validation import InvalidArgumentError

DOCKER_ARCHITECTURES: Mapping[str, str] = {"ARM64": "arm64", "X86_64": "amd64"}
"""What Docker calls the architectures of ECS."""

_ECS_ARCHITECTURES = {theirs: ours for ours, theirs in DOCKER_ARCHITECTURES.items()}

_TIMEOUT_SECONDS = 10


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """An image of the Docker engine by its name, and the platform (`linux/amd64`) that is to run it."""

    name: str
    platform: str


async def checked_id(image_id: str, wanted: Wanted, all_wanted: Sequence[Wanted]) -> str:
    """`image_id`, unless that image is for another platform.

    Raises `pulumi.RunError` then, which names each of `all_wanted` that is. The image is asked for by its id,
    which no other engine knows.
    """
    mistake = await asyncio.to_thread(_mistake, image_id, wanted)
    if mistake is None:
        return image_id
    others = [each for each in dict.fromkeys(all_wanted) if each != wanted]
    found = await asyncio.gather(*(asyncio.to_thread(_mistake, each.name, each) for each in others))
    raise pulumi.RunError("\n".join(str(each) for each in (mistake, *found) if each is not None))


def _mistake(reference: str, wanted: Wanted) -> InvalidArgumentError | None:
    """What is wrong with an image; None where it fits, or Docker doesn't tell."""
    platform = _inspected(reference, "--format", "{{.Os}}/{{.Architecture}}")
    if platform in (None, wanted.platform):
        return None
    # An image may be for several platforms, of which the first answer names the machine's own.
    # Source: https://docs.docker.com/reference/cli/docker/image/inspect/ (--platform)
    if _inspected(reference, "--platform", wanted.platform) is not None:
        return None
    asked, found = _architecture(wanted.platform), _architecture(str(platform))
    instead = f", or set size.cpu_architecture to {found}" if found in DOCKER_ARCHITECTURES else ""
    return InvalidArgumentError(
        "size.cpu_architecture",
        asked,
        f"the image {wanted.name} in the Docker engine is for {platform} ({found})",
        f"Build it for {wanted.platform} (docker build --platform {wanted.platform}, or bootBuildImage "
        f"--imagePlatform {wanted.platform}){instead}.",
    )


def _architecture(platform: str) -> str:
    name = platform.rpartition("/")[2]
    return _ECS_ARCHITECTURES.get(name, name)


def _inspected(reference: str, *arguments: str) -> str | None:
    """What `docker image inspect` answers; None where it can't, for whatever reason."""
    try:
        done = subprocess.run(
            ["docker", "image", "inspect", *arguments, reference],
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
