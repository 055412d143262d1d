"""ACM: a certificate with DNS validation waits until its records are in an emulated hosted zone.

Owns status, validation records, options and use of requested certificates, and the certificate that the
stacks' files name as an example. Deliberately makes no certificate that a TLS library could use.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

from ministack.core.responses import get_account_id, get_region, now_iso
from ministack.services import acm, alb, route53

from local.emulator.completions.patching import Request, Response, json_body, wrap


def install() -> None:
    """Completes requested certificates."""
    wrap(acm, "_get_local_certificate", _get_local_certificate)
    wrap(acm, "_validation_options", _validation_options)
    wrap(acm, "_request_certificate", _request_certificate)
    wrap(acm, "_cert_shape", _cert_shape)
    wrap(acm, "_delete_certificate", _delete_certificate)
    wrap(acm, "_list_certificates", _list_certificates)


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
    example = EXAMPLE_CERTIFICATE.fullmatch(arn)
    elsewhere = example and example["region"] == get_region() and example["account"] != get_account_id()
    if elsewhere and arn not in acm._certificates:
        now = now_iso()
        acm._certificates[arn] = {
            "CertificateArn": arn,
            "DomainName": "example.com",
            "SubjectAlternativeNames": ["example.com"],
            "Status": "ISSUED",
            "Type": "IMPORTED",
            "CreatedAt": now,
            "IssuedAt": now,
            "NotBefore": now,
            "NotAfter": acm._future_iso(365 * 24 * 3600),
            "DomainValidationOptions": [],
            "Tags": [],
            "Options": {},
        }
    found: dict[str, Any] | None = acm._certificates.get(arn)
    return found


def _get_local_certificate(original: Any) -> Any:
    def get(arn: str) -> Any:
        return original(arn) or find(arn)

    return get


def _validation_options(original: Any) -> Any:
    def options(domain: str, method: str) -> dict[str, Any]:
        validation: dict[str, Any] = original(domain, method)
        validation["ValidationStatus"] = "PENDING_VALIDATION"
        if method == "DNS":
            # A wildcard and its domain share one record, which depends on account and domain.
            base = domain.removeprefix("*.")
            digest = hashlib.sha256(f"{get_account_id()} {base}".encode()).hexdigest()
            validation["ResourceRecord"] = {
                "Name": f"_{digest[:32]}.{base}.",
                "Type": "CNAME",
                "Value": f"_{digest[32:64]}.{digest[:10]}.acm-validations.aws.",
            }
        else:
            validation.pop("ResourceRecord", None)
            validation["ValidationDomain"] = domain.removeprefix("*.")
        return validation

    return options


def _request_certificate(original: Any) -> Any:
    def request_certificate(request: Request) -> Response:
        response: Response = original(request)
        if response[0] < 400:
            certificate = acm._certificates[json_body(response)["CertificateArn"]]
            certificate["Status"] = "PENDING_VALIDATION"
            certificate["KeyAlgorithm"] = request.get("KeyAlgorithm", "RSA_2048")
            certificate["Options"] = {
                "CertificateTransparencyLoggingPreference": "ENABLED",
                "Export": "DISABLED",
            } | request.get("Options", {})
            if request.get("DomainValidationOptions"):
                domains = {
                    item["DomainName"]: item["ValidationDomain"]
                    for item in request["DomainValidationOptions"]
                }
                for validation in certificate["DomainValidationOptions"]:
                    if validation["DomainName"] in domains:
                        validation["ValidationDomain"] = domains[validation["DomainName"]]
        return response

    return request_certificate


def refresh(certificate: dict[str, Any]) -> None:
    """Issues a certificate whose validation records have all appeared in hosted zones of the account."""
    if certificate["Status"] != "PENDING_VALIDATION":
        return
    published = {
        (record["Name"].rstrip(".").lower(), item.rstrip(".").lower())
        for records in route53._records.values()
        for record in records
        if record["Type"] == "CNAME"
        for item in record.get("ResourceRecords") or []
    }
    for validation in certificate["DomainValidationOptions"]:
        record = validation.get("ResourceRecord")
        if record and (record["Name"].rstrip(".").lower(), record["Value"].rstrip(".").lower()) in published:
            validation["ValidationStatus"] = "SUCCESS"
    if all(item["ValidationStatus"] == "SUCCESS" for item in certificate["DomainValidationOptions"]):
        certificate["Status"] = "ISSUED"
        certificate["IssuedAt"] = certificate["NotBefore"] = now_iso()


def _users(arn: str) -> list[str]:
    return sorted(
        {
            listener["LoadBalancerArn"]
            for listener in alb._listeners.values()
            if arn in listener.get("Certificates", []) + listener.get("_certificates", [])
        }
    )


def _cert_shape(original: Any) -> Any:
    def shape(certificate: dict[str, Any]) -> dict[str, Any]:
        refresh(certificate)
        shown: dict[str, Any] = original(certificate)
        shown["InUseBy"] = shown["InUseBy"] + _users(certificate["CertificateArn"])
        shown["KeyAlgorithm"] = certificate.get("KeyAlgorithm", "RSA_2048")
        shown["RenewalEligibility"] = "ELIGIBLE" if shown["InUseBy"] else "INELIGIBLE"
        if certificate["Status"] == "PENDING_VALIDATION":
            for name in ("IssuedAt", "NotBefore", "NotAfter"):
                shown.pop(name)
        shown.pop("Tags", None)
        return shown

    return shape


def _list_certificates(original: Any) -> Any:
    def list_certificates(request: Request) -> Response:
        for certificate in acm._certificates.values():
            refresh(certificate)
        response: Response = original(request)
        return response

    return list_certificates


def _delete_certificate(original: Any) -> Any:
    def delete(request: Request) -> Response:
        arn = request.get("CertificateArn", "")
        if _users(arn):
            refused: Response = acm.error_response_json(
                "ResourceInUseException", f"Certificate {arn} in account {get_account_id()} is in use.", 400
            )
            return refused
        response: Response = original(request)
        return response

    return delete
