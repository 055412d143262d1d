"""The ECR repository that the images of all services share.

Owns the repository, what it keeps, and the way into it. Doesn't own the images.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import permutations

import pulumi
import pulumi_aws as aws
import pulumi_awsx as awsx
import pulumi_docker as docker

from components.aws_environment import AwsEnvironment
from components.aws_rules import check_tags
from components.local_images import Wanted
from components.refusal import refuse_after
from components.remote_children import transforms
from components.validation import (
    all_mistakes,
    check_arn,
    check_range,
    check_unique,
    refuse,
)

IMAGE_REPOSITORY = "fileflow:ecr:ImageRepository"
_NO_SUCH_IMAGE = ("ImageNotFoundException", "couldn't find resource")
"""What a provider says of a tag that no image has: AWS's own code, or Terraform's words for what isn't there.

Source: https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DescribeImages.html,
https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/ecr/image_data_source.go
"""


@dataclass(frozen=True, kw_only=True)
class ImageRepositoryArgs:
    """Arguments of `ImageRepository`.

    Of each of `tag_prefixes` the last `kept_versions` (20) stay. With `force_delete` the repository
    goes with its images; off by default, so that AWS refuses to delete images that may be running.
    """

    repository_name: str
    tag_prefixes: Sequence[str]
    kept_versions: int = 20
    force_delete: bool = False
    kms_key_arn: pulumi.Input[str] | None = None
    """The key of a repository that is made with it. One that runs keeps the encryption that it has, whatever
    is said here: ECR can't change it, and the images would go with the old one.
    Source: https://docs.aws.amazon.com/AmazonECR/latest/userguide/encryption-at-rest.html
    """
    tags: Mapping[str, str] = field(default_factory=dict)

    @all_mistakes
    def __post_init__(self) -> None:
        check_tags("tags", self.tags)
        check_arn("kms_key_arn", self.kms_key_arn, "kms")
        check_range(
            "kept_versions",
            self.kept_versions,
            2,
            1000,
            "the number of versions to keep (one to roll back to)",
        )
        check_unique("tag_prefixes", self.tag_prefixes, "a service's prefix")
        for first, second in permutations(self.tag_prefixes, 2):
            if second.startswith(first):
                refuse(
                    "tag_prefixes",
                    second,
                    f"it begins like {first}, whose lifecycle rule would count its versions and delete them",
                    "Rename one of the two services.",
                )


def _keeps_its_encryption(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
    """awsx hands no such option on to the repository that it makes."""
    if args.type_ != "aws:ecr/repository:Repository":
        return None
    kept = pulumi.ResourceOptions(ignore_changes=["encryptionConfigurations"])
    return pulumi.ResourceTransformResult(args.props, pulumi.ResourceOptions.merge(args.opts, kept))


class ImageRepository(pulumi.ComponentResource):
    """A repository that scans what is pushed and never lets a version's tag move.

    Only the guide's `latest` tags move.
    Source: https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html
    """

    repository_name: pulumi.Output[str]
    registry: pulumi.Output[str]
    url: pulumi.Output[str]

    def __init__(
        self, name: str, args: ImageRepositoryArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(IMAGE_REPOSITORY, name, {"repositoryName": args.repository_name}, opts)
        self._name = name
        self.wanted: list[str] = []
        """The tags that are to be there already, so that one error names all that aren't."""
        self.wanted_local_images: list[Wanted] = []
        """The images of the Docker engine that are to be pushed, likewise."""
        self._digests: dict[str, pulumi.Output[str | None]] = {}
        environment = AwsEnvironment.of(self)
        self.repository = awsx.ecr.Repository(
            name,
            name=args.repository_name,
            image_tag_mutability="IMMUTABLE_WITH_EXCLUSION",
            image_tag_mutability_exclusion_filters=[
                aws.ecr.RepositoryImageTagMutabilityExclusionFilterArgs(
                    filter="*latest", filter_type="WILDCARD"
                )
            ],
            image_scanning_configuration=aws.ecr.RepositoryImageScanningConfigurationArgs(scan_on_push=True),
            force_delete=args.force_delete,
            encryption_configurations=(
                None
                if args.kms_key_arn is None
                else [
                    aws.ecr.RepositoryEncryptionConfigurationArgs(
                        encryption_type="KMS", kms_key=args.kms_key_arn
                    )
                ]
            ),
            lifecycle_policy=awsx.ecr.LifecyclePolicyArgs(
                rules=[
                    awsx.ecr.LifecyclePolicyRuleArgs(
                        description=f"Keep the last {args.kept_versions} of {prefix}",
                        tag_status=awsx.ecr.LifecycleTagStatus.TAGGED,
                        tag_prefix_list=[prefix],
                        maximum_number_of_images=args.kept_versions,
                    )
                    for prefix in args.tag_prefixes
                ]
            ),
            tags=args.tags,
            opts=pulumi.ResourceOptions(parent=self, transforms=transforms(_keeps_its_encryption)),
        )
        refuse_after(self.repository)
        self.repository_name = pulumi.Output.from_input(args.repository_name)
        # Known before the repository exists, so that a preview can show which image will run.
        self.registry = pulumi.Output.format(
            "{0}.dkr.ecr.{1}.amazonaws.com", environment.account_id, environment.region
        )
        self.url = pulumi.Output.format("{0}/{1}", self.registry, args.repository_name)
        self.register_outputs(
            {"repository_name": self.repository_name, "registry": self.registry, "url": self.url}
        )

    def digest_under(self, tag: str) -> pulumi.Output[str | None]:
        """The digest under `tag` before this run pushes any, or None where no image has it; asked for once.

        Unknown until the repository exists, and empty from mocks that know none of its images.
        """
        if tag not in self._digests:
            # The id is the name, but unknown until the repository exists: no preview asks before that.
            self._digests[tag] = self.repository.repository.id.apply(lambda name: self._ask(name, tag))
        return self._digests[tag]

    async def _ask(self, repository_name: str, tag: str) -> str | None:
        arguments = {"repositoryName": repository_name, "imageTag": tag}
        opts = pulumi.InvokeOptions(parent=self)
        try:
            # Only as a coroutine can the SDK's function fail without ending the program. Not `getImages`,
            # which would list what isn't there too: Terraform's AWS provider has it since version 6 alone.
            found = await pulumi.runtime.invoke_async("aws:ecr/getImage:getImage", arguments, opts)
        except Exception as error:  # The SDK raises nothing narrower.
            if any(each in str(error) for each in _NO_SUCH_IMAGE):
                return None
            raise
        return str(found.get("imageDigest") or "")

    @cached_property
    def credentials(self) -> pulumi.Output[aws.ecr.GetAuthorizationTokenResult]:
        """Lets pushes in for twelve hours; another at every run."""
        return aws.ecr.get_authorization_token_output(opts=pulumi.InvokeOutputOptions(parent=self))

    @cached_property
    def docker_provider(self) -> docker.Provider:
        """Docker with the credentials of this registry; made only where something is pushed.

        Here and not on each image: that a token is another one counts as no change of a provider, but
        as an update of every image that holds one.
        Source: https://github.com/pulumi/pulumi-docker/pull/1327
        """
        return docker.Provider(
            self._name,
            registry_auth=[
                docker.ProviderRegistryAuthArgs(
                    address=self.registry,
                    username=self.credentials.user_name,
                    password=pulumi.Output.secret(self.credentials.password),
                )
            ],
            opts=pulumi.ResourceOptions(parent=self),
        )
