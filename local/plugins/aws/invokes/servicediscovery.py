"""Cloud Map functions: namespaces and services that exist already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..resource import Call, Function, Inputs
from ..resources.servicediscovery import HttpNamespace, PrivateDnsNamespace, Service


def _namespace_id(call: Call, name: str, kind: str) -> str:
    pages = call.client("servicediscovery").get_paginator("list_namespaces").paginate()
    found = [n["Id"] for page in pages for n in page["Namespaces"] if n["Name"] == name and n["Type"] == kind]
    if len(found) != 1:
        raise LookupError(f"{len(found) or 'no'} Cloud Map namespaces of type {kind} are named {name}")
    return str(found[0])


def _get_http_namespace(call: Call, args: Inputs) -> Mapping[str, Any]:
    namespace_id = _namespace_id(call, args["name"], "HTTP")
    found = dict(HttpNamespace().read(call, namespace_id, {}) or {})
    return {**found, "id": namespace_id, "tags": found.pop("tagsAll")}


def _get_dns_namespace(call: Call, args: Inputs) -> Mapping[str, Any]:
    namespace_id = _namespace_id(call, args["name"], args["type"])
    found = PrivateDnsNamespace().read(call, namespace_id, {}) or {}
    return {
        **{name: found[name] for name in ("arn", "description", "hostedZone", "name")},
        "id": namespace_id,
        "tags": found["tagsAll"],
        "type": args["type"],
    }


def _get_service(call: Call, args: Inputs) -> Mapping[str, Any]:
    filters = [{"Name": "NAMESPACE_ID", "Values": [args["namespaceId"]], "Condition": "EQ"}]
    pages = call.client("servicediscovery").get_paginator("list_services").paginate(Filters=filters)
    ids = [s["Id"] for page in pages for s in page["Services"] if s["Name"] == args["name"]]
    if len(ids) != 1:
        raise LookupError(f"{len(ids) or 'no'} services in {args['namespaceId']} are named {args['name']}")
    found = Service().read(call, ids[0], {}) or {}
    blocks = {
        f"{name}s": [found[name]] if found[name] else []
        for name in ("dnsConfig", "healthCheckConfig", "healthCheckCustomConfig")
    }
    return {
        **{name: found[name] for name in ("arn", "description", "name", "namespaceId")},
        **blocks,
        "id": ids[0],
        "tags": found["tagsAll"],
    }


FUNCTIONS: tuple[Function, ...] = (
    Function(
        "aws:servicediscovery/getDnsNamespace:getDnsNamespace", _get_dns_namespace, required=("name", "type")
    ),
    Function(
        "aws:servicediscovery/getHttpNamespace:getHttpNamespace", _get_http_namespace, required=("name",)
    ),
    Function("aws:servicediscovery/getService:getService", _get_service, required=("name", "namespaceId")),
)
