"""The image of one service: from where it comes, and the digest that its tasks run.

Owns building, tagging and pushing. Doesn't own the repository. Every source ends in a digest, since
a tag can name something else tomorrow. What the repository has under a version's tag counts, whatever the
state says of a push: the docker provider forgets an image that it can't see with a token of yesterday.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NoReturn, assert_never

import pulumi
import pulumi_docker as docker

from components.image_repository import ImageRepository
from components.local_images import Wanted, checked_id
from components.refusal import refused, told
from components.validation import (
    all_mistakes,
    check_pattern,
)

SERVICE_IMAGE = "fileflow:ecr:ServiceImage"

UNPUSHED_DIGEST = "sha256:" + "0" * 64
"""Stands in a preview for the digest of an image that isn't pushed yet; an update never sees it.

Without it the first preview would hide every container definition from the policies.
"""


@dataclass(frozen=True, kw_only=True)
class Build:
    """Build it from a Dockerfile.

    `context` is the folder that the Dockerfile sees, `dockerfile` its path; `build_args` are shown in
    the image's history, so they are no place for a secret.
    """

    context: str
    dockerfile: str
    target: str | None = None
    build_args: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class LocalImage:
    """Push what is in the Docker engine already, for example from Gradle's `bootBuildImage`.

    Refused at preview where the Docker CLI says that it is for another platform than the task's.
    """

    name: str


@dataclass(frozen=True, kw_only=True)
class RegistryTag:
    """Run what was pushed to the repository before, under the version's tag.

    Where it isn't there the run fails, and says what to push. So the first run of a stack makes the
    repository, and the next one, after the push, the services.
    """


ImageSource = Build | LocalImage | RegistryTag


@dataclass(frozen=True, kw_only=True)
class ServiceImageArgs:
    """Arguments of `ServiceImage`.

    `tag` is the version's (`web-api-1.4.0`), which never moves; `latest_tag` moves to it. `platform` is
    `linux/amd64` by default.
    """

    repository: ImageRepository
    source: ImageSource
    tag: str
    latest_tag: str
    platform: str = "linux/amd64"

    @all_mistakes
    def __post_init__(self) -> None:
        for name in ("tag", "latest_tag"):
            check_pattern(
                name,
                getattr(self, name),
                r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}",
                "a tag has up to 128 letters, digits, '_', '.' and '-'",
                "Change the version.",
            )


class ServiceImage(pulumi.ComponentResource):
    """An image in the repository, under its version's tag and the `latest` one."""

    digest: pulumi.Output[str]
    reference: pulumi.Output[str]

    def __init__(self, name: str, args: ServiceImageArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(SERVICE_IMAGE, name, {"tag": args.tag, "latestTag": args.latest_tag}, opts)
        self._name = name
        self._args = args
        match args.source:
            case Build():
                digest = self._kept_or(self._build(args.source))
            case LocalImage():
                digest = self._kept_or(self._push(args.source))
            case RegistryTag():
                digest = self._find()
            case _:
                assert_never(args.source)
        self.digest = _known_in_preview(digest, UNPUSHED_DIGEST)
        self.reference = pulumi.Output.format("{0}@{1}", args.repository.url, self.digest)
        self.register_outputs({"digest": self.digest, "reference": self.reference})

    def _build(self, source: Build) -> pulumi.Output[str]:
        args = self._args
        credentials = args.repository.credentials
        image = docker.Image(
            self._name,
            image_name=self._tagged(args.tag),
            build=docker.DockerBuildArgs(
                context=source.context,
                dockerfile=source.dockerfile,
                target=source.target,
                args=dict(source.build_args),
                platform=args.platform,
                builder_version=docker.BuilderVersion.BUILDER_BUILD_KIT,
            ),
            registry=docker.RegistryArgs(
                server=args.repository.registry,
                username=credentials.user_name,
                password=pulumi.Output.secret(credentials.password),
            ),
            opts=self._pushing([args.repository]),
        )
        digest = image.repo_digest.apply(_digest_of)
        self._tag_and_push("latest", args.latest_tag, image.image_name, digest)
        return digest

    def _push(self, source: LocalImage) -> pulumi.Output[str]:
        found = docker.get_remote_image_output(
            name=source.name,
            opts=pulumi.InvokeOutputOptions(parent=self, provider=self._args.repository.docker_provider),
        )
        wanted = Wanted(name=source.name, platform=self._args.platform)
        all_wanted = self._args.repository.wanted_local_images
        all_wanted.append(wanted)

        async def check(known: str) -> str:
            return await checked_id(known, wanted, all_wanted)

        image_id: pulumi.Output[str] = found.id.apply(told(check))
        version = self._tag_and_push("version", self._args.tag, source.name, image_id)
        self._tag_and_push("latest", self._args.latest_tag, source.name, image_id)
        return version.sha256_digest

    def _kept_or(self, pushed: pulumi.Output[str]) -> pulumi.Output[str]:
        """What the repository has under the version's tag, which never moves; else what is pushed."""
        kept = self._args.repository.digest_under(self._args.tag)
        return kept.apply(lambda digest: digest or pushed)

    def _find(self) -> pulumi.Output[str]:
        repository, tag = self._args.repository, self._args.tag
        repository.wanted.append(tag)

        def choose(digest: str | None) -> pulumi.Input[str]:
            if digest is not None:
                return digest or UNPUSHED_DIGEST
            found = {each: repository.digest_under(each) for each in repository.wanted}
            return pulumi.Output.all(repository.url, pulumi.Output.all(**found)).apply(
                told(
                    lambda known: _refuse_unpushed(
                        known[0], [each for each, is_there in known[1].items() if is_there is None]
                    )
                )
            )

        return repository.digest_under(tag).apply(choose)

    def _tag_and_push(
        self, suffix: str, tag: str, source_image: pulumi.Input[str], trigger: pulumi.Output[str]
    ) -> docker.RegistryImage:
        """Tags an image of the engine and pushes it; a new `trigger` does both again."""
        args = self._args
        tagged = docker.Tag(
            f"{self._name}-{suffix}",
            source_image=source_image,
            target_image=self._tagged(tag),
            tag_triggers=[trigger],
            opts=self._pushing([]),
        )
        return docker.RegistryImage(
            f"{self._name}-{suffix}",
            name=tagged.target_image,
            triggers={"source": trigger},
            # An older task may still run it; the repository's lifecycle policy tidies up.
            keep_remotely=True,
            opts=self._pushing([args.repository, tagged]),
        )

    def _tagged(self, tag: str) -> pulumi.Output[str]:
        return pulumi.Output.format("{0}:{1}", self._args.repository.url, tag)

    def _pushing(self, after: Sequence[pulumi.Resource]) -> pulumi.ResourceOptions:
        provider = self._args.repository.docker_provider
        # To delete one asks Docker, which may not be there, for nothing: images stay in the repository. The
        # engine configures a provider beside its other work and shows a failure when it is first asked.
        # Source: https://github.com/pulumi/pulumi/blob/master/sdk/go/common/resource/plugin/provider_plugin.go
        return pulumi.ResourceOptions(parent=self, provider=provider, depends_on=after, retain_on_delete=True)


def _refuse_unpushed(url: str, tags: Iterable[str]) -> NoReturn:
    """Raises `pulumi.RunError` with all tags that no image of the repository has, and how to push them."""
    missing = sorted(tags)
    pushes = "".join(f"\ndocker push {url}:{each}" for each in missing)
    raise refused(
        "tag",
        ", ".join(missing),
        "the repository has no such image",
        f"Push what is missing and run this again:{pushes}",
    )


def _digest_of(repo_digest: str) -> str:
    """The digest at the end of `REGISTRY/NAME@sha256:…`."""
    return repo_digest.rsplit("@", 1)[-1]


def _known_in_preview(value: pulumi.Output[str], placeholder: str) -> pulumi.Output[str]:
    """`value`; in a preview that can't know it yet, `placeholder`."""
    if not pulumi.runtime.is_dry_run():
        return value

    async def known() -> str:
        result = await value.future() if await value.is_known() else None
        return placeholder if result is None else result

    return pulumi.Output.from_input(known())
