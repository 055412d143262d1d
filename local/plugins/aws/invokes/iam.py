"""IAM functions: policy documents, roles and policies that exist already.

A policy document is written exactly as the real provider writes it (order of members, indentation, reversed
lists), so that a program moved between the two shows no difference.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from ..resource import Call, Function, Inputs, tag_map
from ..resources.calls import unless_absent
from ..resources.iam import document_text

_VERSION: Final = "2012-10-17"
_ABSENT: Final = "NoSuchEntity"


def _one_or_list(values: Iterable[Any]) -> Any:
    """A single value alone, several in reverse order."""
    texts = [str(value) for value in values]
    return texts[0] if len(texts) == 1 else sorted(texts, reverse=True)


def _with_variables(values: Iterable[Any]) -> list[str]:
    """`&{aws:username}` stands for IAM's own `${aws:username}`, which other tools would interpolate."""
    return [str(value).replace("&{", "${") for value in values]


def _principals(principals: Sequence[Mapping[str, Any]]) -> Any:
    if len(principals) == 1 and principals[0]["type"] == "*" and list(principals[0]["identifiers"]) == ["*"]:
        return "*"
    grouped: dict[str, Any] = {}
    for principal in principals:
        names = _one_or_list(_with_variables(principal["identifiers"]))
        kind = principal["type"]
        if kind not in grouped:
            grouped[kind] = names
            continue
        before = grouped[kind] if isinstance(grouped[kind], list) else [grouped[kind]]
        grouped[kind] = [*before, *(names if isinstance(names, list) else [names])]
    return dict(sorted(grouped.items()))


def _conditions(conditions: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    grouped: dict[str, dict[str, Any]] = {}
    for condition in conditions:
        values = _with_variables(condition["values"])
        variables = grouped.setdefault(condition["test"], {})
        if len(values) == 1 and condition["variable"] not in variables:
            variables[condition["variable"]] = values[0]
            continue
        before = variables.get(condition["variable"], [])
        variables[condition["variable"]] = [*(before if isinstance(before, list) else [before]), *values]
    return {test: dict(sorted(variables.items())) for test, variables in sorted(grouped.items())}


def statement(given: Mapping[str, Any]) -> dict[str, Any]:
    """A statement of the function's arguments, as it stands in the document."""
    found: dict[str, Any] = {}
    if given.get("sid"):
        found["Sid"] = given["sid"]
    found["Effect"] = given.get("effect") or "Allow"
    for member, argument in (("Action", "actions"), ("NotAction", "notActions")):
        if given.get(argument):
            found[member] = _one_or_list(given[argument])
    for member, argument in (("Resource", "resources"), ("NotResource", "notResources")):
        if given.get(argument):
            found[member] = _one_or_list(_with_variables(given[argument]))
    for member, argument in (("Principal", "principals"), ("NotPrincipal", "notPrincipals")):
        if given.get(argument):
            found[member] = _principals(given[argument])
    if given.get("conditions"):
        found["Condition"] = _conditions(given["conditions"])
    return found


def _merge(into: list[dict[str, Any]], statements: Iterable[dict[str, Any]]) -> None:
    """Adds statements; one with the Sid of an earlier one takes its place."""
    for new in statements:
        places = [i for i, old in enumerate(into) if new.get("Sid") and old.get("Sid") == new["Sid"]]
        if places:
            into[places[0]] = new
        else:
            into.append(new)


def _statements(text: str, argument: str) -> list[dict[str, Any]]:
    try:
        found = json.loads(text).get("Statement", [])
    except (ValueError, AttributeError) as error:
        raise ValueError(
            f"`{argument}` of getPolicyDocument must hold IAM policies as JSON objects"
        ) from error
    return [dict(found)] if isinstance(found, Mapping) else list(found)


def policy_document(args: Inputs) -> dict[str, Any]:
    """The document: sources, then the statements, then what overrides them.

    Raises ValueError for a source that isn't a policy and for a Sid that is given twice.
    """
    statements: list[dict[str, Any]] = []
    sources = [
        *([args["sourceJson"]] if args.get("sourceJson") else []),
        *(args.get("sourcePolicyDocuments") or ()),
    ]
    for text in filter(None, sources):
        _merge(statements, _statements(text, "sourcePolicyDocuments"))
    own = [statement(given) for given in args.get("statements") or ()]
    sids = [s["Sid"] for s in own if s.get("Sid")]
    twice = sorted({sid for sid in sids if sids.count(sid) > 1})
    if twice:
        raise ValueError(f"getPolicyDocument: the Sid {twice[0]!r} is given twice; every Sid must be its own")
    _merge(statements, own)
    overrides = [
        *([args["overrideJson"]] if args.get("overrideJson") else []),
        *(args.get("overridePolicyDocuments") or ()),
    ]
    for text in filter(None, overrides):
        _merge(statements, _statements(text, "overridePolicyDocuments"))
    return {
        "Version": args.get("version") or _VERSION,
        **({"Id": args["policyId"]} if args.get("policyId") else {}),
        **({"Statement": statements} if statements else {}),
    }


def _escaped(text: str) -> str:
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _get_policy_document(call: Call, args: Inputs) -> Mapping[str, Any]:
    del call
    document = policy_document(args)
    text = _escaped(json.dumps(document, indent=2, ensure_ascii=False))
    return {
        "id": str(zlib.crc32(text.encode())),
        "json": text,
        "minifiedJson": _escaped(json.dumps(document, separators=(",", ":"), ensure_ascii=False)),
        "version": document["Version"],
    }


def _get_role(call: Call, args: Inputs) -> Mapping[str, Any]:
    iam = call.client("iam")
    role = unless_absent(lambda: iam.get_role(RoleName=args["name"])["Role"], _ABSENT)
    if role is None:
        raise LookupError(f"no IAM role is named {args['name']}")
    return {
        "arn": role["Arn"],
        "assumeRolePolicy": document_text(role["AssumeRolePolicyDocument"]),
        "createDate": role["CreateDate"].strftime("%Y-%m-%dT%H:%M:%SZ"),
        "description": role.get("Description", ""),
        "id": role["RoleName"],
        "maxSessionDuration": role.get("MaxSessionDuration", 3600),
        "name": role["RoleName"],
        "path": role["Path"],
        "permissionsBoundary": role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", ""),
        "tags": tag_map(role.get("Tags")),
        "uniqueId": role["RoleId"],
    }


def _get_policy(call: Call, args: Inputs) -> Mapping[str, Any]:
    iam = call.client("iam")
    arn = args.get("arn")
    if not arn:
        pages = iam.get_paginator("list_policies").paginate(PathPrefix=args.get("pathPrefix") or "/")
        found = [p["Arn"] for page in pages for p in page["Policies"] if p["PolicyName"] == args.get("name")]
        if len(found) != 1:
            raise LookupError(f"{len(found)} IAM policies are named {args.get('name')}; give an `arn`")
        arn = found[0]
    policy = unless_absent(lambda: iam.get_policy(PolicyArn=arn)["Policy"], _ABSENT)
    if policy is None:
        raise LookupError(f"there is no IAM policy {arn}")
    version = iam.get_policy_version(PolicyArn=arn, VersionId=policy["DefaultVersionId"])
    return {
        "arn": arn,
        "attachmentCount": policy.get("AttachmentCount", 0),
        "description": policy.get("Description", ""),
        "id": arn,
        "name": policy["PolicyName"],
        "path": policy["Path"],
        "policy": document_text(version["PolicyVersion"]["Document"]),
        "policyId": policy["PolicyId"],
        "tags": tag_map(policy.get("Tags")),
    }


FUNCTIONS: tuple[Function, ...] = (
    Function("aws:iam/getPolicy:getPolicy", _get_policy),
    Function("aws:iam/getPolicyDocument:getPolicyDocument", _get_policy_document),
    Function("aws:iam/getRole:getRole", _get_role, required=("name",)),
)
