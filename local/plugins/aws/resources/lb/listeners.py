"""Listeners and their rules.

Owns the actions that forward to one target group, redirect or answer, and the conditions on a request's path
and host. Doesn't own other actions and conditions, mutual authentication and the headers that a listener
sets, nor the choice of a rule's priority: they are refused.
Sources of what replaces and of the defaults: `ForceNew` and `Default` in listener.go and listener_rule.go of
https://github.com/hashicorp/terraform-provider-aws/tree/main/internal/service/elbv2
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from ...documents import Same
from ...modelled import Ask
from ...resource import Answer, Inputs, Outputs, State, facts, names
from ..defaulting import if_given
from .balancing import Balancing

_REDIRECT: Final = {
    "host": "#{host}",
    "path": "/#{path}",
    "port": "#{port}",
    "protocol": "#{protocol}",
    "query": "#{query}",
}
_OTHER_ACTIONS: Final = ("authenticateCognito", "authenticateOidc", "forward", "jwtValidation")
_CONDITIONS: Final = {"hostHeader": "host-header", "pathPattern": "path-pattern"}
_OTHER_CONDITIONS: Final = ("httpHeader", "httpRequestMethod", "queryStrings", "sourceIp")


def _actions(argument: str) -> dict[str, str]:
    """Where AWS has the parts of actions; `argument` holds them."""
    return {f"{argument}.{name}": f"{name}Config" for name in ("fixedResponse", "redirect")}


def _filled_in(argument: str) -> Mapping[str, Any]:
    return facts({f"{argument}.redirect.{name}": default for name, default in _REDIRECT.items()})


def _same(argument: str) -> Mapping[str, Same]:
    return facts(dict.fromkeys((f"{argument}.order", f"{argument}.fixedResponse.statusCode"), if_given))


def _in_order(actions: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{**action, "order": action.get("order") or index} for index, action in enumerate(actions, 1)]


def _by_order(actions: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return sorted(actions, key=lambda action: int(action["order"]))


class Listener(Balancing):
    token = "aws:lb/listener:Listener"
    made_by = Ask("CreateListener", "Listeners")
    read_by = (Ask("DescribeListeners", "Listeners"), Ask("DescribeListenerAttributes"))
    # A policy or a certificate means something with its protocol only: AWS checks them together.
    changed_by = (Ask("ModifyListener", whole=True), Ask("ModifyListenerAttributes"))
    deleted_by = Ask("DeleteListener")
    noun = "Listener"
    named = facts(
        {
            **_actions("defaultActions"),
            "certificateArn": "Certificates.CertificateArn",
            "routingHttpResponseServerEnabled": "Attributes.routing.http.response.server.enabled",
        }
    )
    replacing = names("loadBalancerArn")
    lacking = names("""alpnPolicy mutualAuthentication routingHttpRequest* routingHttpResponse*HeaderValue
        tcpIdleTimeoutSeconds""") | {f"defaultActions.{name}" for name in _OTHER_ACTIONS}
    defaults = _filled_in("defaultActions")
    same = _same("defaultActions")
    passing = names("ResourceInUse")

    def shaped(self, inputs: Inputs) -> Inputs:
        actions = _in_order(inputs["defaultActions"])
        return {**inputs, "defaultActions": actions, "protocol": inputs.get("protocol") or "HTTP"}

    def told(self, outputs: Outputs, found: Answer, state: State) -> Outputs:
        return {**outputs, "defaultActions": _by_order(outputs["defaultActions"])}


class ListenerRule(Balancing):
    token = "aws:lb/listenerRule:ListenerRule"
    made_by = Ask("CreateRule", "Rules")
    read_by = (Ask("DescribeRules", "Rules"),)
    changed_by = (Ask("SetRulePriorities"), Ask("ModifyRule", whole=True))
    deleted_by = Ask("DeleteRule")
    noun = "Rule"
    named = facts(
        {
            **_actions("actions"),
            "arn": "RuleArn|RuleArns|RulePriorities.RuleArn",
            **{f"conditions.{name}": f"{name}Config" for name in _CONDITIONS},
            "priority": "Priority|RulePriorities.Priority",
        }
    )
    replacing = names("listenerArn")
    lacking = frozenset(
        {
            *(f"actions.{name}" for name in _OTHER_ACTIONS),
            *(f"conditions.{name}" for name in _OTHER_CONDITIONS),
            *(f"conditions.{name}.regexValues" for name in _CONDITIONS),
            "transforms",
        }
    )
    by_hand = names("listenerArn")
    defaults = _filled_in("actions")
    sets = frozenset({"conditions", *(f"conditions.{name}.values" for name in _CONDITIONS)})
    same = _same("actions")

    def check(self, inputs: Inputs) -> Iterable[tuple[str, str]]:
        if "priority" not in inputs:
            yield "priority", "the aws stand-in chooses none; give one, or use the real aws plugin (7.x)"

    def shaped(self, inputs: Inputs) -> Inputs:
        # One argument may state several.
        conditions = [
            {"field": field, name: condition[name]}
            for condition in inputs["conditions"]
            for name, field in _CONDITIONS.items()
            if condition.get(name)
        ]
        return {**inputs, "actions": _in_order(inputs["actions"]), "conditions": conditions}

    def told(self, outputs: Outputs, found: Answer, state: State) -> Outputs:
        conditions = [
            {name: {"values": sorted(condition[name]["values"])} for name in _CONDITIONS if condition[name]}
            for condition in outputs["conditions"]
        ]
        return {
            **outputs,
            "actions": _by_order(outputs["actions"]),
            "conditions": sorted(conditions, key=str),
            "listenerArn": outputs["arn"].replace(":listener-rule/", ":listener/").rpartition("/")[0],
        }
