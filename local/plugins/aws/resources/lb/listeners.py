"""Listeners, their rules and their further certificates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from ...resource import Call, Inputs, Resource, State
from ..calls import given, one, retried, touched, unless_absent
from . import actions, attributes
from .attributes import Attribute
from .tags import creation_tags, read_tags, update_tags

NO_LISTENER: Final = "ListenerNotFound"
NO_RULE: Final = "RuleNotFound"
_HTTP: Final = frozenset({"HTTP", "HTTPS"})
_HTTPS: Final = frozenset({"HTTPS"})
_TCP: Final = frozenset({"TCP", "GENEVE"})
_HIGHEST_PRIORITY: Final = 50_000
# What a listener needs (a certificate, a target group on the same load balancer) may be new.
_PASSING: Final = ("CertificateNotFound",)


def _header(argument: str, name: str, what: str = "value") -> Attribute:
    side = "request" if what == "name" else "response"
    kinds = _HTTPS if what == "name" else _HTTP
    return Attribute(argument, f"routing.http.{side}.{name}.header_{what}", str, kinds)


_ATTRIBUTES: Final = (
    _header("routingHttpRequestXAmznMtlsClientcertHeaderName", "x_amzn_mtls_clientcert", "name"),
    _header("routingHttpRequestXAmznMtlsClientcertIssuerHeaderName", "x_amzn_mtls_clientcert_issuer", "name"),
    _header("routingHttpRequestXAmznMtlsClientcertLeafHeaderName", "x_amzn_mtls_clientcert_leaf", "name"),
    _header(
        "routingHttpRequestXAmznMtlsClientcertSerialNumberHeaderName",
        "x_amzn_mtls_clientcert_serial_number",
        "name",
    ),
    _header(
        "routingHttpRequestXAmznMtlsClientcertSubjectHeaderName", "x_amzn_mtls_clientcert_subject", "name"
    ),
    _header(
        "routingHttpRequestXAmznMtlsClientcertValidityHeaderName", "x_amzn_mtls_clientcert_validity", "name"
    ),
    _header("routingHttpRequestXAmznTlsCipherSuiteHeaderName", "x_amzn_tls_cipher_suite", "name"),
    _header("routingHttpRequestXAmznTlsVersionHeaderName", "x_amzn_tls_version", "name"),
    _header(
        "routingHttpResponseAccessControlAllowCredentialsHeaderValue", "access_control_allow_credentials"
    ),
    _header("routingHttpResponseAccessControlAllowHeadersHeaderValue", "access_control_allow_headers"),
    _header("routingHttpResponseAccessControlAllowMethodsHeaderValue", "access_control_allow_methods"),
    _header("routingHttpResponseAccessControlAllowOriginHeaderValue", "access_control_allow_origin"),
    _header("routingHttpResponseAccessControlExposeHeadersHeaderValue", "access_control_expose_headers"),
    _header("routingHttpResponseAccessControlMaxAgeHeaderValue", "access_control_max_age"),
    _header("routingHttpResponseContentSecurityPolicyHeaderValue", "content_security_policy"),
    Attribute("routingHttpResponseServerEnabled", "routing.http.response.server.enabled", bool, _HTTP),
    _header("routingHttpResponseStrictTransportSecurityHeaderValue", "strict_transport_security"),
    _header("routingHttpResponseXContentTypeOptionsHeaderValue", "x_content_type_options"),
    _header("routingHttpResponseXFrameOptionsHeaderValue", "x_frame_options"),
    Attribute("tcpIdleTimeoutSeconds", "tcp.idle_timeout.seconds", int, _TCP),
)


class Listener(Resource):
    token = "aws:lb/listener:Listener"
    defaults: ClassVar = actions.action_defaults("defaultActions")
    sets = actions.action_sets("defaultActions")
    same: ClassVar = actions.same_actions("defaultActions")
    lacking = actions.lacking_actions("defaultActions")
    missing = frozenset({NO_LISTENER})

    def create(self, call: Call, inputs: Inputs) -> str:
        elbv2 = call.client("elbv2")
        protocol = self._protocol(inputs)
        made = retried(
            call,
            "the listener's certificate is there",
            lambda: elbv2.create_listener(
                LoadBalancerArn=inputs["loadBalancerArn"],
                DefaultActions=actions.actions_to_aws(inputs["defaultActions"]),
                **({"Protocol": protocol} if protocol else {}),
                **given(inputs, Port="port", SslPolicy="sslPolicy"),
                **self._security(inputs),
                **creation_tags(inputs),
            ),
            *_PASSING,
            default_timeout_seconds=60,
        )
        arn = str(made["Listeners"][0]["ListenerArn"])
        self._set_attributes(elbv2, arn, inputs)
        return arn

    def read(self, call: Call, resource_id: str, state: State) -> Mapping[str, Any] | None:
        elbv2 = call.client("elbv2")
        listener = one(
            unless_absent(
                lambda: elbv2.describe_listeners(ListenerArns=[resource_id])["Listeners"], NO_LISTENER
            )
        )
        if listener is None:
            return None
        described = elbv2.describe_listener_attributes(ListenerArn=resource_id)["Attributes"]
        there = {pair["Key"]: pair["Value"] for pair in described if pair.get("Value")}
        mutual = listener.get("MutualAuthentication")
        return {
            **attributes.outputs(_ATTRIBUTES, listener.get("Protocol", ""), there, {}),
            "alpnPolicy": one(listener.get("AlpnPolicy")),
            "arn": resource_id,
            "certificateArn": (one(listener.get("Certificates")) or {}).get("CertificateArn"),
            "defaultActions": actions.actions_from_aws(
                listener.get("DefaultActions", []), state.get("defaultActions")
            ),
            "loadBalancerArn": listener["LoadBalancerArn"],
            "mutualAuthentication": self._mutual_from_aws(mutual) if mutual else None,
            "port": listener.get("Port"),
            "protocol": listener.get("Protocol"),
            "sslPolicy": listener.get("SslPolicy", ""),
            "tagsAll": read_tags(elbv2, resource_id),
        }

    def update(
        self, call: Call, resource_id: str, old: State, new: Inputs, changed: frozenset[str]
    ) -> str | None:
        elbv2 = call.client("elbv2")
        parameters: dict[str, Any] = {}
        if touched(changed, "defaultActions"):
            parameters["DefaultActions"] = actions.actions_to_aws(new["defaultActions"])
        if touched(changed, "port"):
            parameters |= given(new, Port="port")
        if touched(changed, "protocol", "sslPolicy", "alpnPolicy", "certificateArn", "mutualAuthentication"):
            # A policy or a certificate means something with its protocol only: AWS checks them together.
            parameters |= given(new, Protocol="protocol", SslPolicy="sslPolicy")
            parameters |= self._security(new)
        if parameters:
            elbv2.modify_listener(ListenerArn=resource_id, **parameters)
        self._set_attributes(elbv2, resource_id, new, old)
        update_tags(elbv2, resource_id, old, new)
        return None

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        elbv2 = call.client("elbv2")
        retried(
            call,
            f"listener {resource_id} is free",
            lambda: unless_absent(lambda: elbv2.delete_listener(ListenerArn=resource_id), NO_LISTENER),
            "ResourceInUse",
        )

    @staticmethod
    def _protocol(inputs: Inputs) -> str | None:
        """HTTP on an application load balancer that names none; a gateway load balancer has none."""
        if inputs.get("protocol"):
            return str(inputs["protocol"])
        return "HTTP" if ":loadbalancer/app/" in inputs["loadBalancerArn"] else None

    @staticmethod
    def _security(inputs: Inputs) -> dict[str, Any]:
        parameters: dict[str, Any] = {}
        if inputs.get("alpnPolicy"):
            parameters["AlpnPolicy"] = [inputs["alpnPolicy"]]
        if inputs.get("certificateArn"):
            parameters["Certificates"] = [{"CertificateArn": inputs["certificateArn"]}]
        mutual = inputs.get("mutualAuthentication")
        if mutual and mutual["mode"] == "verify":
            parameters["MutualAuthentication"] = given(
                mutual,
                AdvertiseTrustStoreCaNames="advertiseTrustStoreCaNames",
                IgnoreClientCertificateExpiry="ignoreClientCertificateExpiry",
                Mode="mode",
                TrustStoreArn="trustStoreArn",
            )
        elif mutual:
            parameters["MutualAuthentication"] = {"Mode": mutual["mode"]}
        return parameters

    @staticmethod
    def _mutual_from_aws(mutual: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "advertiseTrustStoreCaNames": mutual.get("AdvertiseTrustStoreCaNames", ""),
            "ignoreClientCertificateExpiry": bool(mutual.get("IgnoreClientCertificateExpiry")),
            "mode": mutual.get("Mode"),
            "trustStoreArn": mutual.get("TrustStoreArn", ""),
        }

    def _set_attributes(self, elbv2: Any, arn: str, new: Inputs, old: State | None = None) -> None:
        kind = self._protocol(new) or "GENEVE"
        values = attributes.wanted(_ATTRIBUTES, kind, new)
        if old is not None:
            before = attributes.wanted(_ATTRIBUTES, kind, old)
            values = {key: value for key, value in values.items() if before.get(key) != value}
        if values:
            elbv2.modify_listener_attributes(ListenerArn=arn, Attributes=attributes.pairs(values))


class ListenerRule(Resource):
    token = "aws:lb/listenerRule:ListenerRule"
    sets = actions.CONDITION_SETS | actions.action_sets("actions")
    defaults: ClassVar = actions.action_defaults("actions")
    same: ClassVar = actions.same_actions("actions")
    lacking = actions.lacking_actions("actions") | {"transforms"}
    missing = frozenset({NO_RULE})

    def create(self, call: Call, inputs: Inputs) -> str:
        elbv2 = call.client("elbv2")
        parameters = {
            "ListenerArn": inputs["listenerArn"],
            "Actions": actions.actions_to_aws(inputs["actions"]),
            "Conditions": actions.conditions_to_aws(inputs["conditions"]),
            **creation_tags(inputs),
        }
        if inputs.get("priority"):
            made = elbv2.create_rule(Priority=inputs["priority"], **parameters)
        else:
            # Rules that are made side by side may both take the next free number.
            made = retried(
                call,
                "a priority is free",
                lambda: elbv2.create_rule(
                    Priority=self._next_priority(elbv2, inputs["listenerArn"]), **parameters
                ),
                "PriorityInUse",
            )
        return str(made["Rules"][0]["RuleArn"])

    def read(self, call: Call, resource_id: str, state: State) -> Mapping[str, Any] | None:
        elbv2 = call.client("elbv2")
        rule = one(unless_absent(lambda: elbv2.describe_rules(RuleArns=[resource_id])["Rules"], NO_RULE))
        if rule is None:
            return None
        return {
            "actions": actions.actions_from_aws(rule.get("Actions", []), state.get("actions")),
            "arn": resource_id,
            "conditions": actions.conditions_from_aws(rule.get("Conditions", [])),
            "listenerArn": resource_id.replace(":listener-rule/", ":listener/").rpartition("/")[0],
            "priority": _HIGHEST_PRIORITY - 1 if rule["Priority"] == "default" else int(rule["Priority"]),
            "tagsAll": read_tags(elbv2, resource_id),
        }

    def update(
        self, call: Call, resource_id: str, old: State, new: Inputs, changed: frozenset[str]
    ) -> str | None:
        elbv2 = call.client("elbv2")
        if new.get("priority") and touched(changed, "priority"):
            elbv2.set_rule_priorities(RulePriorities=[{"RuleArn": resource_id, "Priority": new["priority"]}])
        if touched(changed, "actions", "conditions"):
            elbv2.modify_rule(
                RuleArn=resource_id,
                Actions=actions.actions_to_aws(new["actions"]),
                Conditions=actions.conditions_to_aws(new["conditions"]),
            )
        update_tags(elbv2, resource_id, old, new)
        return None

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        unless_absent(lambda: call.client("elbv2").delete_rule(RuleArn=resource_id), NO_RULE)

    @staticmethod
    def _next_priority(elbv2: Any, listener_arn: str) -> int:
        rules = elbv2.describe_rules(ListenerArn=listener_arn)["Rules"]
        taken = [int(rule["Priority"]) for rule in rules if rule["Priority"] != "default"]
        return max(taken, default=0) + 1
