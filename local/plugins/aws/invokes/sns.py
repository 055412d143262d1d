"""Functions about SNS topics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..resource import Call, Function, Inputs, tag_map


def _get_topic(call: Call, args: Inputs) -> Mapping[str, Any]:
    sns, name = call.client("sns"), args["name"]
    pages = sns.get_paginator("list_topics").paginate()
    arns = [topic["TopicArn"] for page in pages for topic in page["Topics"]]
    arn = next((arn for arn in arns if arn.rpartition(":")[2] == name), None)
    if arn is None:
        raise LookupError(f"no SNS topic {name!r} in {call.region}")
    return {
        "id": arn,
        "arn": arn,
        "name": name,
        "tags": tag_map(sns.list_tags_for_resource(ResourceArn=arn).get("Tags")),
    }


FUNCTIONS = (Function("aws:sns/getTopic:getTopic", _get_topic, required=("name",)),)
