"""Cloud Map: namespaces and the services in them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Final

from ..resource import Call, Inputs, Resource, State, tag_changes, tag_list, tag_map
from ..session import AwsError
from .calls import given, retried, touched, unless_absent
from .defaulting import if_given

_NO_NAMESPACE: Final = "NamespaceNotFound"
_NO_SERVICE: Final = "ServiceNotFound"


def _finish(call: Call, answer: Mapping[str, Any]) -> str:
    """Waits for an operation, and says the id of the namespace it was about.

    Raises AwsError where the operation fails.
    """
    operation_id = answer.get("OperationId")
    if not operation_id:
        return ""
    found: dict[str, Any] = {}

    def done() -> bool:
        found.update(call.client("servicediscovery").get_operation(OperationId=operation_id)["Operation"])
        if found["Status"] == "FAIL":
            raise AwsError(f"Cloud Map: {found.get('ErrorCode')}: {found.get('ErrorMessage')}")
        return bool(found["Status"] == "SUCCESS")

    call.wait_until(f"Cloud Map operation {operation_id} succeeds", done, 300)
    return str(found.get("Targets", {}).get("NAMESPACE", ""))


def _read_tags(call: Call, arn: str) -> dict[str, str]:
    return tag_map(call.client("servicediscovery").list_tags_for_resource(ResourceARN=arn).get("Tags"))


def _update_tags(call: Call, old: State, new: Inputs) -> None:
    client = call.client("servicediscovery")
    wanted, gone = tag_changes(old, new)
    if gone:
        client.untag_resource(ResourceARN=old["arn"], TagKeys=gone)
    if wanted:
        client.tag_resource(ResourceARN=old["arn"], Tags=tag_list(wanted))


class _Namespace(Resource):
    operation: ClassVar[str]
    missing = frozenset({_NO_NAMESPACE})

    def create(self, call: Call, inputs: Inputs) -> str:
        ask = getattr(call.client("servicediscovery"), f"create_{self.operation}")
        answer = ask(
            CreatorRequestId=uuid.uuid4().hex,
            Name=inputs["name"],
            **given(inputs, Description="description", Vpc="vpc"),
            **({"Tags": tag_list(inputs["tags"])} if inputs.get("tags") else {}),
        )
        return _finish(call, answer)

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        # Services that are being deleted hold their namespace for a moment.
        del state
        answer = retried(
            call,
            f"namespace {resource_id} is empty",
            lambda: unless_absent(
                lambda: call.client("servicediscovery").delete_namespace(Id=resource_id), _NO_NAMESPACE
            ),
            "ResourceInUse",
        )
        _finish(call, answer or {})

    def _find(self, call: Call, resource_id: str) -> dict[str, Any] | None:
        found = unless_absent(
            lambda: call.client("servicediscovery").get_namespace(Id=resource_id)["Namespace"], _NO_NAMESPACE
        )
        return None if found is None else dict(found)


class HttpNamespace(_Namespace):
    token = "aws:servicediscovery/httpNamespace:HttpNamespace"
    operation = "http_namespace"

    def read(self, call: Call, resource_id: str, state: State) -> Mapping[str, Any] | None:
        del state
        found = self._find(call, resource_id)
        if found is None:
            return None
        http = found.get("Properties", {}).get("HttpProperties", {})
        return {
            "arn": found["Arn"],
            "description": found.get("Description", ""),
            "httpName": http.get("HttpName") or found["Name"],
            "name": found["Name"],
            "tagsAll": _read_tags(call, found["Arn"]),
        }

    def update(
        self, call: Call, resource_id: str, old: State, new: Inputs, changed: frozenset[str]
    ) -> str | None:
        del resource_id, changed
        _update_tags(call, old, new)
        return None


class PrivateDnsNamespace(_Namespace):
    """AWS doesn't say which VPC it is in: an import names `NAMESPACE:VPC`."""

    token = "aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace"
    operation = "private_dns_namespace"

    def read(self, call: Call, resource_id: str, state: State) -> Mapping[str, Any] | None:
        namespace_id, _, vpc_id = resource_id.partition(":")
        found = self._find(call, namespace_id)
        if found is None:
            return None
        dns = found.get("Properties", {}).get("DnsProperties", {})
        return {
            "arn": found["Arn"],
            "description": found.get("Description", ""),
            "hostedZone": dns.get("HostedZoneId", ""),
            "name": found["Name"],
            "tagsAll": _read_tags(call, found["Arn"]),
            "vpc": state.get("vpc") or vpc_id,
            "id": namespace_id,
        }

    def update(
        self, call: Call, resource_id: str, old: State, new: Inputs, changed: frozenset[str]
    ) -> str | None:
        if touched(changed, "description"):
            answer = call.client("servicediscovery").update_private_dns_namespace(
                Id=resource_id,
                UpdaterRequestId=uuid.uuid4().hex,
                Namespace={"Description": new.get("description") or ""},
            )
            _finish(call, answer)
        _update_tags(call, old, new)
        return None


class Service(Resource):
    token = "aws:servicediscovery/service:Service"
    defaults = MappingProxyType({"dnsConfig.routingPolicy": "MULTIVALUE", "forceDestroy": False})
    same = MappingProxyType(
        {
            "healthCheckConfig.failureThreshold": if_given,
            "healthCheckCustomConfig.failureThreshold": if_given,
        }
    )
    kept = frozenset({"forceDestroy"})
    missing = frozenset({_NO_SERVICE})

    def create(self, call: Call, inputs: Inputs) -> str:
        namespace = inputs.get("namespaceId") or (inputs.get("dnsConfig") or {}).get("namespaceId")
        made = call.client("servicediscovery").create_service(
            CreatorRequestId=uuid.uuid4().hex,
            Name=inputs["name"],
            **({"NamespaceId": namespace} if namespace else {}),
            **given(inputs, Description="description", Type="type"),
            **self._dns(inputs, creating=True),
            **self._health(inputs),
            **self._custom_health(inputs),
            **({"Tags": tag_list(inputs["tags"])} if inputs.get("tags") else {}),
        )
        return str(made["Service"]["Id"])

    def read(self, call: Call, resource_id: str, state: State) -> Mapping[str, Any] | None:
        del state
        found = unless_absent(
            lambda: call.client("servicediscovery").get_service(Id=resource_id)["Service"], _NO_SERVICE
        )
        if found is None:
            return None
        dns, health = found.get("DnsConfig"), found.get("HealthCheckConfig")
        custom = found.get("HealthCheckCustomConfig")
        return {
            "arn": found["Arn"],
            "description": found.get("Description", ""),
            "dnsConfig": {
                "dnsRecords": [{"ttl": r["TTL"], "type": r["Type"]} for r in dns.get("DnsRecords", [])],
                "namespaceId": dns.get("NamespaceId") or found.get("NamespaceId"),
                "routingPolicy": dns.get("RoutingPolicy") or "MULTIVALUE",
            }
            if dns and dns.get("DnsRecords")
            else None,
            "healthCheckConfig": {
                "failureThreshold": health.get("FailureThreshold"),
                "resourcePath": health.get("ResourcePath", ""),
                "type": health.get("Type"),
            }
            if health
            else None,
            "healthCheckCustomConfig": {"failureThreshold": custom.get("FailureThreshold", 1)}
            if custom is not None
            else None,
            "name": found["Name"],
            "namespaceId": found.get("NamespaceId") or (dns or {}).get("NamespaceId", ""),
            "tagsAll": _read_tags(call, found["Arn"]),
            "type": found.get("Type") or ("DNS_HTTP" if dns else "HTTP"),
        }

    def update(
        self, call: Call, resource_id: str, old: State, new: Inputs, changed: frozenset[str]
    ) -> str | None:
        if touched(changed, "description", "dnsConfig", "healthCheckConfig"):
            answer = call.client("servicediscovery").update_service(
                Id=resource_id,
                Service={
                    "Description": new.get("description") or "",
                    **self._dns(new, creating=False),
                    **self._health(new),
                },
            )
            _finish(call, answer)
        _update_tags(call, old, new)
        return None

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        client = call.client("servicediscovery")
        if state.get("forceDestroy"):
            pages = client.get_paginator("list_instances").paginate(ServiceId=resource_id)
            for page in unless_absent(lambda: list(pages), _NO_SERVICE) or ():
                for instance in page["Instances"]:
                    _finish(
                        call, client.deregister_instance(ServiceId=resource_id, InstanceId=instance["Id"])
                    )
        # Instances of tasks that are stopping hold their service for a moment.
        retried(
            call,
            f"service {resource_id} is empty",
            lambda: unless_absent(lambda: client.delete_service(Id=resource_id), _NO_SERVICE),
            "ResourceInUse",
        )

    @staticmethod
    def _dns(inputs: Inputs, *, creating: bool) -> dict[str, Any]:
        dns = inputs.get("dnsConfig")
        if not dns:
            return {}
        request: dict[str, Any] = {
            "DnsRecords": [{"TTL": r["ttl"], "Type": r["type"]} for r in dns["dnsRecords"]]
        }
        if creating:
            request |= given(dns, NamespaceId="namespaceId", RoutingPolicy="routingPolicy")
        return {"DnsConfig": request}

    @staticmethod
    def _health(inputs: Inputs) -> dict[str, Any]:
        health = inputs.get("healthCheckConfig")
        if not health:
            return {}
        names = {"FailureThreshold": "failureThreshold", "ResourcePath": "resourcePath", "Type": "type"}
        return {"HealthCheckConfig": given(health, **names)}

    @staticmethod
    def _custom_health(inputs: Inputs) -> dict[str, Any]:
        if inputs.get("healthCheckCustomConfig") is None:
            return {}
        return {
            "HealthCheckCustomConfig": given(
                inputs["healthCheckCustomConfig"], FailureThreshold="failureThreshold"
            )
        }


RESOURCES: tuple[Resource, ...] = (HttpNamespace(), PrivateDnsNamespace(), Service())
