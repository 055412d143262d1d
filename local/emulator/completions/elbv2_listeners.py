"""Listeners with their certificates and default actions.

Owns their actions and attributes, and how an action is completed and handed to ministack's data plane.
Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateListener.html,
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_ListenerAttribute.html,
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Action.html
"""

from __future__ import annotations

import copy
from typing import Any

from ministack.services import alb

from local.emulator.completions.acm import find as find_certificate
from local.emulator.completions.elbv2_records import (
    SECURE,
    arn_of,
    attribute_actions,
    find_balancer,
    find_listener,
    find_target_group,
    groups_of,
    listed,
    new_id,
    relink,
    tags_by_arn,
)
from local.emulator.completions.patching import AwsError, Request
from local.emulator.completions.protocols import Action, Result

DEFAULT_SSL_POLICY = "ELBSecurityPolicy-2016-08"


_RESPONSE_HEADERS = (
    "access_control_allow_credentials",
    "access_control_allow_headers",
    "access_control_allow_methods",
    "access_control_allow_origin",
    "access_control_expose_headers",
    "access_control_max_age",
    "content_security_policy",
    "strict_transport_security",
    "x_content_type_options",
    "x_frame_options",
)


LISTENER_ATTRIBUTES = {"routing.http.response.server.enabled": "true"} | {
    f"routing.http.response.{header}.header_value": "" for header in _RESPONSE_HEADERS
}


_REQUEST_HEADERS = (
    "x_amzn_mtls_clientcert",
    "x_amzn_mtls_clientcert_issuer",
    "x_amzn_mtls_clientcert_leaf",
    "x_amzn_mtls_clientcert_serial_number",
    "x_amzn_mtls_clientcert_subject",
    "x_amzn_mtls_clientcert_validity",
    "x_amzn_tls_cipher_suite",
    "x_amzn_tls_version",
)


SECURE_LISTENER_ATTRIBUTES = {f"routing.http.request.{header}.header_name": "" for header in _REQUEST_HEADERS}


def completed_actions(actions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The actions as AWS returns them."""
    completed = []
    for number, given in enumerate(actions, start=1):
        action = {"Order": number} | copy.deepcopy(given)
        for group in groups_of(action):
            find_target_group(group)
        if action["Type"] == "forward":
            groups = groups_of(action)
            if not groups:
                raise AwsError(
                    "ValidationError", "A target group must be specified for an action of type 'forward'"
                )
            forward = action.setdefault("ForwardConfig", {})
            forward.setdefault("TargetGroups", [{"TargetGroupArn": groups[0]}])
            for group_tuple in forward["TargetGroups"]:
                group_tuple.setdefault("Weight", 1)
            stickiness = forward.get("TargetGroupStickinessConfig", {})
            forward["TargetGroupStickinessConfig"] = {"Enabled": False} | stickiness
            if len(forward["TargetGroups"]) == 1:
                action["TargetGroupArn"] = groups[0]
        if action["Type"] == "redirect":
            action["RedirectConfig"] = {
                "Protocol": "#{protocol}",
                "Port": "#{port}",
                "Host": "#{host}",
                "Path": "/#{path}",
                "Query": "#{query}",
            } | action["RedirectConfig"]
        completed.append(action)
    return completed


def routed(actions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The actions as ministack's data plane reads them: a weighted forward goes to its heaviest target
    group."""
    routed = []
    for action in actions:
        groups = (action.get("ForwardConfig") or {}).get("TargetGroups") or []
        weighted = action["Type"] == "forward" and len(groups) > 1
        heaviest = max(groups, key=lambda group: group.get("Weight", 1)) if weighted else {}
        routed.append(action | heaviest)
    return routed


def _shown_listener(listener: dict[str, Any]) -> dict[str, Any]:
    shown = {name: value for name, value in listener.items() if not name.startswith("_")}
    shown["DefaultActions"] = listener["_actions"]
    shown["Certificates"] = [{"CertificateArn": arn} for arn in listener.get("Certificates", [])]
    if listener["Protocol"] in SECURE:
        shown.setdefault("MutualAuthentication", {"Mode": "off"})
    else:
        shown.pop("Certificates")
    return shown


def _store_listener(listener: dict[str, Any], request: Request) -> None:
    """Applies what a create or modify request says, after all of it was found valid."""
    protocol = request.get("Protocol") or listener.get("Protocol")
    port = request.get("Port") or listener.get("Port")
    for other in alb._listeners.values():
        same = other["LoadBalancerArn"] == listener["LoadBalancerArn"] and other["Port"] == port
        if same and other["ListenerArn"] != listener["ListenerArn"]:
            raise AwsError(
                "DuplicateListener", "A listener already exists on this port for this load balancer"
            )
    if protocol not in {"HTTP", "HTTPS"}:
        raise AwsError("ValidationError", f"Listener protocol '{protocol}' must be one of 'HTTPS, HTTP'")
    certificates = [item["CertificateArn"] for item in request.get("Certificates") or []]
    if len(certificates) > 1:
        raise AwsError("TooManyCertificates", "Up to '1' certificate ARNs can be specified")
    certificates = certificates or listener.get("Certificates") or []
    if protocol == "HTTPS":
        _check_certificate(certificates)
    elif request.get("Certificates") or request.get("SslPolicy"):
        raise AwsError(
            "ValidationError", "Certificates and SSL policies are only supported on HTTPS listeners"
        )
    actions = completed_actions(request["DefaultActions"]) if request.get("DefaultActions") else None
    listener |= {"Protocol": protocol, "Port": port}
    if protocol == "HTTPS":
        listener["Certificates"] = certificates
        listener["SslPolicy"] = request.get("SslPolicy") or listener.get("SslPolicy") or DEFAULT_SSL_POLICY
        if request.get("MutualAuthentication"):
            listener["MutualAuthentication"] = request["MutualAuthentication"]
    else:
        for name in ("Certificates", "SslPolicy", "MutualAuthentication"):
            listener.pop(name, None)
    if actions is not None:
        listener["_actions"] = actions
        listener["DefaultActions"] = routed(actions)


def _check_certificate(arns: list[str]) -> None:
    if not arns:
        raise AwsError("ValidationError", "A certificate must be specified for HTTPS listeners")
    for arn in arns:
        if ":acm:" not in arn:
            continue
        certificate = find_certificate(arn)
        if certificate is None:
            raise AwsError("CertificateNotFound", f"Certificate '{arn}' not found")
        if certificate["Status"] != "ISSUED":
            raise AwsError(
                "UnsupportedCertificate",
                f"The certificate '{arn}' is {certificate['Status']}; only one that is ISSUED can be used",
            )


def _create_listener(request: Request) -> Result:
    balancer = find_balancer(request["LoadBalancerArn"])
    tail = balancer["LoadBalancerArn"].rpartition("loadbalancer/")[2]
    listener_id = new_id()
    arn = arn_of(f"listener/{tail}/{listener_id}")
    listener: dict[str, Any] = {"ListenerArn": arn, "LoadBalancerArn": balancer["LoadBalancerArn"]}
    _store_listener(listener, request)
    alb._listeners[arn] = listener
    attributes = LISTENER_ATTRIBUTES | (SECURE_LISTENER_ATTRIBUTES if listener["Protocol"] == "HTTPS" else {})
    alb._listener_attrs[arn] = listed(attributes)
    tags_by_arn[arn] = request.get("Tags") or []
    rule_arn = arn_of(f"listener-rule/{tail}/{listener_id}/{new_id()}")
    alb._rules[rule_arn] = {
        "RuleArn": rule_arn,
        "ListenerArn": arn,
        "Priority": "default",
        "Conditions": [],
        "Actions": listener["DefaultActions"],
        "IsDefault": True,
        "_actions": listener["_actions"],
        "_conditions": [],
        "Transforms": [],
    }
    relink()
    return {"Listeners": [_shown_listener(listener)]}


def _describe_listeners(request: Request) -> Result:
    arns = request.get("ListenerArns")
    if arns:
        return {"Listeners": [_shown_listener(find_listener(arn)) for arn in arns]}
    balancer = find_balancer(request.get("LoadBalancerArn", ""))
    return {
        "Listeners": [
            _shown_listener(listener)
            for listener in alb._listeners.values()
            if listener["LoadBalancerArn"] == balancer["LoadBalancerArn"]
        ]
    }


def _modify_listener(request: Request) -> Result:
    listener = find_listener(request["ListenerArn"])
    _store_listener(listener, request)
    for rule in alb._rules.values():
        if rule["ListenerArn"] == listener["ListenerArn"] and rule["IsDefault"]:
            rule["Actions"], rule["_actions"] = listener["DefaultActions"], listener["_actions"]
    relink()
    return {"Listeners": [_shown_listener(listener)]}


def remove_listener(arn: str) -> None:
    for rule_arn in [key for key, rule in alb._rules.items() if rule["ListenerArn"] == arn]:
        alb._rules.pop(rule_arn, None)
        tags_by_arn.pop(rule_arn, None)
    for store in (alb._listeners, alb._listener_attrs, tags_by_arn):
        store.pop(arn, None)


def _delete_listener(request: Request) -> Result:
    find_listener(request["ListenerArn"])
    remove_listener(request["ListenerArn"])
    relink()
    return {}


ACTIONS: dict[str, Action] = {
    "CreateListener": _create_listener,
    "DescribeListeners": _describe_listeners,
    "ModifyListener": _modify_listener,
    "DeleteListener": _delete_listener,
} | attribute_actions("Listener", alb._listener_attrs, find_listener)
