"""Takes over a log group that outlived its service.

Owns the look-up. A log group that `retain_on_delete` kept is in nobody's state, and CloudWatch refuses to
make another of its name: so one that is there already is imported. On later runs it is in the state under the
same id, and the engine then takes an import for none.
Source: https://www.pulumi.com/docs/iac/concepts/options/import/
"""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
import pulumi_aws as aws


def kept_log_group(name: str, tags: Mapping[str, str], parent: pulumi.Resource) -> str | None:
    """The id to import the log group `name` by, where it is there with all of `tags`; None otherwise.

    One with other tags is somebody else's: CloudWatch then refuses another, and nothing is taken over.
    """
    options = pulumi.InvokeOptions(parent=parent)
    found = aws.cloudwatch.get_log_groups(log_group_name_prefix=name, opts=options)
    # Under mocks an answer may have nothing in it.
    if name not in (found.log_group_names or ()):
        return None
    has = aws.cloudwatch.get_log_group(name=name, opts=options).tags or {}
    return name if tags.items() <= has.items() else None
