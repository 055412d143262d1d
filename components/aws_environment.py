"""Which account, region and partition a component is deployed to, as its own provider knows them.

Owns the three look-ups, so that names and ARNs are known at preview, before anything exists.
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws


@dataclass(frozen=True, kw_only=True)
class AwsEnvironment:
    """The account's number, the region's name and the partition (`aws`, `aws-cn`, …)."""

    account_id: pulumi.Output[str]
    region: pulumi.Output[str]
    partition: pulumi.Output[str]

    @classmethod
    def of(cls, parent: pulumi.Resource) -> AwsEnvironment:
        """Looks them up with the provider that `parent` hands to its children."""
        options = pulumi.InvokeOutputOptions(parent=parent)
        return cls(
            account_id=aws.get_caller_identity_output(opts=options).account_id,
            region=aws.get_region_output(opts=options).region,
            partition=aws.get_partition_output(opts=options).partition,
        )

    def arn(self, service: str, resource: pulumi.Input[str]) -> pulumi.Output[str]:
        """The ARN of `resource` (for example `log-group:/aws/ecs/fileflow:*`) of `service`."""
        return pulumi.Output.format(
            "arn:{0}:{1}:{2}:{3}:{4}", self.partition, service, self.region, self.account_id, resource
        )
