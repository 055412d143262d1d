"""AWS's wire protocols for completed services, read from botocore's service models.

Owns turning a request in the query, EC2, JSON or CBOR protocol into plain values by AWS's own description of
each member, and a result back into the protocol that the caller speaks. So a completed action is a function
from dict to dict, and no member is lost because somebody forgot to write it out. Also owns how such actions
are put before ministack's. Deliberately knows no service.
"""

from __future__ import annotations

import base64
import functools
import json
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

import botocore.loaders
import botocore.model
import botocore.parsers
import botocore.serialize
from ministack import app as ministack_app
from ministack.core.responses import error_response_json

from local.emulator.completions.patching import AwsError, Request, Response

Result = dict[str, Any]
Action = Callable[[Request], Result]

_ERROR = (
    botocore.model.DenormalizedStructureBuilder()
    .with_members({"__type": {"type": "string"}, "message": {"type": "string"}})
    .build_model()
)
QUERY, EC2, JSON, CBOR = "query", "ec2", "json", "cbor"
_JSON_TYPE = {"Content-Type": "application/x-amz-json-1.0"}
_CBOR_TYPE = {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}
"""Copied for each answer, because ministack adds to an answer's headers."""
MINISTACKS = {"cloudwatch": "monitoring", "elbv2": "elasticloadbalancing"}
"""What ministack calls a service, where botocore calls it otherwise."""


class ModelledService:
    """A service by its botocore model; the model is loaded at the first request."""

    def __init__(self, name: str) -> None:
        self._name = name

    @cached_property
    def model(self) -> Any:
        description = botocore.loaders.Loader().load_service_model(self._name, "service-2")
        return botocore.model.ServiceModel(description, service_name=self._name)

    @property
    def _is_ec2(self) -> bool:
        return bool(self.model.metadata["protocol"] == EC2)

    @property
    def _namespace(self) -> str:
        return str(self.model.metadata["xmlNamespace"])

    def decode(
        self, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]
    ) -> tuple[str, str, Request]:
        """Returns the protocol that the caller speaks, the action and its request."""
        target = headers.get("x-amz-target", "")
        if "cbor" in headers.get("smithy-protocol", "") or "cbor" in headers.get("content-type", ""):
            action = path.rpartition("/operation/")[2]
            return CBOR, action, _read_cbor(body)
        if target:
            return JSON, target.rpartition(".")[2], json.loads(body or b"{}")
        fields = dict(query)
        fields.update(parse_qs(body.decode("utf-8", errors="replace"), keep_blank_values=True))
        values = {name: found[0] for name, found in fields.items()}
        action = values.get("Action", "")
        if action not in self.model.operation_names:
            raise AwsError("InvalidAction", f"The action {action} is not valid for this endpoint.")
        shape = self.model.operation_model(action).input_shape
        request = self._read_query(values, shape, "") if shape is not None else {}
        return EC2 if self._is_ec2 else QUERY, action, request or {}

    def encode(self, protocol: str, action: str, result: Result) -> Response:
        """Returns the answer to a request in its own protocol."""
        if protocol == JSON:
            return 200, dict(_JSON_TYPE), json.dumps(_jsonable(result)).encode()
        shape = self.model.operation_model(action).output_shape
        if protocol == CBOR:
            return 200, dict(_CBOR_TYPE), _write_cbor(result, shape) if shape is not None else b"\xa0"
        content = _write_xml(result, shape) if shape is not None else ""
        if protocol == EC2:
            content = f"<requestId>{uuid.uuid4()}</requestId>{content}"
        else:
            wrapper = (shape and shape.serialization.get("resultWrapper")) or f"{action}Result"
            told = f"<ResponseMetadata><RequestId>{uuid.uuid4()}</RequestId></ResponseMetadata>"
            content = f"<{wrapper}>{content}</{wrapper}>{told}"
        document = f'<{action}Response xmlns="{self._namespace}">{content}</{action}Response>'
        return 200, {"Content-Type": "text/xml"}, document.encode()

    def encode_error(self, protocol: str, error: AwsError) -> Response:
        """Returns the answer that reports an error, in the request's protocol."""
        told = f"<Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message>"
        if protocol == EC2:
            document = (
                f"<Response><Errors><Error>{told}</Error></Errors>"
                f"<RequestID>{uuid.uuid4()}</RequestID></Response>"
            )
            return error.status, {"Content-Type": "text/xml"}, document.encode()
        if protocol == QUERY:
            document = (
                f'<ErrorResponse xmlns="{self._namespace}"><Error><Type>Sender</Type>{told}</Error>'
                f"<RequestId>{uuid.uuid4()}</RequestId></ErrorResponse>"
            )
            return error.status, {"Content-Type": "text/xml"}, document.encode()
        body = {"__type": error.code, "message": error.message}
        headers = {"x-amzn-errortype": error.code, "x-amzn-query-error": f"{error.code};Sender"}
        if protocol == JSON:
            return error.status, headers | _JSON_TYPE, json.dumps(body).encode()
        return error.status, headers | _CBOR_TYPE, _write_cbor(body, _ERROR)

    def _wire_name(self, name: str, member: Any) -> str:
        """What a member is called in a request.

        Source: https://smithy.io/2.0/aws/protocols/aws-ec2-query-protocol.html (for EC2)
        """
        given = str(member.serialization.get("name", name))
        if not self._is_ec2:
            return given
        return str(member.serialization.get("queryName", given[:1].upper() + given[1:]))

    def _read_query(self, values: dict[str, str], shape: Any, prefix: str) -> Any:
        """Reads the value of `shape` whose fields begin with `prefix`; None where the request has none."""
        kind = shape.type_name
        if kind == "structure":
            result = {}
            for name, member in shape.members.items():
                wire_name = self._wire_name(name, member)
                value = self._read_query(values, member, f"{prefix}.{wire_name}" if prefix else wire_name)
                if value is not None:
                    result[name] = value
            if result or not prefix:
                return result
            return {} if any(key.startswith(f"{prefix}.") for key in values) else None
        if kind == "list":
            named = prefix
            if not (self._is_ec2 or shape.serialization.get("flattened")):
                prefix = f"{prefix}.{shape.member.serialization.get('name', 'member')}"
            items: list[Any] = []
            while (item := self._read_query(values, shape.member, f"{prefix}.{len(items) + 1}")) is not None:
                items.append(item)
            # An empty list is sent as the bare name with no value.
            return items if items or values.get(named) == "" else None
        if kind == "map":
            entries: dict[str, Any] = {}
            base = prefix if shape.serialization.get("flattened") else f"{prefix}.entry"
            while f"{base}.{len(entries) + 1}.key" in values:
                entry = f"{base}.{len(entries) + 1}"
                entries[values[f"{entry}.key"]] = self._read_query(values, shape.value, f"{entry}.value")
            return entries or None
        return _scalar(values[prefix], kind) if prefix in values else None


def _scalar(text: str, kind: str) -> Any:
    if kind in {"integer", "long"}:
        return int(text)
    if kind in {"float", "double"}:
        return float(text)
    if kind == "boolean":
        return text.lower() == "true"
    return text


def _seconds(value: Any) -> float:
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, str):
        return datetime.fromisoformat(value.replace("Z", "+00:00")).timestamp()
    return float(value)


def _iso(value: Any) -> str:
    moment = datetime.fromtimestamp(_seconds(value), UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _write_xml(value: Any, shape: Any) -> str:
    kind = shape.type_name
    if kind == "structure":
        parts = []
        for name, member in shape.members.items():
            if value.get(name) is not None:
                tag = member.serialization.get("name", name)
                parts.append(f"<{tag}>{_write_xml(value[name], member)}</{tag}>")
        return "".join(parts)
    if kind == "list":
        tag = shape.member.serialization.get("name", "member")
        return "".join(f"<{tag}>{_write_xml(item, shape.member)}</{tag}>" for item in value)
    if kind == "map":
        return "".join(
            f"<entry><key>{escape(str(key))}</key><value>{_write_xml(item, shape.value)}</value></entry>"
            for key, item in value.items()
        )
    if kind == "boolean":
        return "true" if value else "false"
    if kind == "timestamp":
        return _iso(value)
    return escape(base64.b64encode(value).decode() if kind == "blob" else str(value))


def _jsonable(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _jsonable(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_jsonable(item) for item in value]
    return _seconds(value) if isinstance(value, datetime) else value


def _read_cbor(body: bytes) -> Request:
    if not body:
        return {}
    parser = botocore.parsers.RpcV2CBORParser()
    stream = parser.get_peekable_stream_from_bytes(body)
    request: Request = _jsonable(parser.parse_data_item(stream))
    return request


def _for_cbor(value: Any, shape: Any) -> Any:
    """Prepares a value for botocore's serialiser, which wants exact types and knows no absent members."""
    kind = shape.type_name
    if kind == "structure":
        return {
            name: _for_cbor(value[name], member)
            for name, member in shape.members.items()
            if value.get(name) is not None
        }
    if kind == "list":
        return [_for_cbor(item, shape.member) for item in value]
    if kind == "map":
        return {key: _for_cbor(item, shape.value) for key, item in value.items()}
    if kind == "timestamp":
        return datetime.fromtimestamp(_seconds(value), UTC)
    exact = {"float": float, "double": float, "integer": int, "long": int}.get(kind)
    return exact(value) if exact else value


def _write_cbor(result: Result, shape: Any) -> bytes:
    serializer = botocore.serialize.RpcV2CBORSerializer()
    body = bytearray()
    serializer._serialize_data_item(body, _for_cbor(result, shape), shape)
    return bytes(body)


modelled = functools.cache(ModelledService)


async def nothing_else(
    _method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]
) -> Response:
    """What a service answers to an action that it doesn't have."""
    name = action_name(path, headers, body, query)
    answer: Response = error_response_json(
        "UnknownOperationException", f"The operation {name!r} is unknown.", 400
    )
    return answer


def serve(name: str, actions: Mapping[str, Action]) -> None:
    """Has these actions of a service answered before ministack is asked; it answers all others."""
    key = MINISTACKS.get(name, name)
    original = ministack_app.SERVICE_HANDLERS.get(key, nothing_else)
    ministack_app.SERVICE_HANDLERS[key] = partial(_handle, modelled(name), actions, original)


async def _handle(
    service: ModelledService,
    actions: Mapping[str, Action],
    original: Any,
    method: str,
    path: str,
    headers: dict[str, str],
    body: bytes,
    query: dict[str, list[str]],
) -> Response:
    name = action_name(path, headers, body, query)
    if name not in actions:
        answer: Response = await original(method, path, headers, body, query)
        return answer
    protocol, action, request = service.decode(path, headers, body, query)
    try:
        result = actions[action](request)
    except AwsError as error:
        return service.encode_error(protocol, error)
    return service.encode(protocol, action, result)


def action_name(path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]) -> str:
    """The action that a request asks for, without decoding the rest of it."""
    if "/operation/" in path:
        return path.rpartition("/operation/")[2]
    if headers.get("x-amz-target"):
        return headers["x-amz-target"].rpartition(".")[2]
    found = query.get("Action") or parse_qs(body.decode("utf-8", errors="replace")).get("Action") or [""]
    return found[0]
