"""ACM: a certificate with DNS validation waits until its records are in an emulated hosted zone.

Owns status, validation records, options and use of requested certificates, which ministack issues at once,
and the certificate that the stacks' files name as an example. Deliberately makes no certificate that a TLS
library could use.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable
from typing import Any

from ministack.core.responses import AccountRegionScopedDict, get_account_id, get_region

from local.emulator.completions.inside import ask, ask_json
from local.emulator.completions.patching import AwsError, Request
from local.emulator.completions.protocols import serve

_requested = AccountRegionScopedDict()
"""What ministack doesn't have of requested certificates, by their ARN."""


def install() -> None:
    """Completes requested certificates."""
    serve(
        "acm",
        {
            "RequestCertificate": _request_certificate,
            "DescribeCertificate": _describe_certificate,
            "ListCertificates": _list_certificates,
            "DeleteCertificate": _delete_certificate,
            "GetCertificate": _of_example("GetCertificate", {"Certificate": "", "CertificateChain": ""}),
            "ListTagsForCertificate": _of_example("ListTagsForCertificate", {"Tags": []}),
        },
    )


EXAMPLE_CERTIFICATE = re.compile(
    r"arn:aws:acm:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):certificate/00000000-0000-0000-0000-000000000000"
)
"""What a stack's file names until somebody puts a certificate there."""


def find(arn: str) -> dict[str, Any] | None:
    """The certificate of this ARN in the account and region that ask, or None.

    The example's ARN is in the guide's account. Each stack has an emulated account of its own, and in those
    of the other stacks it stands for a certificate that is issued, so that they come up here as they stand.
    In the guide's account there is none, as on AWS there is none anywhere.
    """
    example = _example(arn)
    if example is not None:
        return example
    try:
        found: dict[str, Any] = ask_json("acm", "DescribeCertificate", {"CertificateArn": arn})["Certificate"]
    except AwsError:
        return None
    return found | _refreshed(arn)


def _example(arn: str) -> dict[str, Any] | None:
    example = EXAMPLE_CERTIFICATE.fullmatch(arn)
    if not example or example["region"] != get_region() or example["account"] == get_account_id():
        return None
    now = time.time()
    return {
        "CertificateArn": arn,
        "DomainName": "example.com",
        "SubjectAlternativeNames": ["example.com"],
        "Status": "ISSUED",
        "Type": "IMPORTED",
        "CreatedAt": now,
        "IssuedAt": now,
        "NotBefore": now,
        "NotAfter": now + 365 * 24 * 3600,
        "DomainValidationOptions": [],
        "InUseBy": [],
        "Options": {},
    }


def _of_example(action: str, answer: dict[str, Any]) -> Callable[[Request], dict[str, Any]]:
    def of_one(request: Request) -> dict[str, Any]:
        return answer if _example(request["CertificateArn"]) else ask_json("acm", action, request)

    return of_one


def _validation(domain: str, method: str, validation_domains: dict[str, str]) -> dict[str, Any]:
    """Source: https://docs.aws.amazon.com/acm/latest/userguide/dns-validation.html"""
    # A wildcard and its domain share one record, which depends on account and domain.
    base = domain.removeprefix("*.")
    validation = {
        "DomainName": domain,
        "ValidationMethod": method,
        "ValidationStatus": "PENDING_VALIDATION",
    }
    if method != "DNS" or domain in validation_domains:
        validation["ValidationDomain"] = validation_domains.get(domain, base)
    if method != "DNS":
        return validation
    digest = hashlib.sha256(f"{get_account_id()} {base}".encode()).hexdigest()
    record = {
        "Name": f"_{digest[:32]}.{base}.",
        "Type": "CNAME",
        "Value": f"_{digest[32:64]}.{digest[:10]}.acm-validations.aws.",
    }
    return validation | {"ResourceRecord": record}


def _request_certificate(request: Request) -> dict[str, Any]:
    answer = ask_json("acm", "RequestCertificate", request)
    asked = ask_json("acm", "DescribeCertificate", answer)["Certificate"]
    domains = {
        item["DomainName"]: item["ValidationDomain"] for item in request.get("DomainValidationOptions") or []
    }
    method = request.get("ValidationMethod", "DNS")
    _requested[answer["CertificateArn"]] = {
        "Status": "PENDING_VALIDATION",
        "KeyAlgorithm": request.get("KeyAlgorithm", "RSA_2048"),
        "Options": {"CertificateTransparencyLoggingPreference": "ENABLED", "Export": "DISABLED"}
        | request.get("Options", {}),
        "DomainValidationOptions": [
            _validation(domain, method, domains) for domain in asked["SubjectAlternativeNames"]
        ],
    }
    return answer


def _refreshed(arn: str) -> dict[str, Any]:
    """What is known of a requested certificate, issued if all its validation records have appeared in hosted
    zones of the account."""
    certificate: dict[str, Any] = _requested.get(arn, {})
    if certificate.get("Status") == "PENDING_VALIDATION":
        for validation in certificate["DomainValidationOptions"]:
            record = validation.get("ResourceRecord")
            if record and _is_published(record):
                validation["ValidationStatus"] = "SUCCESS"
        if all(item["ValidationStatus"] == "SUCCESS" for item in certificate["DomainValidationOptions"]):
            certificate["Status"] = "ISSUED"
            certificate["IssuedAt"] = certificate["NotBefore"] = time.time()
    return certificate


def _is_published(wanted: dict[str, str]) -> bool:
    name, value = (wanted[key].rstrip(".").lower() for key in ("Name", "Value"))
    for zone in ask("route53", "ListHostedZones", {"MaxItems": "100"})["HostedZones"]:
        if not name.endswith(f".{zone['Name'].rstrip('.').lower()}"):
            continue
        asked = {"StartRecordName": name, "StartRecordType": "CNAME", "MaxItems": "1"}
        of_zone = {"HostedZoneId": zone["Id"].rpartition("/")[2]}
        for record in ask("route53", "ListResourceRecordSets", of_zone | asked)["ResourceRecordSets"]:
            values = [each["Value"].rstrip(".").lower() for each in record.get("ResourceRecords") or []]
            if (record["Name"].rstrip(".").lower(), record["Type"]) == (name, "CNAME") and value in values:
                return True
    return False


def _users(arn: str) -> list[str]:
    return sorted(
        {
            listener["LoadBalancerArn"]
            for listener in ask("elbv2", "DescribeListeners", {})["Listeners"]
            if {"CertificateArn": arn} in listener.get("Certificates", [])
        }
    )


def _describe_certificate(request: Request) -> dict[str, Any]:
    """Source: https://docs.aws.amazon.com/acm/latest/APIReference/API_CertificateDetail.html"""
    certificate = find(request.get("CertificateArn", ""))
    if certificate is None:
        return ask_json("acm", "DescribeCertificate", request)
    users = certificate["InUseBy"] + _users(certificate["CertificateArn"])
    shown = {"KeyAlgorithm": "RSA_2048"} | certificate
    shown |= {"InUseBy": users, "RenewalEligibility": "ELIGIBLE" if users else "INELIGIBLE"}
    hidden = ("IssuedAt", "NotBefore", "NotAfter") if certificate["Status"] == "PENDING_VALIDATION" else ()
    return {"Certificate": {name: shown[name] for name in shown if name not in (*hidden, "Tags")}}


def _list_certificates(request: Request) -> dict[str, Any]:
    statuses = request.get("CertificateStatuses")
    found = ask_json("acm", "ListCertificates", {})["CertificateSummaryList"]
    listed = [
        each | {"Status": _refreshed(each["CertificateArn"]).get("Status", each["Status"])} for each in found
    ]
    return {"CertificateSummaryList": [each for each in listed if not statuses or each["Status"] in statuses]}


def _delete_certificate(request: Request) -> dict[str, Any]:
    """Source: https://docs.aws.amazon.com/acm/latest/APIReference/API_DeleteCertificate.html"""
    arn = request.get("CertificateArn", "")
    if _users(arn):
        raise AwsError(
            "ResourceInUseException", f"Certificate {arn} in account {get_account_id()} is in use."
        )
    answer = ask_json("acm", "DeleteCertificate", request)
    _requested.pop(arn, None)
    return answer
