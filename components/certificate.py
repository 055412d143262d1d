"""The certificate and the DNS name of a load balancer.

Owns requesting a certificate in ACM, proving by DNS that the name is ours, and the record that points
at the load balancer, and that a given certificate can be used. Doesn't own the hosted zone: it is found by
its id.
"""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from components.refusal import refused
from components.web_options import Https


def certificate_arn(
    name: str, https: Https, tags: Mapping[str, str], parent: pulumi.Resource
) -> pulumi.Input[str]:
    """The given certificate's ARN, or that of one requested here and validated in the hosted zone.

    A given certificate of ACM is read at preview, so that one that is gone, or that a listener can't use,
    stops the run before anything changes. One of IAM is left to AWS.
    Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/https-listener-certificates.html,
    https://docs.aws.amazon.com/acm/latest/userguide/dns-validation.html
    """
    if https.certificate_arn is not None:
        return _usable(name, https.certificate_arn, parent)
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


def _usable(name: str, arn: pulumi.Input[str], parent: pulumi.Resource) -> pulumi.Input[str]:
    if isinstance(arn, str) and ":acm:" not in arn:
        return arn
    found = aws.acm.Certificate.get(
        f"{name}-given-certificate", id=arn, opts=pulumi.ResourceOptions(parent=parent)
    )
    return pulumi.Output.all(found.arn, found.status).apply(lambda known: issued(known[0], known[1]))


def issued(arn: str, status: str) -> str:
    """`arn`, where its certificate is one that a listener can use; else a `pulumi.RunError`."""
    if status != "ISSUED":
        raise refused(
            "load_balancer.certificate_arn",
            arn,
            f"its certificate is {status}, and a listener takes one that is ISSUED",
            "Finish its validation in ACM, or name another certificate.",
        )
    return arn


def host_record(name: str, https: Https, balancer: aws.lb.LoadBalancer, parent: pulumi.Resource) -> None:
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
