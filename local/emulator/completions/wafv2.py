"""WAF: a resource without a web ACL has none, which isn't an error; and what an ACL logs, and where.

Owns those answers, and that an ACL in use isn't deleted. Deliberately inspects no request.
"""

from __future__ import annotations

from typing import Any

from ministack.core.responses import AccountScopedDict
from ministack.services import waf

from local.emulator.completions.inside import ask_json
from local.emulator.completions.patching import AwsError, Request
from local.emulator.completions.protocols import serve

_logging = AccountScopedDict()
"""Logging configurations by the ACL's ARN."""


def install() -> None:
    """Completes web ACLs."""
    serve(
        "wafv2",
        {
            "GetWebACLForResource": _get_web_acl_for_resource,
            "UpdateWebACL": _update_web_acl,
            "DeleteWebACL": _delete_web_acl,
            "PutLoggingConfiguration": _put_logging_configuration,
            "GetLoggingConfiguration": _get_logging_configuration,
            "DeleteLoggingConfiguration": _delete_logging_configuration,
        },
    )


def _get_web_acl_for_resource(request: Request) -> dict[str, Any]:
    """Source: https://docs.aws.amazon.com/waf/latest/APIReference/API_GetWebACLForResource.html"""
    try:
        return ask_json("wafv2", "GetWebACLForResource", request)
    except AwsError as error:
        if error.code != "WAFNonexistentItemException":
            raise
        return {}


def _delete_web_acl(request: Request) -> dict[str, Any]:
    """Source: https://docs.aws.amazon.com/waf/latest/APIReference/API_DeleteWebACL.html"""
    arn = ask_json("wafv2", "GetWebACL", request)["WebACL"]["ARN"]
    if ask_json("wafv2", "ListResourcesForWebACL", {"WebACLArn": arn})["ResourceArns"]:
        raise AwsError(
            "WAFAssociatedItemException",
            "AWS WAF couldn’t perform the operation because your resource is being used by another "
            "resource or it’s associated with another resource.",
        )
    answer = ask_json("wafv2", "DeleteWebACL", request)
    _logging.pop(arn, None)
    return answer


def _update_web_acl(request: Request) -> dict[str, Any]:
    """The description is one of what an update replaces, too.

    Source: https://docs.aws.amazon.com/waf/latest/APIReference/API_UpdateWebACL.html
    """
    answer = ask_json("wafv2", "UpdateWebACL", request)
    acl = waf.web_acl_record(request["Id"], request["Scope"])
    acl["Description"] = request.get("Description", "")
    return answer


def _put_logging_configuration(request: Request) -> dict[str, Any]:
    """Refuses another destination than WAF takes.

    Source: https://docs.aws.amazon.com/waf/latest/APIReference/API_PutLoggingConfiguration.html
    """
    configuration = dict(request["LoggingConfiguration"])
    arn = configuration["ResourceArn"]
    ask_json("wafv2", "ListResourcesForWebACL", {"WebACLArn": arn})  # refused where there is no such ACL
    destinations = configuration.get("LogDestinationConfigs") or []
    if len(destinations) != 1:
        raise AwsError("WAFInvalidParameterException", "A web ACL logs to exactly one destination.")
    name = destinations[0].rpartition(":log-group:")[2].rpartition(":::")[2].rpartition("/")[2]
    if not name.startswith("aws-waf-logs-"):
        raise AwsError(
            "WAFLogDestinationPermissionIssueException",
            "Error reason: The ARN isn't valid. A valid ARN begins with arn: and includes other information "
            f"separated by colons or slashes., field: LOG_DESTINATION, parameter: {destinations[0]}",
        )
    configuration["LogDestinationConfigs"] = [each.removesuffix(":*") for each in destinations]
    _logging[arn] = configuration
    return {"LoggingConfiguration": configuration}


def _get_logging_configuration(request: Request) -> dict[str, Any]:
    found = _logging.get(request["ResourceArn"])
    if found is None:
        raise AwsError(
            "WAFNonexistentItemException",
            "AWS WAF couldn’t perform the operation because your resource doesn’t exist.",
        )
    return {"LoggingConfiguration": found}


def _delete_logging_configuration(request: Request) -> dict[str, Any]:
    _get_logging_configuration(request)
    _logging.pop(request["ResourceArn"])
    return {}
