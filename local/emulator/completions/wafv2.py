"""WAF: a resource without a web ACL has none, which isn't an error; and what an ACL logs, and where.

Owns those answers, and that an ACL in use isn't deleted. Deliberately inspects no request.
"""

from __future__ import annotations

from typing import Any

from ministack.core.responses import AccountScopedDict
from ministack.services import waf

from local.emulator.completions.logs import add_json_actions
from local.emulator.completions.patching import AwsError, Request, Response, wrap

_logging = AccountScopedDict()
"""Logging configurations by the ACL's ARN."""


def install() -> None:
    """Completes web ACLs."""
    wrap(waf, "_get_web_acl_for_resource", _get_web_acl_for_resource)
    wrap(waf, "_delete_web_acl", _delete_web_acl)
    wrap(waf, "_update_web_acl", _update_web_acl)
    add_json_actions(
        "wafv2",
        {
            "PutLoggingConfiguration": _put_logging_configuration,
            "GetLoggingConfiguration": _get_logging_configuration,
            "DeleteLoggingConfiguration": _delete_logging_configuration,
        },
    )


def _get_web_acl_for_resource(original: Any) -> Any:
    def get(request: Request) -> Response:
        if not waf._associations.get(request.get("ResourceArn", "")):
            none: Response = waf.json_response({})
            return none
        response: Response = original(request)
        return response

    return get


def _delete_web_acl(original: Any) -> Any:
    """Source: https://docs.aws.amazon.com/waf/latest/APIReference/API_DeleteWebACL.html"""

    def delete(request: Request) -> Response:
        acl = waf._resource_from_scope(waf._web_acls, request.get("Id", ""), request.get("Scope"))
        if acl and acl["ARN"] in waf._associations.values():
            refused: Response = waf._waf_err(
                "WAFAssociatedItemException",
                "AWS WAF couldn’t perform the operation because your resource is being used by another "
                "resource or it’s associated with another resource.",
            )
            return refused
        response: Response = original(request)
        if acl and response[0] < 400:
            _logging.pop(acl["ARN"], None)
        return response

    return delete


def _update_web_acl(original: Any) -> Any:
    """The description is one of what an update replaces, too."""

    def update(request: Request) -> Response:
        response: Response = original(request)
        if response[0] < 400:
            acl = waf._resource_from_scope(waf._web_acls, request["Id"], request.get("Scope"))
            acl["Description"] = request.get("Description", "")
        return response

    return update


def _put_logging_configuration(request: Request) -> dict[str, Any]:
    """Refuses another destination than WAF takes.

    Source: https://docs.aws.amazon.com/waf/latest/APIReference/API_PutLoggingConfiguration.html
    """
    configuration = dict(request["LoggingConfiguration"])
    arn = configuration["ResourceArn"]
    if waf._resolve_local_web_acl(arn)[1] is not None:
        raise AwsError("WAFNonexistentItemException", f"The web ACL {arn} doesn't exist.")
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
