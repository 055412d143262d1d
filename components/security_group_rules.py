"""How a rule of a security group belongs to its component.

Owns the options by which a rule goes with its component to a new name. Doesn't own what a rule lets through.
"""

from __future__ import annotations

import pulumi
import pulumi_aws as aws


def rule_options(
    group: aws.ec2.SecurityGroup, parent: pulumi.Resource, former_name: str | None = None
) -> pulumi.ResourceOptions:
    """A child of the component, which a running stack may know as the group's, or by `former_name`.

    The engine derives a child's old name from its parent's where that begins it, and a group's doesn't begin
    its rules'. A group that stays when its component is renamed would be asked for the same rule a second
    time, which EC2 refuses. Source: `inheritedChildAlias` in
    https://github.com/pulumi/pulumi/blob/master/pkg/resource/deploy/step_generator.go
    """
    aliases = [pulumi.Alias(parent=group)]
    if former_name is not None:
        aliases.append(pulumi.Alias(name=former_name, parent=group))
    return pulumi.ResourceOptions(parent=parent, aliases=aliases)
