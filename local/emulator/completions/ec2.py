"""EC2: the network that the program builds, with the filters, ids, dependencies and refusals of AWS.

Owns availability zones, VPC and subnet filters, security group rules (one id each), addresses, NAT
gateways, network interfaces and VPC endpoints, as far as ministack lacks them. Deliberately routes no
packet.
"""

from __future__ import annotations

import fnmatch
import ipaddress
import json
import secrets
from collections.abc import Callable, Iterable
from typing import Any
from xml.sax.saxutils import escape

from ministack.core.concurrency import resource_lock
from ministack.core.responses import get_account_id, get_region
from ministack.services import alb, ec2

from local.emulator.completions.patching import AwsError, Response, replace, wrap

Parameters = dict[str, Any]
Record = dict[str, Any]

# Regions whose number of zones isn't ministack's three.
ZONE_LETTERS = {"ap-northeast-2": "abcd", "us-east-1": "abcdef", "us-west-2": "abcd", "ap-northeast-1": "acd"}
_RULE_TARGETS = {
    "IpRanges": "CidrIp",
    "Ipv6Ranges": "CidrIpv6",
    "PrefixListIds": "PrefixListId",
    "UserIdGroupPairs": "GroupId",
}
# By number or by name, a rule is the same one. Ports count for these alone: "-1 or a protocol number other
# than tcp, udp, icmp, or icmpv6 allows traffic on all ports, regardless of any port range you specify"
# (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html).
_PROTOCOLS_WITH_PORTS = {"1": "icmp", "6": "tcp", "17": "udp", "58": "icmpv6"}
_DIRECTIONS = {"Ingress": "IpPermissions", "Egress": "IpPermissionsEgress"}
_FULL_ACCESS = {"Statement": [{"Action": "*", "Effect": "Allow", "Principal": "*", "Resource": "*"}]}


def install() -> None:
    """Completes the network's actions."""
    replace(ec2, "_zone_name_for_az_id", _zone_name_for_az_id)
    replace(ec2, "_sg_rule_id", _rule_id)
    replace(ec2, "_strip_descriptions", _without_description)
    wrap(ec2, "_parse_ip_permissions", _parse_ip_permissions)
    wrap(ec2, "_authorize_sg_ingress", _authorize("Ingress"))
    wrap(ec2, "_authorize_sg_egress", _authorize("Egress"))
    wrap(ec2, "_revoke_sg_ingress", _revoke("Ingress"))
    wrap(ec2, "_revoke_sg_egress", _revoke("Egress"))
    wrap(ec2, "_modify_security_group_rules", _modify_security_group_rules)
    wrap(ec2, "_sg_xml", _grouped_security_group)
    wrap(ec2, "_create_subnet", _create_subnet)
    wrap(ec2, "_create_security_group", _create_security_group)
    wrap(ec2, "_create_route", _create_route)
    wrap(ec2, "_delete_security_group", _refuse_in_use(_group_in_use))
    wrap(ec2, "_delete_subnet", _refuse_in_use(_subnet_in_use))
    wrap(ec2, "_delete_route_table", _refuse_in_use(_route_table_in_use))
    wrap(ec2, "_delete_internet_gateway", _refuse_in_use(_internet_gateway_in_use))
    actions: dict[str, Callable[[Parameters], Response]] = {
        "DescribeAvailabilityZones": _describe_availability_zones,
        "DescribeVpcs": described(
            "VpcId", "vpcSet", lambda: ec2._vpcs, _vpc_filters, ec2._vpc_xml, "InvalidVpcID"
        ),
        "DescribeSubnets": described(
            "SubnetId", "subnetSet", lambda: ec2._subnets, _subnet_filters, ec2._subnet_xml, "InvalidSubnetID"
        ),
        "DescribeNetworkInterfaces": described(
            "NetworkInterfaceId",
            "networkInterfaceSet",
            lambda: ec2._network_interfaces,
            _interface_filters,
            _interface_xml,
            "InvalidNetworkInterfaceID",
        ),
        "DescribeAddresses": described(
            "AllocationId",
            "addressesSet",
            lambda: ec2._addresses,
            _address_filters,
            _address_xml,
            "InvalidAllocationID",
        ),
        "DescribeNatGateways": described(
            "NatGatewayId", "natGatewaySet", lambda: ec2._nat_gateways, _nat_filters, _nat_xml, "NatGateway"
        ),
        "DescribeVpcEndpoints": described(
            "VpcEndpointId",
            "vpcEndpointSet",
            lambda: ec2._vpc_endpoints,
            _endpoint_filters,
            _endpoint_xml,
            "InvalidVpcEndpointId",
        ),
        "CreateNatGateway": _create_nat_gateway,
        "DeleteNatGateway": _delete_nat_gateway,
        "ReleaseAddress": _release_address,
        "CreateVpcEndpoint": _create_vpc_endpoint,
        "ModifyVpcEndpoint": _modify_vpc_endpoint,
        "DeleteVpcEndpoints": _delete_vpc_endpoints,
        "UpdateSecurityGroupRuleDescriptionsIngress": _update_descriptions("IpPermissions"),
        "UpdateSecurityGroupRuleDescriptionsEgress": _update_descriptions("IpPermissionsEgress"),
        "DescribeAccountAttributes": _describe_account_attributes,
    }
    for action, handler in actions.items():
        ec2._ACTION_MAP[action] = answering_errors(handler)


def answering_errors(handler: Callable[[Parameters], Response]) -> Callable[[Parameters], Response]:
    def action(parameters: Parameters) -> Response:
        try:
            return handler(parameters)
        except AwsError as error:
            return _refused(error)

    return action


def _refused(error: AwsError) -> Response:
    response: Response = ec2._error(error.code, escape(error.message), error.status)
    return response


def rendered(action: str, inner: str) -> Response:
    response: Response = ec2._xml(200, f"{action}Response", inner)
    return response


def xml(value: Any) -> str:
    """Renders plain values the way the EC2 protocol does: members as elements, lists of `item`."""
    if isinstance(value, dict):
        return "".join(f"<{name}>{xml(item)}</{name}>" for name, item in value.items() if item is not None)
    if isinstance(value, list):
        return "".join(f"<item>{xml(item)}</item>" for item in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return escape(str(value))


def tag_set(resource: str) -> list[dict[str, str]]:
    return [{"key": tag["Key"], "value": tag["Value"]} for tag in ec2._tags.get(resource, [])]


def new_id(prefix: str) -> str:
    return f"{prefix}-{secrets.token_hex(9)[:17]}"


# Filters


Filters = dict[str, list[str]]


def _matches(values: dict[str, Iterable[Any]], filters: Filters, resource: str) -> bool:
    """Whether a record with these values, by filter name, passes; an unknown filter is refused as AWS
    does."""
    tags = {tag["Key"]: tag["Value"] for tag in ec2._tags.get(resource, [])}
    for name, wanted in filters.items():
        if name.startswith("tag:"):
            found: Iterable[Any] = [tags[name[4:]]] if name[4:] in tags else []
        elif name == "tag-key":
            found = tags
        elif name == "tag-value":
            found = tags.values()
        elif name in values:
            found = values[name]
        else:
            raise AwsError("InvalidParameterValue", f"The filter '{name}' is invalid")
        texts = [("true" if item else "false") if isinstance(item, bool) else str(item) for item in found]
        if not any(fnmatch.fnmatchcase(text, pattern) for text in texts for pattern in wanted):
            return False
    return True


def described(
    id_name: str,
    element: str,
    store: Callable[[], Any],
    filter_values: Callable[[Record], dict[str, Iterable[Any]]],
    render: Callable[[Record], str],
    not_found: str,
) -> Callable[[Parameters], Response]:
    """Makes a Describe action: by ids, which must exist, and by filters."""

    def describe(parameters: Parameters) -> Response:
        ids = ec2._parse_member_list(parameters, id_name)
        filters = ec2._parse_filters(parameters)
        records = store()
        for resource in ids:
            if resource not in records:
                code = f"{not_found}NotFound" if not_found == "NatGateway" else f"{not_found}.NotFound"
                raise AwsError(code, f"The {id_name} '{resource}' does not exist")
        items = [
            render(record)
            for resource, record in records.items()
            if (not ids or resource in ids) and _matches(filter_values(record), filters, resource)
        ]
        action = parameters.get("Action", [""])
        name = action[0] if isinstance(action, list) else action
        return rendered(name, f"<{element}>{''.join(items)}</{element}>")

    return describe


def _vpc_filters(vpc: Record) -> dict[str, Iterable[Any]]:
    default = [bool(vpc["IsDefault"])]
    return {
        "vpc-id": [vpc["VpcId"]],
        "cidr": [vpc["CidrBlock"]],
        "cidr-block": [vpc["CidrBlock"]],
        "cidrBlock": [vpc["CidrBlock"]],
        "cidr-block-association.cidr-block": [vpc["CidrBlock"]],
        "state": [vpc["State"]],
        "owner-id": [vpc["OwnerId"]],
        "is-default": default,
        "isDefault": default,
        "dhcp-options-id": [vpc["DhcpOptionsId"]],
    }


def _subnet_filters(subnet: Record) -> dict[str, Iterable[Any]]:
    zone, zone_id, cidr = subnet["AvailabilityZone"], subnet["AvailabilityZoneId"], subnet["CidrBlock"]
    return {
        "vpc-id": [subnet["VpcId"]],
        "subnet-id": [subnet["SubnetId"]],
        "availability-zone": [zone],
        "availabilityZone": [zone],
        "availability-zone-id": [zone_id],
        "availabilityZoneId": [zone_id],
        "cidr": [cidr],
        "cidr-block": [cidr],
        "cidrBlock": [cidr],
        "default-for-az": [bool(subnet["DefaultForAz"])],
        "defaultForAz": [bool(subnet["DefaultForAz"])],
        "map-public-ip-on-launch": [bool(subnet["MapPublicIpOnLaunch"])],
        "owner-id": [subnet["OwnerId"]],
        "state": [subnet["State"]],
    }


def _interface_filters(interface: Record) -> dict[str, Iterable[Any]]:
    return {
        "network-interface-id": [interface["NetworkInterfaceId"]],
        "subnet-id": [interface["SubnetId"]],
        "vpc-id": [interface["VpcId"]],
        "availability-zone": [interface["AvailabilityZone"]],
        "description": [interface["Description"]],
        "group-id": [group["GroupId"] for group in interface["Groups"]],
        "group-name": [group["GroupName"] for group in interface["Groups"]],
        "private-ip-address": [interface["PrivateIpAddress"]],
        "addresses.private-ip-address": [interface["PrivateIpAddress"]],
        "status": [interface["Status"]],
        "interface-type": [interface.get("InterfaceType", "interface")],
        "mac-address": [interface["MacAddress"]],
        "owner-id": [interface["OwnerId"]],
        "attachment.instance-id": [(interface.get("Attachment") or {}).get("InstanceId", "")],
        "attachment.attachment-id": [(interface.get("Attachment") or {}).get("AttachmentId", "")],
    }


def _address_filters(address: Record) -> dict[str, Iterable[Any]]:
    return {
        "allocation-id": [address["AllocationId"]],
        "association-id": [address["AssociationId"] or ""],
        "domain": [address["Domain"]],
        "public-ip": [address["PublicIp"]],
        "private-ip-address": [address["PrivateIpAddress"] or ""],
        "network-interface-id": [address["NetworkInterfaceId"] or ""],
        "instance-id": [address["InstanceId"] or ""],
    }


def _nat_filters(gateway: Record) -> dict[str, Iterable[Any]]:
    return {
        "nat-gateway-id": [gateway["NatGatewayId"]],
        "state": [gateway["State"]],
        "subnet-id": [gateway["SubnetId"]],
        "vpc-id": [gateway["VpcId"]],
    }


def _endpoint_filters(endpoint: Record) -> dict[str, Iterable[Any]]:
    return {
        "vpc-endpoint-id": [endpoint["VpcEndpointId"]],
        "vpc-endpoint-state": [endpoint["State"]],
        "vpc-endpoint-type": [endpoint["VpcEndpointType"]],
        "vpc-id": [endpoint["VpcId"]],
        "service-name": [endpoint["ServiceName"]],
    }


# Availability zones and subnets


def _zones() -> list[str]:
    return [f"{get_region()}{letter}" for letter in ZONE_LETTERS.get(get_region(), "abc")]


def _zone_name_for_az_id(zone_id: str) -> str | None:
    return next((zone for zone in _zones() if ec2._az_id_for_zone_name(zone) == zone_id), None)


def _describe_availability_zones(parameters: Parameters) -> Response:
    names = ec2._parse_member_list(parameters, "ZoneName")
    ids = ec2._parse_member_list(parameters, "ZoneId")
    filters = ec2._parse_filters(parameters)
    items = []
    for name in names:
        if name not in _zones():
            raise AwsError("InvalidParameterValue", f"Invalid availability zone: [{name}]")
    for zone in _zones():
        view = {
            "zoneName": zone,
            "zoneState": "available",
            "regionName": get_region(),
            "zoneId": ec2._az_id_for_zone_name(zone),
            "groupName": f"{get_region()}-zg-1",
            "networkBorderGroup": get_region(),
            "optInStatus": "opt-in-not-required",
            "zoneType": "availability-zone",
        }
        values: dict[str, Iterable[Any]] = {
            "zone-name": [zone],
            "zone-id": [view["zoneId"]],
            "zone-type": [view["zoneType"]],
            "state": ["available"],
            "region-name": [get_region()],
            "group-name": [view["groupName"]],
            "opt-in-status": [view["optInStatus"]],
        }
        chosen = (not names or zone in names) and (not ids or view["zoneId"] in ids)
        if chosen and _matches(values, filters, ""):
            items.append(view)
    return rendered("DescribeAvailabilityZones", f"<availabilityZoneInfo>{xml(items)}</availabilityZoneInfo>")


def _create_subnet(original: Any) -> Any:
    def create(parameters: Parameters) -> Response:
        vpc = ec2._vpcs.get(ec2._p(parameters, "VpcId"))
        zone = ec2._p(parameters, "AvailabilityZone")
        try:
            if vpc is None:
                raise AwsError(
                    "InvalidVpcID.NotFound", f"The vpc ID '{ec2._p(parameters, 'VpcId')}' does not exist"
                )
            if zone and zone not in _zones():
                raise AwsError(
                    "InvalidParameterValue",
                    f"Value ({zone}) for parameter availabilityZone is invalid. Subnets can currently "
                    "only be created "
                    f"in the following availability zones: {', '.join(_zones())}.",
                )
            _check_subnet_range(ec2._p(parameters, "CidrBlock"), vpc)
        except AwsError as error:
            return _refused(error)
        known = set(ec2._subnets)
        response: Response = original(parameters)
        for subnet in set(ec2._subnets) - known:
            network = ipaddress.ip_network(ec2._subnets[subnet]["CidrBlock"])
            ec2._subnets[subnet]["AvailableIpAddressCount"] = network.num_addresses - 5
            response = rendered("CreateSubnet", ec2._subnet_fields_xml(ec2._subnets[subnet], tag="subnet"))
        return response

    return create


def _check_subnet_range(cidr: str, vpc: Record) -> None:
    try:
        network = ipaddress.IPv4Network(cidr)
    except ValueError as error:
        raise AwsError(
            "InvalidParameterValue",
            f"Value ({cidr}) for parameter cidrBlock is invalid. This is not a valid CIDR block.",
        ) from error
    if not 16 <= network.prefixlen <= 28 or not network.subnet_of(ipaddress.IPv4Network(vpc["CidrBlock"])):
        raise AwsError("InvalidSubnet.Range", f"The CIDR '{cidr}' is invalid.")
    for subnet in ec2._subnets.values():
        if subnet["VpcId"] == vpc["VpcId"] and network.overlaps(ipaddress.IPv4Network(subnet["CidrBlock"])):
            raise AwsError("InvalidSubnet.Conflict", f"The CIDR '{cidr}' conflicts with another subnet")


# Security groups


def _create_security_group(original: Any) -> Any:
    def create(parameters: Parameters) -> Response:
        name = ec2._p(parameters, "GroupName")
        vpc = ec2._p(parameters, "VpcId")
        if name.startswith("sg-"):
            return _refused(
                AwsError(
                    "InvalidParameterValue",
                    f"invalid value for parameter groupName: {name}; it begins with sg-",
                )
            )
        if vpc and vpc not in ec2._vpcs:
            return _refused(AwsError("InvalidVpcID.NotFound", f"The vpc ID '{vpc}' does not exist"))
        response: Response = original(parameters)
        return response

    return create


def _rule_id(_group: str, _is_egress: bool, rule: Record) -> str:
    """A rule's id, given once and kept through changes of the rule."""
    return str(rule.setdefault("SecurityGroupRuleId", new_id("sgr")))


def _without_description(rule: Record) -> Record:
    """What makes a rule the same as another one."""
    bare: Record = {
        "IpProtocol": rule.get("IpProtocol"),
        "FromPort": rule.get("FromPort", -1),
        "ToPort": rule.get("ToPort", -1),
    }
    for targets, key in _RULE_TARGETS.items():
        bare[targets] = sorted(
            entry[key] if isinstance(entry, dict) and key in entry else str(entry)
            for entry in rule.get(targets) or []
        )
    return bare


def _with_ports_that_count(rule: Record) -> Record:
    """The rule with its protocol as AWS spells it, and without the ports of a protocol that has none."""
    protocol = str(rule["IpProtocol"]).lower()
    protocol = _PROTOCOLS_WITH_PORTS.get(protocol, protocol)
    ports = ("FromPort", "ToPort") if protocol not in _PROTOCOLS_WITH_PORTS.values() else ()
    return {name: value for name, value in rule.items() if name not in ports} | {"IpProtocol": protocol}


def _parse_ip_permissions(original: Any) -> Any:
    """Reads the permissions as single rules: each target of a permission is a rule with an id of its own."""

    def parse(parameters: Parameters, prefix: str) -> list[Record]:
        rules = []
        for index, permission in enumerate(original(parameters, prefix), start=1):
            number = 1
            while prefix_list := ec2._p(parameters, f"{prefix}.{index}.PrefixListIds.{number}.PrefixListId"):
                entry = {"PrefixListId": prefix_list}
                description = ec2._p(parameters, f"{prefix}.{index}.PrefixListIds.{number}.Description")
                permission["PrefixListIds"].append(
                    entry | ({"Description": description} if description else {})
                )
                number += 1
            bare = _with_ports_that_count(permission)
            rules += [
                bare | {name: [] for name in _RULE_TARGETS} | {targets: [entry]}
                for targets in _RULE_TARGETS
                for entry in permission.get(targets) or []
            ]
        return rules

    return parse


def _authorize(direction: str) -> Callable[[Any], Any]:
    key = _DIRECTIONS[direction]

    def make(original: Any) -> Any:
        def authorize(parameters: Parameters) -> Response:
            group = ec2._security_groups.get(ec2._p(parameters, "GroupId"))
            if group is not None:
                try:
                    _check_rules(ec2._parse_ip_permissions(parameters, "IpPermissions"), group, key)
                except AwsError as error:
                    return _refused(error)
            response: Response = original(parameters)
            return response

        return authorize

    return make


def _revoke(direction: str) -> Callable[[Any], Any]:
    """Revokes rules by their properties: all of them, or none where the group isn't in a default VPC.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RevokeSecurityGroupIngress.html; that the same
    holds for egress is what the Terraform provider expects of AWS (`resourceSecurityGroupCreate`).
    """
    key = _DIRECTIONS[direction]

    def make(original: Any) -> Any:
        def revoke(parameters: Parameters) -> Response:
            group_id = ec2._p(parameters, "GroupId")
            group = ec2._security_groups.get(group_id)
            response: Response
            if group is None or ec2._parse_member_list(parameters, "SecurityGroupRuleId"):
                response = original(parameters)
                return response
            revoked, unknown = [], []
            for rule in ec2._parse_ip_permissions(parameters, "IpPermissions"):
                found = next((known for known in group[key] if ec2._rules_match(rule, known)), None)
                if found is None:
                    unknown.append(rule)
                else:
                    revoked.append(found)
            in_default_vpc = ec2._vpcs.get(group["VpcId"], {}).get("IsDefault")
            if unknown and not in_default_vpc:
                return _refused(
                    AwsError(
                        "InvalidPermission.NotFound",
                        "The specified rule does not exist in this security group.",
                    )
                )
            group[key] = [rule for rule in group[key] if rule not in revoked]
            for rule in revoked:
                ec2._tags.pop(_rule_id(group_id, direction == "Egress", rule), None)
            unknown_items = "".join(ec2._perm_xml(rule) for rule in unknown)
            revoked_items = "".join(
                ec2._revoked_sg_rule_xml(group_id, rule, is_egress=direction == "Egress") for rule in revoked
            )
            return rendered(
                f"RevokeSecurityGroup{direction}",
                f"<return>true</return><unknownIpPermissionSet>{unknown_items}</unknownIpPermissionSet>"
                f"<revokedSecurityGroupRuleSet>{revoked_items}</revokedSecurityGroupRuleSet>",
            )

        return revoke

    return make


def _check_rules(rules: list[Record], group: Record, key: str) -> None:
    for rule in rules:
        for pair in rule["UserIdGroupPairs"]:
            if pair.get("GroupId") and pair["GroupId"] not in ec2._security_groups:
                raise AwsError(
                    "InvalidGroup.NotFound", f"The security group '{pair['GroupId']}' does not exist"
                )
        for entry in rule["IpRanges"]:
            try:
                ipaddress.IPv4Network(entry["CidrIp"])
            except ValueError as error:
                raise AwsError(
                    "InvalidParameterValue", f"CIDR block {entry['CidrIp']} is malformed"
                ) from error
        if any(ec2._rules_match(rule, existing) for existing in group[key]):
            peer = next(
                str(entry.get(name, "")) for targets, name in _RULE_TARGETS.items() for entry in rule[targets]
            )
            raise AwsError(
                "InvalidPermission.Duplicate",
                f'the specified rule "peer: {peer}, {str(rule["IpProtocol"]).upper()}, '
                f'from port: {rule.get("FromPort", -1)}, to port: {rule.get("ToPort", -1)}, ALLOW" '
                "already exists",
            )


def _modify_security_group_rules(original: Any) -> Any:
    def modify(parameters: Parameters) -> Response:
        parameters = dict(parameters)
        for name in list(parameters):
            if name.endswith(".SecurityGroupRule.ReferencedGroupId"):
                nested = name.replace("ReferencedGroupId", "ReferencedGroupInfo.GroupId")
                parameters[nested] = parameters[name]
        response: Response = original(parameters)
        group = ec2._security_groups.get(ec2._p(parameters, "GroupId"), {})
        for key in _DIRECTIONS.values():
            group[key] = [_with_ports_that_count(rule) for rule in group.get(key, [])]
        return response

    return modify


def _update_descriptions(key: str) -> Callable[[Parameters], Response]:
    def update(parameters: Parameters) -> Response:
        group_id = ec2._p(parameters, "GroupId")
        group = ec2._security_groups.get(group_id)
        if group is None:
            raise AwsError("InvalidGroup.NotFound", f"The security group '{group_id}' does not exist")
        for rule in ec2._parse_ip_permissions(parameters, "IpPermissions"):
            existing = next((known for known in group[key] if ec2._rules_match(rule, known)), None)
            if existing is None:
                raise AwsError(
                    "InvalidPermission.NotFound", "The specified rule does not exist in this security group."
                )
            for targets in _RULE_TARGETS:
                existing[targets] = rule[targets]
            existing.pop("Description", None)
        action = parameters.get("Action", [""])
        return rendered(action[0] if isinstance(action, list) else action, "<return>true</return>")

    return update


def _grouped_security_group(original: Any) -> Any:
    """Shows a group's rules as AWS does: one permission per protocol and ports, with all its targets."""

    def render(group: Record) -> str:
        shown = dict(group, Description=escape(group["Description"]))
        for key in ("IpPermissions", "IpPermissionsEgress"):
            permissions: dict[tuple[Any, ...], Record] = {}
            for rule in group.get(key) or []:
                ports = (rule.get("IpProtocol"), rule.get("FromPort"), rule.get("ToPort"))
                permission = permissions.setdefault(
                    ports,
                    {name: rule[name] for name in ("IpProtocol", "FromPort", "ToPort") if name in rule}
                    | {targets: [] for targets in _RULE_TARGETS},
                )
                for targets in _RULE_TARGETS:
                    permission[targets] += rule.get(targets) or []
            shown[key] = list(permissions.values())
        rendered: str = original(shown)
        return rendered

    return render


# What is still in use isn't deleted


def _group_in_use(parameters: Parameters) -> str | None:
    group = ec2._p(parameters, "GroupId")
    for interface in ec2._network_interfaces.values():
        if any(member["GroupId"] == group for member in interface["Groups"]):
            return f"resource {group} has a dependent object"
    for balancer in alb._lbs.values():
        if group in balancer["SecurityGroups"]:
            return f"resource {group} has a dependent object"
    for other in ec2._security_groups.values():
        if other["GroupId"] == group:
            continue
        for rule in other["IpPermissions"] + other["IpPermissionsEgress"]:
            if any(pair.get("GroupId") == group for pair in rule.get("UserIdGroupPairs") or []):
                return f"resource {group} has a dependent object"
    return None


def _subnet_in_use(parameters: Parameters) -> str | None:
    subnet = ec2._p(parameters, "SubnetId")
    used = any(interface["SubnetId"] == subnet for interface in ec2._network_interfaces.values())
    balanced = any(subnet in balancer["Subnets"] for balancer in alb._lbs.values())
    if used or balanced:
        return f"The subnet '{subnet}' has dependencies and cannot be deleted."
    return None


def _route_table_in_use(parameters: Parameters) -> str | None:
    table = ec2._route_tables.get(ec2._p(parameters, "RouteTableId"))
    if table and table["Associations"]:
        return f"The routeTable '{table['RouteTableId']}' has dependencies and cannot be deleted."
    return None


def _internet_gateway_in_use(parameters: Parameters) -> str | None:
    gateway = ec2._internet_gateways.get(ec2._p(parameters, "InternetGatewayId"))
    if gateway and gateway["Attachments"]:
        return f"The internetGateway '{gateway['InternetGatewayId']}' has dependencies and cannot be deleted."
    return None


def _refuse_in_use(in_use: Callable[[Parameters], str | None]) -> Callable[[Any], Any]:
    def make(original: Any) -> Any:
        def delete(parameters: Parameters) -> Response:
            reason = in_use(parameters)
            if reason:
                return _refused(AwsError("DependencyViolation", reason))
            response: Response = original(parameters)
            return response

        return delete

    return make


# Routes, addresses and NAT gateways


def _create_route(original: Any) -> Any:
    def create(parameters: Parameters) -> Response:
        table = ec2._route_tables.get(ec2._p(parameters, "RouteTableId"))
        destination = ec2._p(parameters, "DestinationCidrBlock")
        gateway, nat = ec2._p(parameters, "GatewayId"), ec2._p(parameters, "NatGatewayId")
        if table and any(route.get("DestinationCidrBlock") == destination for route in table["Routes"]):
            return _refused(
                AwsError("RouteAlreadyExists", f"The route identified by {destination} already exists.")
            )
        if nat and ec2._nat_gateways.get(nat, {}).get("State") != "available":
            return _refused(
                AwsError("InvalidNatGatewayID.NotFound", f"The natGateway ID '{nat}' does not exist")
            )
        if gateway.startswith("igw-") and gateway not in ec2._internet_gateways:
            return _refused(
                AwsError("InvalidGatewayID.NotFound", f"The gateway ID '{gateway}' does not exist")
            )
        response: Response = original(parameters)
        return response

    return create


def free_address(subnet_id: str) -> str:
    """The lowest free address of the subnet; the first four and the last are AWS's own."""
    network = ipaddress.ip_network(ec2._subnets[subnet_id]["CidrBlock"])
    used = {
        interface["PrivateIpAddress"]
        for interface in ec2._network_interfaces.values()
        if interface["SubnetId"] == subnet_id
    }
    for offset in range(4, network.num_addresses - 1):
        address = str(network[offset])
        if address not in used:
            return address
    raise RuntimeError(f"subnet {subnet_id} ({network}) has no free address")


def attach_interface(subnet_id: str, description: str, kind: str, groups: list[str]) -> Record:
    """Makes a network interface that AWS itself manages, with a free address of the subnet."""
    with resource_lock("fileflow-interfaces", subnet_id):
        subnet = ec2._subnets[subnet_id]
        interface = {
            "NetworkInterfaceId": new_id("eni"),
            "SubnetId": subnet_id,
            "VpcId": subnet["VpcId"],
            "AvailabilityZone": subnet["AvailabilityZone"],
            "Description": description,
            "OwnerId": get_account_id(),
            "Status": "in-use",
            "PrivateIpAddress": free_address(subnet_id),
            "InterfaceType": kind,
            "SourceDestCheck": kind != "nat_gateway",
            "MacAddress": ":".join(f"{byte:02x}" for byte in (2, *secrets.token_bytes(5))),
            "Groups": [
                {
                    "GroupId": group,
                    "GroupName": (ec2._security_groups.get(group) or {}).get("GroupName", group),
                }
                for group in groups
            ],
            "Attachment": None,
            "RequesterManaged": True,
        }
        ec2._network_interfaces[interface["NetworkInterfaceId"]] = interface
    return interface


def _address_xml(address: Record) -> str:
    view = {
        "publicIp": address["PublicIp"],
        "allocationId": address["AllocationId"],
        "domain": address["Domain"],
        "associationId": address["AssociationId"],
        "instanceId": address["InstanceId"],
        "networkInterfaceId": address["NetworkInterfaceId"],
        "networkInterfaceOwnerId": get_account_id() if address["NetworkInterfaceId"] else None,
        "privateIpAddress": address["PrivateIpAddress"],
        "publicIpv4Pool": "amazon",
        "networkBorderGroup": get_region(),
        "tagSet": tag_set(address["AllocationId"]),
    }
    return f"<item>{xml(view)}</item>"


def _release_address(parameters: Parameters) -> Response:
    allocation = ec2._p(parameters, "AllocationId")
    address = ec2._addresses.get(allocation)
    if address is None:
        raise AwsError("InvalidAllocationID.NotFound", f"The allocation ID '{allocation}' does not exist")
    if address["AssociationId"]:
        raise AwsError("InvalidIPAddress.InUse", f"Address {address['PublicIp']} is in use.")
    ec2._addresses.pop(allocation)
    ec2._tags.pop(allocation, None)
    return rendered("ReleaseAddress", "<return>true</return>")


def _nat_view(gateway: Record) -> Record:
    address = gateway.get("Address")
    return {
        "natGatewayId": gateway["NatGatewayId"],
        "subnetId": gateway["SubnetId"],
        "vpcId": gateway["VpcId"],
        "state": gateway["State"],
        "connectivityType": gateway["ConnectivityType"],
        "availabilityMode": "zonal",
        "createTime": gateway["CreateTime"],
        "deleteTime": gateway.get("DeleteTime"),
        "natGatewayAddressSet": [address] if address else [],
        "tagSet": tag_set(gateway["NatGatewayId"]),
    }


def _nat_xml(gateway: Record) -> str:
    return f"<item>{xml(_nat_view(gateway))}</item>"


def _create_nat_gateway(parameters: Parameters) -> Response:
    subnet_id, allocation = ec2._p(parameters, "SubnetId"), ec2._p(parameters, "AllocationId")
    connectivity = ec2._p(parameters, "ConnectivityType") or "public"
    if subnet_id not in ec2._subnets:
        raise AwsError("InvalidSubnetID.NotFound", f"The subnet ID '{subnet_id}' does not exist")
    address = ec2._addresses.get(allocation) if allocation else None
    if connectivity == "public":
        if not allocation:
            raise AwsError("MissingParameter", "The request must include the AllocationId parameter.")
        if address is None:
            raise AwsError("InvalidAllocationID.NotFound", f"The allocation ID '{allocation}' does not exist")
        if address["AssociationId"]:
            raise AwsError(
                "Resource.AlreadyAssociated", f"Elastic IP address [{allocation}] is already associated"
            )
    gateway_id = new_id("nat")
    interface = attach_interface(subnet_id, f"Interface for NAT Gateway {gateway_id}", "nat_gateway", [])
    shown = {
        "networkInterfaceId": interface["NetworkInterfaceId"],
        "privateIp": interface["PrivateIpAddress"],
        "isPrimary": True,
        "status": "succeeded",
    }
    if address is not None:
        address["AssociationId"] = new_id("eipassoc")
        address["NetworkInterfaceId"] = interface["NetworkInterfaceId"]
        address["PrivateIpAddress"] = interface["PrivateIpAddress"]
        shown |= {
            "allocationId": allocation,
            "publicIp": address["PublicIp"],
            "associationId": address["AssociationId"],
        }
    gateway = {
        "NatGatewayId": gateway_id,
        "SubnetId": subnet_id,
        "VpcId": ec2._subnets[subnet_id]["VpcId"],
        "AllocationId": allocation,
        "ConnectivityType": connectivity,
        "State": "available",
        "CreateTime": ec2._now_ts(),
        "Address": shown,
    }
    ec2._nat_gateways[gateway_id] = gateway
    ec2._parse_tag_specs(parameters, "natgateway", gateway_id)
    return rendered("CreateNatGateway", f"<natGateway>{xml(_nat_view(gateway))}</natGateway>")


def _delete_nat_gateway(parameters: Parameters) -> Response:
    gateway_id = ec2._p(parameters, "NatGatewayId")
    gateway = ec2._nat_gateways.get(gateway_id)
    if gateway is None:
        raise AwsError("NatGatewayNotFound", f"The Nat Gateway {gateway_id} was not found")
    if gateway["State"] != "deleted":
        gateway["State"] = "deleted"
        gateway["DeleteTime"] = ec2._now_ts()
        ec2._network_interfaces.pop(gateway["Address"]["networkInterfaceId"], None)
        address = ec2._addresses.get(gateway["AllocationId"]) if gateway["AllocationId"] else None
        if address is not None:
            address |= {"AssociationId": None, "NetworkInterfaceId": None, "PrivateIpAddress": None}
    return rendered("DeleteNatGateway", f"<natGatewayId>{gateway_id}</natGatewayId>")


# Network interfaces and VPC endpoints


def _interface_xml(interface: Record) -> str:
    address = interface["PrivateIpAddress"]
    dns = f"ip-{address.replace('.', '-')}.{get_region()}.compute.internal"
    public = interface.get("PublicIp")
    association = {"publicIp": public, "ipOwnerId": "amazon"} if public else None
    attachment = interface.get("Attachment")
    view = {
        "networkInterfaceId": interface["NetworkInterfaceId"],
        "subnetId": interface["SubnetId"],
        "vpcId": interface["VpcId"],
        "availabilityZone": interface["AvailabilityZone"],
        "description": interface["Description"],
        "ownerId": interface["OwnerId"],
        "requesterManaged": interface.get("RequesterManaged", False),
        "status": interface["Status"],
        "macAddress": interface["MacAddress"],
        "privateIpAddress": address,
        "privateDnsName": dns,
        "sourceDestCheck": interface.get("SourceDestCheck", True),
        "interfaceType": interface.get("InterfaceType", "interface"),
        "groupSet": [
            {"groupId": group["GroupId"], "groupName": group["GroupName"]} for group in interface["Groups"]
        ],
        "attachment": {name[0].lower() + name[1:]: value for name, value in attachment.items()}
        if attachment
        else None,
        "association": association,
        "privateIpAddressesSet": [
            {"privateIpAddress": address, "privateDnsName": dns, "primary": True, "association": association}
        ],
        "tagSet": tag_set(interface["NetworkInterfaceId"]),
    }
    return f"<item>{xml(view)}</item>"


def _endpoint_view(endpoint: Record) -> Record:
    return {
        "vpcEndpointId": endpoint["VpcEndpointId"],
        "vpcEndpointType": endpoint["VpcEndpointType"],
        "vpcId": endpoint["VpcId"],
        "serviceName": endpoint["ServiceName"],
        "state": endpoint["State"],
        "policyDocument": endpoint["PolicyDocument"],
        "routeTableIdSet": endpoint["RouteTableIds"],
        "subnetIdSet": endpoint["SubnetIds"],
        "groupSet": [
            {"groupId": group, "groupName": (ec2._security_groups.get(group) or {}).get("GroupName", group)}
            for group in endpoint["GroupIds"]
        ],
        "privateDnsEnabled": endpoint["PrivateDnsEnabled"],
        "requesterManaged": False,
        "ipAddressType": "ipv4",
        "dnsOptions": {"dnsRecordIpType": "ipv4" if endpoint["GroupIds"] else "service-defined"},
        "networkInterfaceIdSet": endpoint["NetworkInterfaceIds"],
        "dnsEntrySet": endpoint["DnsEntries"],
        "creationTimestamp": endpoint["CreationTimestamp"],
        "ownerId": get_account_id(),
        "tagSet": tag_set(endpoint["VpcEndpointId"]),
    }


def _endpoint_xml(endpoint: Record) -> str:
    return f"<item>{xml(_endpoint_view(endpoint))}</item>"


def _policy_text(given: str) -> str:
    if not given:
        return json.dumps({"Version": "2008-10-17"} | _FULL_ACCESS)
    try:
        return json.dumps(json.loads(given))
    except ValueError as error:
        raise AwsError("InvalidPolicyDocument", "The policy isn't a valid JSON document.") from error


def _create_vpc_endpoint(parameters: Parameters) -> Response:
    vpc, service = ec2._p(parameters, "VpcId"), ec2._p(parameters, "ServiceName")
    if vpc not in ec2._vpcs:
        raise AwsError("InvalidVpcId.NotFound", f"The Vpc Id {vpc} does not exist")
    if not service.startswith(("com.amazonaws.", "aws.")):
        raise AwsError("InvalidServiceName", f"The Vpc Endpoint Service '{service}' does not exist")
    kind = ec2._p(parameters, "VpcEndpointType") or "Gateway"
    tables = ec2._parse_member_list(parameters, "RouteTableId")
    for table in tables:
        if table not in ec2._route_tables:
            raise AwsError("InvalidRouteTableId.NotFound", f"The routeTable ID '{table}' does not exist")
    subnets = ec2._parse_member_list(parameters, "SubnetId")
    for subnet in subnets:
        if subnet not in ec2._subnets:
            raise AwsError("InvalidSubnetId.NotFound", f"The subnet ID '{subnet}' does not exist")
    endpoint_id = new_id("vpce")
    groups = ec2._parse_member_list(parameters, "SecurityGroupId")
    interfaces = [
        attach_interface(subnet, f"VPC Endpoint Interface {endpoint_id}", "vpc_endpoint", groups)
        for subnet in subnets
    ]
    name = ".".join(service.removeprefix(f"com.amazonaws.{get_region()}.").split(".")[::-1])
    dns = f"{endpoint_id}-{secrets.token_hex(4)}.{name}.{get_region()}.vpce.amazonaws.com"
    endpoint = {
        "VpcEndpointId": endpoint_id,
        "VpcEndpointType": kind,
        "VpcId": vpc,
        "ServiceName": service,
        "State": "available",
        "RouteTableIds": tables,
        "SubnetIds": subnets,
        "GroupIds": groups,
        "OwnerId": get_account_id(),
        "PolicyDocument": _policy_text(ec2._p(parameters, "PolicyDocument")),
        "PrivateDnsEnabled": ec2._p(parameters, "PrivateDnsEnabled", "false") == "true",
        "NetworkInterfaceIds": [interface["NetworkInterfaceId"] for interface in interfaces],
        "DnsEntries": [{"dnsName": dns, "hostedZoneId": "Z27UANNT0PRK1T"}] if kind == "Interface" else [],
        "CreationTimestamp": ec2._now_ts(),
    }
    ec2._vpc_endpoints[endpoint_id] = endpoint
    ec2._parse_tag_specs(parameters, "vpc-endpoint", endpoint_id)
    return rendered("CreateVpcEndpoint", f"<vpcEndpoint>{xml(_endpoint_view(endpoint))}</vpcEndpoint>")


def _modify_vpc_endpoint(parameters: Parameters) -> Response:
    endpoint_id = ec2._p(parameters, "VpcEndpointId")
    endpoint = ec2._vpc_endpoints.get(endpoint_id)
    if endpoint is None:
        raise AwsError("InvalidVpcEndpointId.NotFound", f"The Vpc Endpoint Id '{endpoint_id}' does not exist")
    for stored, singular in (("RouteTableIds", "RouteTableId"), ("GroupIds", "SecurityGroupId")):
        added = ec2._parse_member_list(parameters, f"Add{singular}")
        removed = ec2._parse_member_list(parameters, f"Remove{singular}")
        kept = [item for item in endpoint[stored] if item not in removed]
        endpoint[stored] = kept + [item for item in added if item not in kept]
    for subnet in ec2._parse_member_list(parameters, "AddSubnetId"):
        interface = attach_interface(
            subnet, f"VPC Endpoint Interface {endpoint_id}", "vpc_endpoint", endpoint["GroupIds"]
        )
        endpoint["SubnetIds"].append(subnet)
        endpoint["NetworkInterfaceIds"].append(interface["NetworkInterfaceId"])
    for subnet in ec2._parse_member_list(parameters, "RemoveSubnetId"):
        endpoint["SubnetIds"].remove(subnet)
        for interface_id in list(endpoint["NetworkInterfaceIds"]):
            if ec2._network_interfaces[interface_id]["SubnetId"] == subnet:
                endpoint["NetworkInterfaceIds"].remove(interface_id)
                ec2._network_interfaces.pop(interface_id)
    if ec2._p(parameters, "PrivateDnsEnabled"):
        endpoint["PrivateDnsEnabled"] = ec2._p(parameters, "PrivateDnsEnabled") == "true"
    if ec2._p(parameters, "ResetPolicy") == "true":
        endpoint["PolicyDocument"] = _policy_text("")
    elif ec2._p(parameters, "PolicyDocument"):
        endpoint["PolicyDocument"] = _policy_text(ec2._p(parameters, "PolicyDocument"))
    return rendered("ModifyVpcEndpoint", "<return>true</return>")


def _delete_vpc_endpoints(parameters: Parameters) -> Response:
    failed = []
    for endpoint_id in ec2._parse_member_list(parameters, "VpcEndpointId"):
        endpoint = ec2._vpc_endpoints.pop(endpoint_id, None)
        ec2._tags.pop(endpoint_id, None)
        if endpoint is None:
            problem = {
                "code": "InvalidVpcEndpoint.NotFound",
                "message": f"The Vpc Endpoint Id '{endpoint_id}' does not exist",
            }
            failed.append({"resourceId": endpoint_id, "error": problem})
            continue
        for interface in endpoint["NetworkInterfaceIds"]:
            ec2._network_interfaces.pop(interface, None)
    return rendered("DeleteVpcEndpoints", f"<unsuccessful>{xml(failed)}</unsuccessful>")


def _describe_account_attributes(_parameters: Parameters) -> Response:
    default = next((vpc["VpcId"] for vpc in ec2._vpcs.values() if vpc["IsDefault"]), "none")
    attributes = {"supported-platforms": "VPC", "default-vpc": default, "max-elastic-ips": "5"}
    items = [
        {"attributeName": name, "attributeValueSet": [{"attributeValue": value}]}
        for name, value in attributes.items()
    ]
    return rendered("DescribeAccountAttributes", f"<accountAttributeSet>{xml(items)}</accountAttributeSet>")
