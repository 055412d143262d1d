"""Functions about CloudWatch log groups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..resource import Call, Inputs, function, without_none
from ..resources.calls import told_of
from ..resources.cloudwatch.logs import LogGroup


def _groups(call: Call, prefix: str | None) -> list[Mapping[str, Any]]:
    pages = (
        call.client("logs")
        .get_paginator("describe_log_groups")
        .paginate(**without_none(logGroupNamePrefix=prefix))
    )
    return [group for page in pages for group in page["logGroups"]]


@function("aws:cloudwatch/getLogGroup:getLogGroup", required="name")
def _get_log_group(call: Call, args: Inputs) -> Mapping[str, Any]:
    name = args["name"]
    group = next((g for g in _groups(call, name) if g["logGroupName"] == name), None)
    if group is None:
        raise LookupError(f"no log group {name!r} in {call.region}")
    return told_of(LogGroup(), call, name, creationTime=group.get("creationTime", 0))


@function("aws:cloudwatch/getLogGroups:getLogGroups")
def _get_log_groups(call: Call, args: Inputs) -> Mapping[str, Any]:
    groups = _groups(call, args.get("logGroupNamePrefix"))
    return {
        "id": call.region,
        "arns": [group["logGroupArn"] for group in groups],
        "logGroupNames": [group["logGroupName"] for group in groups],
    }
