"""ACM: certificates that are validated by DNS, and waiting for their validation.

Doesn't own other ways of validation, further names, private authorities and the import of certificates: they
are refused. One that was imported on AWS can be read.
Sources of what replaces: `ForceNew` in certificate.go and certificate_validation.go of
https://github.com/hashicorp/terraform-provider-aws/tree/main/internal/service/acm
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any, Final

from ..modelled import Ask, Modelled, Tags
from ..places import Places
from ..resource import Call, Inputs, Resource, State

_OPTIONS: Final = {"certificateTransparencyLoggingPreference": "", "export": ""}


class Certificate(Modelled):
    token = "aws:acm/certificate:Certificate"
    service = "acm"
    key = "arn"
    made_by = Ask("RequestCertificate")
    read_by = (Ask("DescribeCertificate", "Certificate"),)
    deleted_by = Ask("DeleteCertificate")
    tags = Tags("ListTagsForCertificate", "AddTagsToCertificate", "RemoveTagsFromCertificate")
    places = Places(
        noun="Certificate",
        named={
            **{
                f"domainValidationOptions.resourceRecord{part}": f"ResourceRecord.{part}"
                for part in ("Name", "Type", "Value")
            },
            "renewalSummaries": "RenewalSummary",
            "validationMethod": "ValidationMethod|DomainValidationOptions.ValidationMethod",
        },
    )
    required = frozenset({"domainName"})
    replacing = frozenset({"domainName", "validationMethod"})
    lacking = frozenset(
        {
            *("certificateAuthorityArn", "certificateBody", "certificateChain", "earlyRenewalDuration"),
            *("keyAlgorithm", "options", "privateKey", "privateKeyWo", "privateKeyWoVersion"),
            *("subjectAlternativeNames", "validationOptions"),
        }
    )
    by_hand = frozenset({"pendingRenewal", "validationEmails"})
    missing = frozenset({"ResourceNotFoundException"})
    # A listener that was deleted a moment ago still counts as a user.
    passing = frozenset({"ResourceInUseException"})

    def check(self, inputs: Inputs) -> Iterable[tuple[str, str]]:
        if inputs.get("validationMethod") != "DNS":
            yield "validationMethod", "the aws stand-in validates by DNS only; use the real aws plugin (7.x)"

    def shaped(self, inputs: Inputs) -> Mapping[str, Any]:
        # ACM takes two requests without one, or with the same, for one certificate.
        return {**inputs, "idempotencyToken": uuid.uuid4().hex}

    def told(self, outputs: Mapping[str, Any], found: Mapping[str, Any], state: State) -> Mapping[str, Any]:
        records = [each for each in outputs["domainValidationOptions"] if each["resourceRecordName"]]
        own = outputs["domainName"]
        return {
            **outputs,
            # The certificate's own name first: programs that validate one name take the first.
            "domainValidationOptions": sorted(
                records, key=lambda each: (each["domainName"] != own, each["domainName"])
            ),
            "keyAlgorithm": outputs["keyAlgorithm"].replace("-", "_"),
            "options": {**_OPTIONS, **(outputs["options"] or {})},
            "pendingRenewal": False,
            "subjectAlternativeNames": sorted(outputs["subjectAlternativeNames"]),
            "validationEmails": [],
            "validationMethod": outputs["validationMethod"] or "NONE",
        }


class CertificateValidation(Resource):
    """Nothing on AWS: it stands for the wait until a certificate is issued. It can't be imported."""

    token = "aws:acm/certificateValidation:CertificateValidation"
    replacing = frozenset({"certificateArn", "validationRecordFqdns"})
    sets = frozenset({"validationRecordFqdns"})
    kept = frozenset({"validationRecordFqdns"})
    missing = Certificate.missing

    def create(self, call: Call, inputs: Inputs) -> str:
        arn = str(inputs["certificateArn"])
        _refuse_other_names(_certificate(call, arn), inputs.get("validationRecordFqdns"))
        call.wait_until(
            f"certificate {arn} is issued", lambda: _certificate(call, arn)["Status"] == "ISSUED", 4500
        )
        return f"{_certificate(call, arn)['IssuedAt']:%Y-%m-%dT%H:%M:%SZ}"

    def read(self, call: Call, resource_id: str, state: State) -> Mapping[str, Any] | None:
        arn = state.get("certificateArn")
        issued = arn and _certificate(call, arn)["Status"] == "ISSUED"
        return {"certificateArn": arn} if issued else None

    def update(
        self, call: Call, resource_id: str, old: State, new: Inputs, changed: frozenset[str]
    ) -> str | None:
        return None

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        """Nothing to do: the certificate is a resource of its own."""


def _certificate(call: Call, arn: str) -> dict[str, Any]:
    return dict(call.client("acm").describe_certificate(CertificateArn=arn)["Certificate"])


def _refuse_other_names(certificate: Mapping[str, Any], names: Iterable[str] | None) -> None:
    """The records given must be those that the certificate asks for, else the wait would be for ever."""
    options = certificate.get("DomainValidationOptions", [])
    wanted = {
        each["ResourceRecord"]["Name"].rstrip(".").lower() for each in options if "ResourceRecord" in each
    }
    absent = wanted.difference(str(name).rstrip(".").lower() for name in names or wanted)
    if absent:
        raise ValueError(f"`validationRecordFqdns` lacks {', '.join(sorted(absent))}")


RESOURCES: tuple[Resource, ...] = (Certificate(), CertificateValidation())
