"""The certificate and the DNS name of a load balancer.

Owns requesting a certificate in ACM, proving by DNS that the name is ours, and the record that points
at the load balancer, and that a given certificate can be used. Doesn't own the hosted zone: it is found by
its id.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from components.aws_environment import AwsEnvironment
from components.aws_session import SessionSettings
from components.refusal import refused, told
from components.rollout import SERVICE, mocked
from components.web_options import Https

_KEY = "load_balancer.certificate_arn"


def certificate_arn(
    name: str,
    https: Https,
    tags: Mapping[str, str],
    parent: pulumi.Resource,
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
        f"{name}-given-certificate",
        id=_existing(arn, parent),
        opts=pulumi.ResourceOptions(parent=parent),
    )
    return pulumi.Output.all(found.arn, found.status).apply(told(lambda known: issued(known[0], known[1])))


def _existing(arn: pulumi.Input[str], parent: pulumi.Resource) -> pulumi.Input[str]:
    """`arn`, once its certificate was found where the load balancer is.

    The provider reads it too, but of one that it doesn't find it says the ARN alone, not where that stands.
    """
    if mocked():
        return arn
    provider = parent.get_provider(SERVICE)
    here = AwsEnvironment.of(parent)

    async def check(known: list[str]) -> str:
        known_arn, region, account = known
        refuse_elsewhere(known_arn, region)
        await refuse_missing(await SessionSettings.of(provider), known_arn, account)
        return known_arn

    checked: pulumi.Output[str] = pulumi.Output.all(arn, here.region, here.account_id).apply(told(check))
    return checked


def refuse_elsewhere(arn: str, region: str) -> None:
    """Raises `pulumi.RunError` for a certificate of another region than the load balancer's.

    Source: https://docs.aws.amazon.com/acm/latest/userguide/acm-regions.html
    """
    its = arn.split(":")[3]
    if its != region:
        raise refused(
            _KEY,
            arn,
            f"it lies in {its}, and the load balancer in {region}",
            f"Request or import the certificate in {region}, and name that one.",
        )


async def refuse_missing(settings: SessionSettings, arn: str, account: str) -> None:
    """Raises `pulumi.RunError` for a certificate that ACM doesn't have in `account`, the provider's own.

    Another account's isn't found either. Where ACM can't be asked as that account, nothing is refused.
    Source: https://docs.aws.amazon.com/acm/latest/APIReference/API_DescribeCertificate.html
    """
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        exists = await asyncio.to_thread(_exists, settings, arn, account)
    except (BotoCoreError, ClientError) as error:
        pulumi.log.debug(f"{arn}: ACM can't be asked, only the provider: {error}")
        return
    if not exists:
        raise refused(
            _KEY,
            arn,
            f"ACM has no such certificate in the account {account}",
            "Name one that is ISSUED: aws acm list-certificates --certificate-statuses ISSUED",
        )


def _exists(settings: SessionSettings, arn: str, account: str) -> bool:
    session = settings.open(arn.split(":")[3])
    if session.client("sts").get_caller_identity()["Account"] != account:
        return True
    acm = session.client("acm")
    try:
        acm.describe_certificate(CertificateArn=arn)
    except acm.exceptions.ResourceNotFoundException:
        return False
    return True


def issued(arn: str, status: str) -> str:
    """`arn`, where its certificate is one that a listener can use; else a `pulumi.RunError`."""
    if status != "ISSUED":
        raise refused(
            _KEY,
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
