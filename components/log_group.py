"""A log group, kept and taken over again as its options say.

Owns how a group is made. One that `retain_on_delete` kept is in nobody's state, and CloudWatch refuses to
make another of its name: so one that is there already is imported. On later runs it is in the state under
the same id, and the engine then takes an import for none. Doesn't own what is written there, nor who may.
Source: https://www.pulumi.com/docs/iac/concepts/options/import/
"""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from components.options import Logging


def create_log_group(
    name: str, group_name: str, logging: Logging, tags: Mapping[str, str], parent: pulumi.Resource
) -> aws.cloudwatch.LogGroup:
    """The log group `group_name`, as a child of `parent`."""
    retained = logging.retain_on_delete
    kept = kept_log_group(group_name, tags, parent) if retained else None
    return aws.cloudwatch.LogGroup(
        name,
        name=group_name,
        retention_in_days=logging.retention_days,
        kms_key_id=logging.kms_key_arn,
        tags=tags,
        opts=pulumi.ResourceOptions(
            parent=parent,
            retain_on_delete=retained,
            import_=None if kept is None else group_name,
        ),
    )


def kept_log_group(
    name: str, tags: Mapping[str, str], parent: pulumi.Resource
) -> aws.cloudwatch.GetLogGroupResult | None:
    """The log group `name` where it is there with all of `tags`, kept or in the state; None otherwise.

    One with other tags is somebody else's: CloudWatch then refuses another, and nothing is taken over.
    """
    options = pulumi.InvokeOptions(parent=parent)
    found = aws.cloudwatch.get_log_groups(log_group_name_prefix=name, opts=options)
    # Under mocks an answer may have nothing in it.
    if name not in (found.log_group_names or ()):
        return None
    group = aws.cloudwatch.get_log_group(name=name, opts=options)
    return group if tags.items() <= (group.tags or {}).items() else None
