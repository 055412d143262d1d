"""ACM: certificates that are validated by DNS, and waiting for their validation.

Doesn't own other ways of validation, further names, private authorities and the import of certificates: they
are refused. One that was imported on AWS can be read.
Sources of what replaces: `ForceNew` in certificate.go and certificate_validation.go of
https://github.com/hashicorp/terraform-provider-aws/tree/main/internal/service/acm
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Final

from ..modelled import Ask, Modelled, Tags
from ..resource import Answer, Call, Inputs, Outputs, State, names, pairs

_OPTIONS: Final = {"certificateTransparencyLoggingPreference": "", "export": ""}


class Certificate(Modelled):
    token = "aws:acm/certificate:Certificate"
    key = "arn"
    made_by = Ask("RequestCertificate")
    read_by = (Ask("DescribeCertificate", "Certificate"),)
    deleted_by = Ask("DeleteCertificate")
    tags = Tags("ListTagsForCertificate", "AddTagsToCertificate", "RemoveTagsFromCertificate")
    noun = "Certificate"
    named = pairs("""validationMethod=ValidationMethod|DomainValidationOptions.ValidationMethod
        domainValidationOptions.resourceRecordName=ResourceRecord.Name
        domainValidationOptions.resourceRecordType=ResourceRecord.Type
        domainValidationOptions.resourceRecordValue=ResourceRecord.Value renewalSummaries=RenewalSummary""")
    required = names("domainName")
    replacing = names("domainName validationMethod")
    lacking = names("""certificateAuthorityArn certificateBody certificateChain earlyRenewalDuration
        keyAlgorithm options privateKey* subjectAlternativeNames validationOptions""")
    by_hand = names("pendingRenewal validationEmails")
    # A listener that was deleted a moment ago still counts as a user.
    passing = names("ResourceInUseException")

    def check(self, inputs: Inputs) -> Iterable[tuple[str, str]]:
        if inputs.get("validationMethod") != "DNS":
            yield "validationMethod", "the aws stand-in validates by DNS only; use the real aws plugin (7.x)"

    def shaped(self, inputs: Inputs) -> Inputs:
        # ACM takes two requests without one, or with the same, for one certificate.
        return {**inputs, "idempotencyToken": uuid.uuid4().hex}

    def told(self, outputs: Outputs, found: Answer, state: State) -> Outputs:
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


class CertificateValidation(Modelled):
    """Nothing on AWS: it stands for the wait until a certificate is issued. It can't be imported."""

    token = "aws:acm/certificateValidation:CertificateValidation"
    key = "certificateArn"
    identity = "id"
    made_by = Ask("DescribeCertificate", "Certificate")
    read_by = (made_by,)
    deleted_by = None
    ready = ("Status", "ISSUED")
    default_timeout_seconds = 4500
    named = pairs("id=IssuedAt")
    replacing = names("certificateArn validationRecordFqdns")
    sets = names("validationRecordFqdns")
    kept = names("validationRecordFqdns")

    def create(self, call: Call, inputs: Inputs) -> str:
        """Refuses other records than those that the certificate asks for: the wait would be for ever."""
        asked = self._first_answer(call, "", inputs).get("DomainValidationOptions", [])
        wanted = {_domain(each["ResourceRecord"]["Name"]) for each in asked if "ResourceRecord" in each}
        if absent := wanted.difference(map(_domain, inputs.get("validationRecordFqdns") or wanted)):
            raise ValueError(f"`validationRecordFqdns` lacks {', '.join(sorted(absent))}")
        return super().create(call, inputs)

    def told(self, outputs: Outputs, found: Answer, state: State) -> Outputs | None:
        return outputs if state and found["Status"] == "ISSUED" else None


def _domain(name: str) -> str:
    return name.rstrip(".").lower()
