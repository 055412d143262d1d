"""ACM: certificates, and waiting for their validation."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from ..resource import Call, Inputs, Resource, State, tag_changes, tag_list, tag_map
from ..session import AwsError
from .calls import given, retried, touched, unless_absent
from .defaulting import if_given

_ABSENT: Final = "ResourceNotFoundException"
_FAILED: Final = frozenset({"FAILED", "VALIDATION_TIMED_OUT", "REVOKED", "EXPIRED"})
_IMPORTED: Final = ("certificateBody", "certificateChain", "privateKey", "privateKeyWoVersion")


def find_certificate(acm: Any, arn: str) -> dict[str, Any] | None:
    """The certificate as DescribeCertificate has it."""
    found = unless_absent(lambda: acm.describe_certificate(CertificateArn=arn)["Certificate"], _ABSENT)
    return None if found is None else dict(found)


class Certificate(Resource):
    token = "aws:acm/certificate:Certificate"
    exclusive = (
        ("domainName", "certificateBody"),
        ("certificateAuthorityArn", "validationMethod"),
        ("privateKey", "privateKeyWo"),
    )
    sets = frozenset({"domainValidationOptions", "subjectAlternativeNames", "validationOptions"})
    same = MappingProxyType(
        {"options.certificateTransparencyLoggingPreference": if_given, "options.export": if_given}
    )
    kept = frozenset(
        {
            "certificateBody",
            "certificateChain",
            "earlyRenewalDuration",
            "privateKey",
            "privateKeyWo",
            "privateKeyWoVersion",
            "validationOptions",
        }
    )
    missing = frozenset({_ABSENT})

    def check(self, inputs: Inputs) -> list[tuple[str, str]]:
        if "domainName" not in inputs and "certificateBody" not in inputs:
            return [("domainName", "one of `domainName`, `certificateBody` must be given")]
        proof = {"validationMethod", "certificateAuthorityArn"}
        if "domainName" in inputs and proof.isdisjoint(inputs):
            return [("validationMethod", "`validationMethod` or `certificateAuthorityArn` must be given")]
        return []

    def create(self, call: Call, inputs: Inputs) -> str:
        acm = call.client("acm")
        tags = {"Tags": tag_list(inputs["tags"])} if inputs.get("tags") else {}
        if inputs.get("domainName"):
            answer = acm.request_certificate(
                IdempotencyToken=uuid.uuid4().hex,
                **given(
                    inputs,
                    CertificateAuthorityArn="certificateAuthorityArn",
                    DomainName="domainName",
                    KeyAlgorithm="keyAlgorithm",
                    SubjectAlternativeNames="subjectAlternativeNames",
                    ValidationMethod="validationMethod",
                ),
                **({"Options": self._options(inputs["options"])} if inputs.get("options") else {}),
                **self._validation(inputs),
                **tags,
            )
        else:
            answer = acm.import_certificate(**self._import(inputs), **tags)
        arn = str(answer["CertificateArn"])
        if inputs.get("validationMethod") == "DNS":
            call.wait_until(
                f"certificate {arn} gets its validation records",
                lambda: self._has_records(find_certificate(acm, arn)),
                300,
            )
        return arn

    def read(self, call: Call, resource_id: str, state: State) -> Mapping[str, Any] | None:
        acm = call.client("acm")
        found = find_certificate(acm, resource_id)
        if found is None:
            return None
        records = [
            option for option in found.get("DomainValidationOptions", []) if "ResourceRecord" in option
        ]
        emails = [
            e
            for option in found.get("DomainValidationOptions", [])
            for e in option.get("ValidationEmails", [])
        ]
        options = found.get("Options")
        renewal = found.get("RenewalSummary")
        return {
            "arn": resource_id,
            "certificateAuthorityArn": found.get("CertificateAuthorityArn", ""),
            "domainName": found.get("DomainName", ""),
            "domainValidationOptions": sorted(
                (
                    {
                        "domainName": option["DomainName"],
                        "resourceRecordName": option["ResourceRecord"]["Name"],
                        "resourceRecordType": option["ResourceRecord"]["Type"],
                        "resourceRecordValue": option["ResourceRecord"]["Value"],
                    }
                    for option in records
                ),
                # The certificate's own name first: programs that validate one name take the first.
                key=lambda option: (option["domainName"] != found.get("DomainName"), option["domainName"]),
            ),
            "keyAlgorithm": str(found.get("KeyAlgorithm", "")).replace("-", "_"),
            "notAfter": _text(found.get("NotAfter")),
            "notBefore": _text(found.get("NotBefore")),
            "options": {
                "certificateTransparencyLoggingPreference": (options or {}).get(
                    "CertificateTransparencyLoggingPreference", ""
                ),
                "export": (options or {}).get("Export", ""),
            },
            "pendingRenewal": False,
            "renewalEligibility": found.get("RenewalEligibility", ""),
            "renewalSummaries": [
                {
                    "renewalStatus": renewal["RenewalStatus"],
                    "renewalStatusReason": renewal.get("RenewalStatusReason", ""),
                    "updatedAt": _text(renewal.get("UpdatedAt")),
                }
            ]
            if renewal
            else [],
            "status": found["Status"],
            "subjectAlternativeNames": sorted(found.get("SubjectAlternativeNames", [])),
            "tagsAll": tag_map(acm.list_tags_for_certificate(CertificateArn=resource_id).get("Tags")),
            "type": found.get("Type", ""),
            "validationEmails": emails,
            "validationMethod": self._method(found, state),
        }

    def update(
        self, call: Call, resource_id: str, old: State, new: Inputs, changed: frozenset[str]
    ) -> str | None:
        acm = call.client("acm")
        if new.get("certificateBody") and touched(changed, *_IMPORTED):
            acm.import_certificate(CertificateArn=resource_id, **self._import(new))
        if new.get("options") and touched(changed, "options"):
            acm.update_certificate_options(CertificateArn=resource_id, Options=self._options(new["options"]))
        wanted, gone = tag_changes(old, new)
        if gone:
            acm.remove_tags_from_certificate(CertificateArn=resource_id, Tags=[{"Key": key} for key in gone])
        if wanted:
            acm.add_tags_to_certificate(CertificateArn=resource_id, Tags=tag_list(wanted))
        return None

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        acm = call.client("acm")
        # A listener that was deleted a moment ago still counts as a user.
        retried(
            call,
            f"certificate {resource_id} is free",
            lambda: unless_absent(lambda: acm.delete_certificate(CertificateArn=resource_id), _ABSENT),
            "ResourceInUseException",
            default_timeout_seconds=1200,
        )

    @staticmethod
    def _has_records(certificate: Mapping[str, Any] | None) -> bool:
        options = (certificate or {}).get("DomainValidationOptions", [])
        return bool(options) and all("ResourceRecord" in option for option in options)

    @staticmethod
    def _options(options: Mapping[str, Any]) -> dict[str, Any]:
        logging = options.get("certificateTransparencyLoggingPreference") or "ENABLED"
        return {"CertificateTransparencyLoggingPreference": logging, **given(options, Export="export")}

    @staticmethod
    def _validation(inputs: Inputs) -> dict[str, Any]:
        options = [
            {"DomainName": option["domainName"], "ValidationDomain": option["validationDomain"]}
            for option in inputs.get("validationOptions") or ()
        ]
        return {"DomainValidationOptions": options} if options else {}

    @staticmethod
    def _import(inputs: Inputs) -> dict[str, Any]:
        key = inputs.get("privateKey") or inputs.get("privateKeyWo") or ""
        parameters = {
            "Certificate": str(inputs["certificateBody"]).encode(),
            "PrivateKey": str(key).encode(),
        }
        if inputs.get("certificateChain"):
            parameters["CertificateChain"] = str(inputs["certificateChain"]).encode()
        return parameters

    @staticmethod
    def _method(found: Mapping[str, Any], state: State) -> str:
        if found.get("Type") == "IMPORTED":
            return "NONE"
        methods = [option.get("ValidationMethod") for option in found.get("DomainValidationOptions", [])]
        return next((str(method) for method in methods if method), state.get("validationMethod") or "NONE")


class CertificateValidation(Resource):
    """Nothing on AWS: it stands for the wait until a certificate is issued. It can't be imported."""

    token = "aws:acm/certificateValidation:CertificateValidation"
    sets = frozenset({"validationRecordFqdns"})
    kept = frozenset({"validationRecordFqdns"})
    missing = frozenset({_ABSENT})

    def create(self, call: Call, inputs: Inputs) -> str:
        arn = str(inputs["certificateArn"])
        self._refuse_other_names(call, inputs)
        call.wait_until(f"certificate {arn} is issued", lambda: self._is_issued(call, arn), 4500)
        return _text((find_certificate(call.client("acm"), arn) or {}).get("IssuedAt"))

    def read(self, call: Call, resource_id: str, state: State) -> Mapping[str, Any] | None:
        arn = state.get("certificateArn")
        certificate = find_certificate(call.client("acm"), str(arn)) if arn else None
        if certificate is None or certificate.get("Status") != "ISSUED":
            return None
        return {"certificateArn": arn}

    def update(
        self, call: Call, resource_id: str, old: State, new: Inputs, changed: frozenset[str]
    ) -> str | None:
        return None

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        """Nothing to do: the certificate is a resource of its own."""

    @staticmethod
    def _is_issued(call: Call, arn: str) -> bool:
        certificate = find_certificate(call.client("acm"), arn)
        if certificate is None:
            raise AwsError(f"there is no certificate {arn}")
        if certificate["Status"] in _FAILED:
            reason = certificate.get("FailureReason", "AWS gives no reason")
            raise AwsError(f"certificate {arn} is {certificate['Status']}: {reason}")
        return bool(certificate["Status"] == "ISSUED")

    @staticmethod
    def _refuse_other_names(call: Call, inputs: Inputs) -> None:
        """The records given must be those that the certificate asks for, else the wait would be for ever."""
        names = inputs.get("validationRecordFqdns")
        certificate = find_certificate(call.client("acm"), str(inputs["certificateArn"]))
        if not names or certificate is None:
            return
        options = certificate.get("DomainValidationOptions", [])
        wanted = {o["ResourceRecord"]["Name"].rstrip(".").lower() for o in options if "ResourceRecord" in o}
        absent = wanted - {str(name).rstrip(".").lower() for name in names}
        if absent:
            raise ValueError(f"`validationRecordFqdns` lacks {', '.join(sorted(absent))}")


def _text(moment: Any) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else ""


RESOURCES: tuple[Resource, ...] = (Certificate(), CertificateValidation())
