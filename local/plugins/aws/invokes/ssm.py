"""SSM functions: parameters that exist already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..resource import Call, Function, Inputs
from ..resources.calls import unless_absent


def _get_parameter(call: Call, args: Inputs) -> Mapping[str, Any]:
    decrypt = args.get("withDecryption", True)
    found = unless_absent(
        lambda: call.client("ssm").get_parameter(Name=args["name"], WithDecryption=decrypt)["Parameter"],
        "ParameterNotFound",
    )
    if found is None:
        raise LookupError(f"there is no SSM parameter {args['name']}")
    secure = found["Type"] == "SecureString"
    return {
        "arn": found["ARN"],
        "id": found["Name"],
        "insecureValue": None if secure else found["Value"],
        "name": found["Name"],
        "type": found["Type"],
        "value": found["Value"],
        "version": found["Version"],
        "withDecryption": decrypt,
    }


FUNCTIONS: tuple[Function, ...] = (
    Function("aws:ssm/getParameter:getParameter", _get_parameter, required=("name",), secrets=("value",)),
)
