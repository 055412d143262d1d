"""What exists in an account beside FileFlow, and what its file may name: a VPC, certificates, keys, secrets.

Owns making them on the emulated AWS, once a deployment.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from components.names import LEASE_KEY
from components.pause import written

Clients = Callable[[str], Any]


def make(client_of: Clients) -> dict[str, str]:
    """Makes everything that a run may refer to, and returns it by name."""
    zone = client_of("route53").create_hosted_zone(Name="example.com", CallerReference="walk")
    zone_id = zone["HostedZone"]["Id"].rpartition("/")[2]
    key = client_of("kms").create_key(Description="of the walk")["KeyMetadata"]["Arn"]
    secret = client_of("secretsmanager").create_secret(
        Name="fileflow/database", SecretString=json.dumps({"password": "none"})
    )
    # Its two keys are what ECS logs in by:
    # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/private-auth.html
    registry = client_of("secretsmanager").create_secret(
        Name="fileflow/registry", SecretString=json.dumps({"username": "none", "password": "none"})
    )
    client_of("ssm").put_parameter(Name="/fileflow/redis", Type="SecureString", Value="none")
    return {
        **times(),
        "zone": zone_id,
        "certificate": _certificate(client_of, "files.example.com", zone_id),
        "other_certificate": _certificate(client_of, "other.example.com", zone_id),
        "pending_certificate": _certificate(client_of, "pending.example.com", None),
        "key": key,
        "topic": client_of("sns").create_topic(Name="others")["TopicArn"],
        "secret": secret["ARN"],
        "registry": registry["ARN"],
        "parameter": "ssm:/fileflow/redis",
        "web_acl": _web_acl(client_of("wafv2")),
        "bucket": _bucket(client_of("s3")),
        "lease_table": _lease_table(client_of("dynamodb")),
        **_network(client_of("ec2")),
    }


def times() -> dict[str, str]:
    """When a pause may begin and end, by name."""
    now = datetime.now(UTC)
    return {
        "now": written(now),
        "in_two_weeks": written(now + timedelta(days=14)),
        "an_hour_ago": written(now - timedelta(hours=1)),
        "two_weeks_ago": written(now - timedelta(days=14)),
    }


def _certificate(client_of: Clients, name: str, zone_id: str | None) -> str:
    """A certificate, which is issued when its record is in the zone."""
    acm = client_of("acm")
    arn: str = acm.request_certificate(DomainName=name, ValidationMethod="DNS")["CertificateArn"]
    if zone_id is not None:
        [option] = acm.describe_certificate(CertificateArn=arn)["Certificate"]["DomainValidationOptions"]
        record = option["ResourceRecord"]
        change = {
            "Action": "UPSERT",
            "ResourceRecordSet": {
                "Name": record["Name"],
                "Type": record["Type"],
                "TTL": 60,
                "ResourceRecords": [{"Value": record["Value"]}],
            },
        }
        client_of("route53").change_resource_record_sets(
            HostedZoneId=zone_id, ChangeBatch={"Changes": [change]}
        )
    return arn


def _web_acl(wafv2: Any) -> str:
    """A web ACL that lets everything in."""
    made = wafv2.create_web_acl(
        Name="walk",
        Scope="REGIONAL",
        DefaultAction={"Allow": {}},
        VisibilityConfig={
            "SampledRequestsEnabled": False,
            "CloudWatchMetricsEnabled": False,
            "MetricName": "walk",
        },
    )
    return str(made["Summary"]["ARN"])


def _bucket(s3: Any) -> str:
    name = "access-logs-of-others"
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "ap-northeast-2"})
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{name}/*",
    }
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    return name


def _lease_table(dynamodb: Any) -> str:
    """A table that the stacks of one database share."""
    name = "leases-of-several-stacks"
    dynamodb.create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": LEASE_KEY, "AttributeType": "S"}],
        KeySchema=[{"AttributeName": LEASE_KEY, "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return name


def _network(ec2: Any) -> dict[str, str]:
    """A VPC with three private and three public subnets, the private ones behind a NAT gateway."""
    vpc = ec2.create_vpc(CidrBlock="10.60.0.0/16")["Vpc"]["VpcId"]
    ec2.create_tags(Resources=[vpc], Tags=[{"Key": "Name", "Value": "shared"}])
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    made = {"vpc": vpc}
    tables = {
        tier: ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
        for tier in ("private", "public")
    }
    for number, (tier, zone) in enumerate((tier, zone) for tier in tables for zone in "abc"):
        subnet = ec2.create_subnet(
            VpcId=vpc, CidrBlock=f"10.60.{number}.0/24", AvailabilityZone=f"ap-northeast-2{zone}"
        )["Subnet"]["SubnetId"]
        ec2.associate_route_table(RouteTableId=tables[tier], SubnetId=subnet)
        ec2.create_tags(Resources=[subnet], Tags=[{"Key": "Tier", "Value": tier}])
        made[f"{tier}_{zone}"] = subnet
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    ec2.create_route(RouteTableId=tables["public"], DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    nat = ec2.create_nat_gateway(SubnetId=made["public_a"], AllocationId=address)["NatGateway"][
        "NatGatewayId"
    ]
    ec2.create_route(RouteTableId=tables["private"], DestinationCidrBlock="0.0.0.0/0", NatGatewayId=nat)
    return made
