"""What a resource keeps that was imported: names that the program would generate, and what AWS can't change.

Owns which changes are ignored. A resource that the program makes has the generated value from the start.
Doesn't own the import: see docs/migration.md.
Source: https://www.pulumi.com/docs/iac/concepts/options/ignorechanges/
"""

from __future__ import annotations

import pulumi

KEPT_OF_ROLE = ["name", "path"]
"""Policies of buckets, keys and queues name a role's ARN, which holds both; IAM changes neither.

Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateRole.html
"""


def security_group_options(parent: pulumi.Resource) -> pulumi.ResourceOptions:
    """A group keeps its name and description: databases let it in by its id, which goes with either.

    The provider deletes a resource first whose name is given, which a name that is kept counts as: with tasks
    and a load balancer still in it that never ends. EC2 wants another name only within a VPC, and nothing but
    another VPC replaces a group here.
    Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html,
    https://www.pulumi.com/docs/iac/concepts/options/deletebeforereplace/
    """
    return pulumi.ResourceOptions(
        parent=parent, ignore_changes=["name", "description"], delete_before_replace=False
    )
