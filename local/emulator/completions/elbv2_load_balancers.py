"""Load balancers: in two zones at least, of one VPC, with access logs that can be written.

Owns their actions and attributes. Deliberately serves application load balancers alone.
Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateLoadBalancer.html,
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_LoadBalancerAttribute.html
"""

from __future__ import annotations

import ipaddress
import random
import time
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import alb

from local.emulator.completions.ec2_security_groups import security_groups
from local.emulator.completions.ec2_subnets import subnets
from local.emulator.completions.elbv2_listeners import remove_listener
from local.emulator.completions.elbv2_records import (
    Attributes,
    arn_of,
    attribute_actions,
    attributes_of,
    balancers,
    check_name,
    find_balancer,
    listed,
    new_id,
    relink,
    tags_by_arn,
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


def uses(resource: str) -> bool:
    return any(
        resource in (*balancer["Subnets"], *balancer["SecurityGroups"]) for balancer in balancers.values()
    )


def _zones(subnet_ids: list[str]) -> list[dict[str, Any]]:
    known = subnets()
    return [
        {
            "ZoneName": known.get(subnet, {}).get("AvailabilityZone", f"{get_region()}a"),
            "SubnetId": subnet,
            "LoadBalancerAddresses": [],
        }
        for subnet in subnet_ids
    ]


def _shown_balancer(balancer: dict[str, Any]) -> dict[str, Any]:
    shown = {name: value for name, value in balancer.items() if name != "Subnets"}
    return shown | {
        "State": {"Code": balancer["State"]},
        "AvailabilityZones": _zones(balancer["Subnets"]),
        "CanonicalHostedZoneId": HOSTED_ZONES.get(get_region(), HOSTED_ZONES["us-east-1"]),
    }


def _subnets_of(request: Request) -> list[str]:
    mapped = [mapping["SubnetId"] for mapping in request.get("SubnetMappings") or []]
    return list(request.get("Subnets") or mapped)


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
        raise AwsError(
            "ValidationError", "At least two subnets in two different Availability Zones must be specified"
        )
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
    name = request["Name"]
    check_name(name, "The load balancer")
    if any(balancer["LoadBalancerName"] == name for balancer in balancers.values()):
        raise AwsError("DuplicateLoadBalancerName", f"A load balancer with the same name '{name}' exists")
    kind = request.get("Type", "application")
    if kind != "application":
        raise AwsError(
            "ValidationError", f"The emulated load balancing serves the type application only, not {kind!r}"
        )
    subnet_ids = _subnets_of(request)
    vpc = _check_subnets(subnet_ids)
    groups = request.get("SecurityGroups") or _default_group(vpc)
    _check_groups(groups, vpc)
    scheme = request.get("Scheme", "internet-facing")
    prefix = "internal-" if scheme == "internal" else ""
    # A name resolves as DNS does: digits after the name, as AWS appends them.
    digits = random.randint(100_000_000, 2_147_483_647)
    arn = arn_of(f"loadbalancer/app/{name}/{new_id()}")
    balancer = {
        "LoadBalancerArn": arn,
        "LoadBalancerName": name,
        "DNSName": f"{prefix}{name}-{digits}.{get_region()}.elb.amazonaws.com",
        "Scheme": scheme,
        "VpcId": vpc,
        "State": "active",
        "Type": kind,
        "Subnets": subnet_ids,
        "SecurityGroups": groups,
        "IpAddressType": request.get("IpAddressType", "ipv4"),
        "CreatedTime": time.time(),
    }
    balancers[arn] = balancer
    tags_by_arn[arn] = request.get("Tags") or []
    closed = {"ipv6.deny_all_igw_traffic": "true"} if scheme == "internal" else {}
    alb._lb_attrs[arn] = listed(LOAD_BALANCER_ATTRIBUTES | closed)
    return {"LoadBalancers": [_shown_balancer(balancer)]}


def _describe_load_balancers(request: Request) -> Result:
    arns, names = request.get("LoadBalancerArns"), request.get("Names")
    for name in names or []:
        if len(name) > 32:
            raise AwsError(
                "ValidationError", f"The load balancer name '{name}' cannot be longer than '32' characters"
            )
    found = [
        balancer
        for balancer in balancers.values()
        if (not arns or balancer["LoadBalancerArn"] in arns)
        and (not names or balancer["LoadBalancerName"] in names)
    ]
    if len(found) < len(arns or names or []):
        raise AwsError("LoadBalancerNotFound", "One or more load balancers not found")
    return {"LoadBalancers": [_shown_balancer(balancer) for balancer in found]}


def _delete_load_balancer(request: Request) -> Result:
    arn = request["LoadBalancerArn"]
    if arn not in balancers:
        return {}
    if attributes_of(alb._lb_attrs, arn).get("deletion_protection.enabled") == "true":
        raise AwsError(
            "OperationNotPermitted",
            f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled",
        )
    for listener_arn in [key for key, value in alb._listeners.items() if value["LoadBalancerArn"] == arn]:
        remove_listener(listener_arn)
    for store in (balancers, alb._lb_attrs, tags_by_arn):
        store.pop(arn, None)
    relink()
    return {}


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
    context = {"aws:SourceArn": arn, "aws:SecureTransport": "true"}
    if not admits(policy, LOG_DELIVERY, "s3:PutObject", test_file, context):
        raise AwsError(
            "InvalidConfigurationRequest",
            f"Access Denied for bucket: {bucket}. Please check S3bucket permission",
        )


def _set_subnets(request: Request) -> Result:
    balancer = find_balancer(request["LoadBalancerArn"])
    subnet_ids = _subnets_of(request)
    if _check_subnets(subnet_ids) != balancer["VpcId"]:
        raise AwsError("InvalidConfigurationRequest", "The subnets must be of the load balancer's VPC")
    balancer["Subnets"] = subnet_ids
    balancer["IpAddressType"] = request.get("IpAddressType") or balancer["IpAddressType"]
    return {"AvailabilityZones": _zones(subnet_ids), "IpAddressType": balancer["IpAddressType"]}


def _set_security_groups(request: Request) -> Result:
    balancer = find_balancer(request["LoadBalancerArn"])
    _check_groups(request["SecurityGroups"], balancer["VpcId"])
    balancer["SecurityGroups"] = request["SecurityGroups"]
    return {"SecurityGroupIds": request["SecurityGroups"]}


def _set_ip_address_type(request: Request) -> Result:
    balancer = find_balancer(request["LoadBalancerArn"])
    balancer["IpAddressType"] = request["IpAddressType"]
    return {"IpAddressType": request["IpAddressType"]}


def _describe_capacity_reservation(request: Request) -> Result:
    balancer = find_balancer(request["LoadBalancerArn"])
    minimum = balancer.get("MinimumLoadBalancerCapacity")
    return {"MinimumLoadBalancerCapacity": minimum, "CapacityReservationState": []}


ACTIONS: dict[str, Action] = {
    "CreateLoadBalancer": _create_load_balancer,
    "DescribeLoadBalancers": _describe_load_balancers,
    "DeleteLoadBalancer": _delete_load_balancer,
    "SetSubnets": _set_subnets,
    "SetSecurityGroups": _set_security_groups,
    "SetIpAddressType": _set_ip_address_type,
    "DescribeCapacityReservation": _describe_capacity_reservation,
} | attribute_actions("Load balancer", alb._lb_attrs, find_balancer, _check_access_logs)
