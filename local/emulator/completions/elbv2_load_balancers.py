"""Load balancers: in two zones at least, of one VPC, with access logs that can be written.

Owns their actions and attributes. Deliberately serves application load balancers alone.
Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateLoadBalancer.html,
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_LoadBalancerAttribute.html
"""

from __future__ import annotations

import ipaddress
from typing import Any

from ministack.core import responses
from ministack.core.responses import get_account_id, get_region

from local.emulator.completions.ec2_security_groups import security_groups
from local.emulator.completions.ec2_subnets import subnets
from local.emulator.completions.elbv2_records import (
    Attributes,
    Record,
    ask_elbv2,
    attribute_actions,
    attributes_of,
    check_name,
    invalid,
    listeners,
)
from local.emulator.completions.inside import ask
from local.emulator.completions.patching import AwsError, Request
from local.emulator.completions.protocols import Action, Result
from local.emulator.completions.resource_policies import admits

# The hosted zones that alias records to application load balancers name, per region
# (https://docs.aws.amazon.com/general/latest/gr/elb.html).
HOSTED_ZONES = {
    "ap-northeast-1": "Z14GRHDCWA56QT",
    "ap-northeast-2": "ZWKZPGTI48KDX",
    "ap-southeast-1": "Z1LMS91P8CMLE5",
    "eu-central-1": "Z215JYRZR1TBD5",
    "eu-west-1": "Z32O12XQLNTSW2",
    "us-east-1": "Z35SXDOTRQ7X7K",
    "us-east-2": "Z3AADJGX6KTTL2",
    "us-west-2": "Z1H1FL5HABSF5",
}


LOG_DELIVERY = "logdelivery.elasticloadbalancing.amazonaws.com"


LOAD_BALANCER_ATTRIBUTES = {
    "access_logs.s3.bucket": "",
    "access_logs.s3.enabled": "false",
    "access_logs.s3.prefix": "",
    "client_keep_alive.seconds": "3600",
    "connection_logs.s3.bucket": "",
    "connection_logs.s3.enabled": "false",
    "connection_logs.s3.prefix": "",
    "deletion_protection.enabled": "false",
    "health_check_logs.s3.bucket": "",
    "health_check_logs.s3.enabled": "false",
    "health_check_logs.s3.prefix": "",
    "idle_timeout.timeout_seconds": "60",
    "ipv6.deny_all_igw_traffic": "false",
    "load_balancing.cross_zone.enabled": "true",
    "routing.http.desync_mitigation_mode": "defensive",
    "routing.http.drop_invalid_header_fields.enabled": "false",
    "routing.http.preserve_host_header.enabled": "false",
    "routing.http.x_amzn_tls_version_and_cipher_suite.enabled": "false",
    "routing.http.xff_client_port.enabled": "false",
    "routing.http.xff_header_processing.mode": "append",
    "routing.http2.enabled": "true",
    "waf.fail_open.enabled": "false",
    "zonal_shift.config.enabled": "false",
}


_places: dict[str, tuple[str, str]] = {}
"""The account and region of a load balancer, by its DNS name."""


def of_any_account(original: Any, host: str) -> Any:
    """Finds the load balancer of a DNS name, whoever asks: a request to it carries no account."""
    place = _places.get(host.partition(":")[0].lower())
    if place is not None:
        responses.set_request_account_id(place[0])
        responses.set_request_region(place[1])
    return original(host)


def _balancers(request: Request | None = None) -> list[Record]:
    found: list[Record] = ask_elbv2("DescribeLoadBalancers", request)["LoadBalancers"]
    return found


def _subnets_of(balancer: Record) -> list[str]:
    return [zone["SubnetId"] for zone in balancer["AvailabilityZones"]]


def uses(resource: str) -> bool:
    """Whether a load balancer is in a subnet, or has a security group."""
    return any(resource in (*_subnets_of(each), *each["SecurityGroups"]) for each in _balancers())


def _zones(subnet_ids: list[str]) -> list[Record]:
    known = subnets()
    return [
        {
            "ZoneName": known[subnet]["AvailabilityZone"],
            "SubnetId": subnet,
            "LoadBalancerAddresses": [],
        }
        for subnet in subnet_ids
    ]


def _shown(balancer: Record) -> Record:
    subnet_ids = _subnets_of(balancer)
    return balancer | {
        "VpcId": subnets()[subnet_ids[0]]["VpcId"],
        "AvailabilityZones": _zones(subnet_ids),
        "CanonicalHostedZoneId": HOSTED_ZONES.get(get_region(), HOSTED_ZONES["us-east-1"]),
    }


def _check_subnets(wanted: list[str]) -> str:
    """Returns the VPC of the subnets, which must lie in two zones of it at least."""
    known = subnets()
    for subnet in wanted:
        if subnet not in known:
            raise AwsError("SubnetNotFound", f"The subnet ID '{subnet}' does not exist")
        # https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html
        if ipaddress.IPv4Network(known[subnet]["CidrBlock"]).prefixlen > 27:
            raise AwsError(
                "InvalidSubnet",
                f"Not enough IP space available in {subnet}. ELB requires a CIDR block of /27 or larger, "
                "with at least 8 free IP addresses in each subnet.",
            )
    vpcs = {known[subnet]["VpcId"] for subnet in wanted}
    zones = [known[subnet]["AvailabilityZone"] for subnet in wanted]
    if len(set(zones)) < 2:
        raise invalid("At least two subnets in two different Availability Zones must be specified")
    if len(set(zones)) < len(zones):
        raise AwsError(
            "InvalidConfigurationRequest",
            "A load balancer cannot be attached to multiple subnets in the same Availability Zone",
        )
    if len(vpcs) > 1:
        raise AwsError("InvalidConfigurationRequest", "The subnets must all be of the same VPC")
    return str(vpcs.pop())


def _check_groups(groups: list[str], vpc: str) -> None:
    known = security_groups()
    for group in groups:
        found = known.get(group)
        if found is None or found.get("VpcId") != vpc:
            raise AwsError(
                "InvalidSecurityGroup", f"The security group '{group}' does not exist in the VPC {vpc}"
            )


def _default_group(vpc: str) -> list[str]:
    return [
        group["GroupId"]
        for group in security_groups().values()
        if group.get("VpcId") == vpc and group["GroupName"] == "default"
    ]


def _create_load_balancer(request: Request) -> Result:
    check_name(request["Name"], "The load balancer")
    kind = request.get("Type", "application")
    if kind != "application":
        raise invalid(f"The emulated load balancing serves the type application only, not {kind!r}")
    vpc = _check_subnets(request.get("Subnets") or [])
    groups = request.get("SecurityGroups") or _default_group(vpc)
    _check_groups(groups, vpc)
    [balancer] = ask_elbv2("CreateLoadBalancer", request | {"SecurityGroups": groups})["LoadBalancers"]
    _places[balancer["DNSName"].lower()] = get_account_id(), get_region()
    return {"LoadBalancers": [_shown(balancer)]}


def _describe_load_balancers(request: Request) -> Result:
    return {"LoadBalancers": [_shown(balancer) for balancer in _balancers(request)]}


def _find(arn: str) -> Record:
    [balancer] = _describe_load_balancers({"LoadBalancerArns": [arn]})["LoadBalancers"]
    found: Record = balancer
    return found


def _delete_load_balancer(request: Request) -> Result:
    arn = request["LoadBalancerArn"]
    if arn not in (balancer["LoadBalancerArn"] for balancer in _balancers()):
        return {}
    if attributes_of("LoadBalancer", arn)["deletion_protection.enabled"] == "true":
        raise AwsError(
            "OperationNotPermitted",
            f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled",
        )
    for listener in listeners():
        if listener["LoadBalancerArn"] == arn:
            ask_elbv2("DeleteListener", {"ListenerArn": listener["ListenerArn"]})
    return ask_elbv2("DeleteLoadBalancer", request)


def _check_access_logs(arn: str, changed: Attributes, attributes: Attributes) -> None:
    """Refuses a bucket for access logs that the load balancer may not write to, as AWS does by trying.

    Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html
    """
    if not any(key.startswith("access_logs.s3.") for key in changed):
        return
    if attributes["access_logs.s3.enabled"] != "true":
        return
    bucket, prefix = attributes["access_logs.s3.bucket"], attributes["access_logs.s3.prefix"]
    try:
        policy = ask("s3", "GetBucketPolicy", {"Bucket": bucket})["Policy"]
    except AwsError as error:
        if error.code == "NoSuchBucket":
            raise AwsError("InvalidConfigurationRequest", f"S3 bucket {bucket} does not exist") from error
        policy = None
    folder = f"{prefix}/" if prefix else ""
    test_file = f"arn:aws:s3:::{bucket}/{folder}AWSLogs/{get_account_id()}/ELBAccessLogTestFile"
    if not admits(policy, LOG_DELIVERY, "s3:PutObject", test_file, {"aws:SourceArn": arn}):
        raise AwsError(
            "InvalidConfigurationRequest",
            f"Access Denied for bucket: {bucket}. Please check S3bucket permission",
        )


def _set_subnets(request: Request) -> Result:
    if _check_subnets(request["Subnets"]) != _find(request["LoadBalancerArn"])["VpcId"]:
        raise AwsError("InvalidConfigurationRequest", "The subnets must be of the load balancer's VPC")
    return ask_elbv2("SetSubnets", request) | {"AvailabilityZones": _zones(request["Subnets"])}


def _set_security_groups(request: Request) -> Result:
    _check_groups(request["SecurityGroups"], _find(request["LoadBalancerArn"])["VpcId"])
    return ask_elbv2("SetSecurityGroups", request)


ACTIONS: dict[str, Action] = {
    "CreateLoadBalancer": _create_load_balancer,
    "DescribeLoadBalancers": _describe_load_balancers,
    "DeleteLoadBalancer": _delete_load_balancer,
    "SetSubnets": _set_subnets,
    "SetSecurityGroups": _set_security_groups,
} | attribute_actions("LoadBalancer", LOAD_BALANCER_ATTRIBUTES, _check_access_logs)
