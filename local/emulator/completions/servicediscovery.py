"""Cloud Map: services of a DNS namespace named in their DNS configuration, and lists that honour their
filters.

Owns what ministack lacks of namespaces and services. Deliberately registers no instance for an ECS task.
"""

from __future__ import annotations

from typing import Any

from ministack.services import servicediscovery

from local.emulator.completions.patching import Request, Response, json_body, wrap


def install() -> None:
    """Completes namespaces and services."""
    wrap(servicediscovery, "_create_service", _create_service)
    wrap(servicediscovery, "_list_namespaces", _filtered("Namespaces"))
    wrap(servicediscovery, "_list_services", _filtered("Services"))


def _create_service(original: Any) -> Any:
    def create(request: Request) -> Response:
        dns = request.get("DnsConfig") or {}
        namespace_id = request.get("NamespaceId") or dns.get("NamespaceId")
        response: Response = original({**request, "NamespaceId": namespace_id})
        if response[0] >= 400:
            return response
        service = servicediscovery._services[json_body(response)["Service"]["Id"]]
        namespace = servicediscovery._namespaces[namespace_id]
        only_http = namespace["Type"] == "HTTP" or request.get("Type") == "HTTP" or not dns
        service["Type"] = "HTTP" if only_http else "DNS_HTTP"
        if dns:
            service["DnsConfig"] = {"RoutingPolicy": "MULTIVALUE"} | dns
        completed: Response = servicediscovery.json_response(
            {"Service": {name: value for name, value in service.items() if value is not None}}
        )
        return completed

    return create


_FIELDS = {"TYPE": "Type", "NAME": "Name", "NAMESPACE_ID": "NamespaceId"}


def _filtered(key: str) -> Any:
    def make(original: Any) -> Any:
        def list_them(request: Request) -> Response:
            response: Response = original(request)
            if response[0] >= 400 or not request.get("Filters"):
                return response
            kept = [
                item
                for item in json_body(response)[key]
                if all(_passes(item, wanted) for wanted in request["Filters"])
            ]
            completed: Response = servicediscovery.json_response({key: kept})
            return completed

        return list_them

    return make


def _passes(item: dict[str, Any], wanted: dict[str, Any]) -> bool:
    field = _FIELDS.get(wanted["Name"])
    if field is None:
        http_name = item.get("Properties", {}).get("HttpProperties", {}).get("HttpName")
        return wanted["Name"] != "HTTP_NAME" or http_name in wanted["Values"]
    value = str(item.get(field, ""))
    if wanted.get("Condition", "EQ") == "BEGINS_WITH":
        return any(value.startswith(prefix) for prefix in wanted["Values"])
    return value in wanted["Values"]
