"""ACM functions: certificates that exist already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..resource import Call, Function, Inputs, tag_map


def _get_certificate(call: Call, args: Inputs) -> Mapping[str, Any]:
    """The certificate of a domain; `mostRecent` chooses among several, as the real provider does."""
    acm = call.client("acm")
    statuses = args.get("statuses") or ["ISSUED"]
    pages = acm.get_paginator("list_certificates").paginate(
        CertificateStatuses=statuses,
        **({"Includes": {"keyTypes": args["keyTypes"]}} if args.get("keyTypes") else {}),
    )
    arns = [
        summary["CertificateArn"]
        for page in pages
        for summary in page["CertificateSummaryList"]
        if not args.get("domain") or summary["DomainName"] == args["domain"]
    ]
    found = []
    for arn in arns:
        certificate = acm.describe_certificate(CertificateArn=arn)["Certificate"]
        tags = tag_map(acm.list_tags_for_certificate(CertificateArn=arn).get("Tags"))
        if (
            certificate["Status"] in statuses
            and (not args.get("types") or certificate["Type"] in args["types"])
            and (args.get("tags") or {}).items() <= tags.items()
        ):
            found.append((certificate, tags))
    if not found or (len(found) > 1 and not args.get("mostRecent")):
        number = len(found) or "no"
        raise LookupError(
            f"{number} certificates match {args.get('domain') or 'the tags'}; one must, or set `mostRecent`"
        )
    certificate, tags = max(found, key=lambda pair: str(pair[0].get("NotBefore") or pair[0].get("CreatedAt")))
    issued = certificate["Status"] == "ISSUED"
    text = acm.get_certificate(CertificateArn=certificate["CertificateArn"]) if issued else {}
    return {
        "arn": certificate["CertificateArn"],
        "certificate": text.get("Certificate", ""),
        "certificateChain": text.get("CertificateChain", ""),
        "domain": certificate["DomainName"],
        "id": certificate["CertificateArn"],
        "status": certificate["Status"],
        "tags": tags,
    }


FUNCTIONS: tuple[Function, ...] = (Function("aws:acm/getCertificate:getCertificate", _get_certificate),)
