"""The certificate and the DNS name of a load balancer.

Owns requesting a certificate in ACM, proving by DNS that the name is ours, and the record that points
at the load balancer. Doesn't own the hosted zone: it is found by its id.
"""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from components.web_options import Https


def certificate_arn(
    name: str, https: Https, tags: Mapping[str, str], parent: pulumi.Resource
) -> pulumi.Input[str]:
    """The given certificate's ARN, or that of one requested here and validated in the hosted zone.

    Source: https://docs.aws.amazon.com/acm/latest/userguide/dns-validation.html
    """
    if https.certificate_arn is not None:
        return https.certificate_arn
    if https.host_name is None or https.hosted_zone_id is None:
        raise AssertionError("Https lets neither through without a certificate")
    certificate = aws.acm.Certificate(
        f"{name}-certificate",
        domain_name=https.host_name,
        validation_method="DNS",
        tags=tags,
        opts=pulumi.ResourceOptions(parent=parent),
    )
    proof = certificate.domain_validation_options[0]
    record = aws.route53.Record(
        f"{name}-certificate",
        zone_id=https.hosted_zone_id,
        name=proof.resource_record_name,
        type=proof.resource_record_type,
        records=[proof.resource_record_value],
        ttl=300,
        allow_overwrite=True,
        opts=pulumi.ResourceOptions(parent=certificate),
    )
    return aws.acm.CertificateValidation(
        f"{name}-certificate",
        certificate_arn=certificate.arn,
        validation_record_fqdns=[record.fqdn],
        opts=pulumi.ResourceOptions(parent=certificate),
    ).certificate_arn


def host_record(
    name: str, https: Https, balancer: pulumi.Output[aws.lb.LoadBalancer], parent: pulumi.Resource
) -> None:
    """Points the host name at the load balancer, where a hosted zone is given."""
    if https.host_name is None or https.hosted_zone_id is None:
        return
    aws.route53.Record(
        f"{name}-host",
        zone_id=https.hosted_zone_id,
        name=https.host_name,
        type="A",
        aliases=[{"name": balancer.dns_name, "zone_id": balancer.zone_id, "evaluate_target_health": True}],
        opts=pulumi.ResourceOptions(parent=parent),
    )
