"""Listeners: what AWS refuses of their ports, certificates and actions, and actions as AWS shows them.

Deliberately leaves keeping them to ministack, which forwards to one target group.
Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateListener.html,
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Action.html
"""

from __future__ import annotations

from local.emulator.completions.acm import find as find_certificate
from local.emulator.completions.elbv2_records import Record, ask_elbv2, find_target_group, invalid, listeners
from local.emulator.completions.patching import AwsError, Request
from local.emulator.completions.protocols import Action, Result


def checked_actions(actions: list[Record]) -> list[Record]:
    """The actions as ministack reads them: a forward names its target group."""
    checked = []
    for action in actions:
        if action["Type"] == "forward":
            tuples = (action.get("ForwardConfig") or {}).get("TargetGroups") or [action]
            groups = [each["TargetGroupArn"] for each in tuples if each.get("TargetGroupArn")]
            if len(groups) != 1:
                raise invalid(
                    "A target group must be specified for an action of type 'forward', and the emulated load "
                    f"balancing forwards to one alone, not to {len(groups)}"
                )
            find_target_group(groups[0])
            action = action | {"TargetGroupArn": groups[0]}  # noqa: PLW2901 - the one that is asked for
        checked.append(action)
    return checked


def shown_actions(actions: list[Record]) -> list[Record]:
    """The actions as AWS shows them: a target group also as one with a weight."""
    return [
        action
        | {
            "ForwardConfig": {
                "TargetGroups": [{"TargetGroupArn": action["TargetGroupArn"], "Weight": 1}],
                "TargetGroupStickinessConfig": {"Enabled": False},
            }
        }
        if action["Type"] == "forward"
        else action
        for action in actions
    ]


def _shown(listener: Record) -> Record:
    secure = {"MutualAuthentication": {"Mode": "off"}} if listener["Protocol"] == "HTTPS" else {}
    return listener | {"DefaultActions": shown_actions(listener["DefaultActions"])} | secure


def _checked(request: Request, listener: Record) -> Request:
    """The request, as ministack reads it, for a listener as it then is."""
    for other in listeners():
        same = (other["LoadBalancerArn"], other["Port"]) == (listener["LoadBalancerArn"], listener["Port"])
        if same and other["ListenerArn"] != listener.get("ListenerArn"):
            raise AwsError(
                "DuplicateListener", "A listener already exists on this port for this load balancer"
            )
    protocol = listener.get("Protocol")
    if protocol not in {"HTTP", "HTTPS"}:
        raise invalid(f"Listener protocol '{protocol}' must be one of 'HTTPS, HTTP'")
    if protocol == "HTTPS":
        _check_certificates(listener.get("Certificates") or [])
    elif request.get("Certificates") or request.get("SslPolicy"):
        raise invalid("Certificates and SSL policies are only supported on HTTPS listeners")
    actions = request.get("DefaultActions")
    return request | ({"DefaultActions": checked_actions(actions)} if actions else {})


def _check_certificates(certificates: list[Record]) -> None:
    if not certificates:
        raise invalid("A certificate must be specified for HTTPS listeners")
    for arn in (each["CertificateArn"] for each in certificates):
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
    made = ask_elbv2("CreateListener", _checked(request, request))["Listeners"]
    return {"Listeners": [_shown(listener) for listener in made]}


def _describe_listeners(request: Request) -> Result:
    found = ask_elbv2("DescribeListeners", request)["Listeners"]
    if len(found) < len(request.get("ListenerArns") or ()):
        raise AwsError("ListenerNotFound", "One or more listeners not found")
    return {"Listeners": [_shown(listener) for listener in found]}


def _modify_listener(request: Request) -> Result:
    [listener] = _describe_listeners({"ListenerArns": [request["ListenerArn"]]})["Listeners"]
    changed = ask_elbv2("ModifyListener", _checked(request, listener | request))["Listeners"]
    return {"Listeners": [_shown(listener) for listener in changed]}


ACTIONS: dict[str, Action] = {
    "CreateListener": _create_listener,
    "DescribeListeners": _describe_listeners,
    "ModifyListener": _modify_listener,
}
