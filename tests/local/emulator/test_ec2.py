"""The network on the emulated AWS."""

from __future__ import annotations

from typing import Any

import pytest

from tests.local.emulator.aws import REGION, Client, assert_contains, network, refusal


@pytest.fixture
def ec2(client: Client) -> Any:
    return client("ec2")


def by(name: str, *values: str) -> list[dict[str, Any]]:
    return [{"Name": name, "Values": list(values)}]


def test_seoul_has_four_zones_with_their_ids(ec2: Any) -> None:
    zones = ec2.describe_availability_zones(Filters=by("state", "available"))["AvailabilityZones"]
    assert [zone["ZoneName"] for zone in zones] == [f"{REGION}{letter}" for letter in "abcd"]
    assert [zone["ZoneId"] for zone in zones] == [f"apne2-az{number}" for number in (1, 2, 3, 4)]
    assert refusal(ec2.describe_availability_zones, ZoneNames=[f"{REGION}z"])[0] == "InvalidParameterValue"


def test_the_default_vpc_is_found_by_either_spelling_of_the_filter(ec2: Any) -> None:
    vpc, _, _ = network(ec2)
    for name in ("isDefault", "is-default"):
        (default,) = ec2.describe_vpcs(Filters=by(name, "true"))["Vpcs"]
        assert default["IsDefault"] is True
        assert [item["VpcId"] for item in ec2.describe_vpcs(Filters=by(name, "false"))["Vpcs"]] == [vpc]


def test_a_vpc_is_found_by_tag_and_an_unknown_filter_is_refused(ec2: Any) -> None:
    vpc, _, _ = network(ec2)
    ec2.create_tags(Resources=[vpc], Tags=[{"Key": "Name", "Value": "fileflow"}])
    for filters in (by("tag:Name", "fileflow"), by("tag:Name", "file*"), by("tag-key", "Name")):
        assert [item["VpcId"] for item in ec2.describe_vpcs(Filters=filters)["Vpcs"]] == [vpc]
    assert refusal(ec2.describe_vpcs, Filters=by("colour", "red"))[0] == "InvalidParameterValue"


def test_subnets_are_found_by_what_they_are(ec2: Any) -> None:
    vpc, (first, second), _ = network(ec2)
    ec2.modify_subnet_attribute(SubnetId=first, MapPublicIpOnLaunch={"Value": True})
    in_vpc = by("vpc-id", vpc)

    def found(name: str, value: str) -> list[str]:
        subnets = ec2.describe_subnets(Filters=in_vpc + by(name, value))["Subnets"]
        return [subnet["SubnetId"] for subnet in subnets]

    assert found("map-public-ip-on-launch", "true") == [first]
    assert found("map-public-ip-on-launch", "false") == [second]
    assert found("availability-zone", f"{REGION}c") == [second]
    assert found("availability-zone-id", "apne2-az3") == [second]
    assert found("cidr-block", "10.20.1.0/24") == [second]


REFUSED = [
    ({"CidrBlock": "10.99.0.0/24"}, "InvalidSubnet.Range"),
    ({"CidrBlock": "10.20.0.128/25"}, "InvalidSubnet.Conflict"),
    ({"CidrBlock": "10.20.0.0/33"}, "InvalidParameterValue"),
    ({"AvailabilityZone": f"{REGION}z"}, "InvalidParameterValue"),
    ({"VpcId": "vpc-nowhere"}, "InvalidVpcID.NotFound"),
]


def test_a_subnet_that_does_not_fit_is_refused(ec2: Any, subtests: pytest.Subtests) -> None:
    vpc, _, _ = network(ec2)
    for change, code in REFUSED:
        with subtests.test(**change):
            request = {"VpcId": vpc, "CidrBlock": "10.20.9.0/24", "AvailabilityZone": f"{REGION}a"} | change
            assert refusal(ec2.create_subnet, **request)[0] == code


def test_each_target_of_a_permission_is_a_rule_of_its_own(ec2: Any) -> None:
    _, _, group = network(ec2)
    ranges = [{"CidrIp": "0.0.0.0/0", "Description": "everyone"}, {"CidrIp": "10.0.0.0/8"}]
    made = ec2.authorize_security_group_ingress(
        GroupId=group,
        IpPermissions=[{"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": ranges}],
        TagSpecifications=[
            {"ResourceType": "security-group-rule", "Tags": [{"Key": "Name", "Value": "http"}]}
        ],
    )["SecurityGroupRules"]
    assert len({rule["SecurityGroupRuleId"] for rule in made}) == 2
    rules = ec2.describe_security_group_rules(SecurityGroupRuleIds=[made[0]["SecurityGroupRuleId"]])
    (rule,) = rules["SecurityGroupRules"]
    assert (rule["CidrIpv4"], rule["Description"]) == ("0.0.0.0/0", "everyone")
    assert rule["Tags"] == [{"Key": "Name", "Value": "http"}]
    assert "Description" not in made[1]
    (described,) = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
    (permission,) = described["IpPermissions"]
    assert permission["IpRanges"] == ranges


def test_a_rule_keeps_its_id_when_it_is_modified_and_goes_by_it(ec2: Any) -> None:
    vpc, _, front = network(ec2)
    tasks = ec2.create_security_group(GroupName="tasks", Description="t", VpcId=vpc)["GroupId"]
    other = ec2.create_security_group(GroupName="other", Description="o", VpcId=vpc)["GroupId"]
    pair = [{"GroupId": front, "Description": "the load balancer"}]
    permission = {"IpProtocol": "tcp", "FromPort": 8083, "ToPort": 8083, "UserIdGroupPairs": pair}
    (made,) = ec2.authorize_security_group_ingress(GroupId=tasks, IpPermissions=[permission])[
        "SecurityGroupRules"
    ]
    rule_id = made["SecurityGroupRuleId"]
    code, _ = refusal(ec2.authorize_security_group_ingress, GroupId=tasks, IpPermissions=[permission])
    assert code == "InvalidPermission.Duplicate"
    changed = {
        "IpProtocol": "tcp",
        "FromPort": 9091,
        "ToPort": 9091,
        "ReferencedGroupId": other,
        "Description": "d",
    }
    ec2.modify_security_group_rules(
        GroupId=tasks, SecurityGroupRules=[{"SecurityGroupRuleId": rule_id, "SecurityGroupRule": changed}]
    )
    (rule,) = ec2.describe_security_group_rules(SecurityGroupRuleIds=[rule_id])["SecurityGroupRules"]
    assert rule["ReferencedGroupInfo"]["GroupId"] == other
    assert (rule["FromPort"], rule["Description"]) == (9091, "d")
    # What the rule was before is free again, under an id of its own.
    (again,) = ec2.authorize_security_group_ingress(GroupId=tasks, IpPermissions=[permission])[
        "SecurityGroupRules"
    ]
    assert again["SecurityGroupRuleId"] != rule_id
    ec2.revoke_security_group_ingress(GroupId=tasks, SecurityGroupRuleIds=[rule_id])
    left = ec2.describe_security_group_rules(Filters=by("group-id", tasks))["SecurityGroupRules"]
    assert [item["SecurityGroupRuleId"] for item in left if not item["IsEgress"]] == [
        again["SecurityGroupRuleId"]
    ]
    assert refusal(ec2.delete_security_group, GroupId=front)[0] == "DependencyViolation"


ANYWHERE = [{"CidrIp": "0.0.0.0/0"}]
PORTLESS: list[dict[str, Any]] = [
    {},
    {"FromPort": 0, "ToPort": 0},
    {"FromPort": -1, "ToPort": -1},
    {"FromPort": 0, "ToPort": 65535},
    {"FromPort": 80, "ToPort": 80},
]


@pytest.mark.parametrize("direction", ["ingress", "egress"])
@pytest.mark.parametrize("protocol", ["-1", "50"])
def test_ports_count_for_nothing_where_the_protocol_has_none(
    ec2: Any, direction: str, protocol: str, subtests: pytest.Subtests
) -> None:
    _, _, group = network(ec2)
    authorize = getattr(ec2, f"authorize_security_group_{direction}")
    revoke = getattr(ec2, f"revoke_security_group_{direction}")
    key = {"ingress": "IpPermissions", "egress": "IpPermissionsEgress"}[direction]
    permission = {"IpProtocol": protocol, "IpRanges": ANYWHERE}

    def rules() -> list[Any]:
        shown = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0][key]
        return [rule for rule in shown if rule["IpProtocol"] == protocol]

    if (direction, protocol) == ("egress", "-1"):  # AWS makes that one itself
        revoke(GroupId=group, IpPermissions=[permission | PORTLESS[-1]])
    for made_with in PORTLESS:
        with subtests.test(**made_with):
            asked = {"GroupId": group, "IpPermissions": [permission | made_with]}
            (made,) = authorize(**asked)["SecurityGroupRules"]
            assert (made["FromPort"], made["ToPort"]) == (-1, -1)
            for ports in PORTLESS:
                code, _ = refusal(authorize, GroupId=group, IpPermissions=[permission | ports])
                assert code == "InvalidPermission.Duplicate"
            (shown,) = rules()
            assert "FromPort" not in shown
            (revoked,) = revoke(**asked)["RevokedSecurityGroupRules"]
            assert revoked["CidrIpv4"] == "0.0.0.0/0"
            assert rules() == []


def test_a_rule_is_the_same_by_the_number_and_by_the_name_of_its_protocol(ec2: Any) -> None:
    _, _, group = network(ec2)
    permission = {"FromPort": 80, "ToPort": 80, "IpRanges": ANYWHERE}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission | {"IpProtocol": "6"}])
    again = [permission | {"IpProtocol": "TCP"}]
    code, _ = refusal(ec2.authorize_security_group_ingress, GroupId=group, IpPermissions=again)
    assert code == "InvalidPermission.Duplicate"
    ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=again)
    assert ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissions"] == []


@pytest.mark.parametrize("direction", ["ingress", "egress"])
def test_a_rule_that_is_not_there_is_not_revoked_and_nor_are_those_beside_it(
    ec2: Any, direction: str
) -> None:
    _, _, group = network(ec2)
    there = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": ANYWHERE}
    absent = there | {"FromPort": 81, "ToPort": 81}
    getattr(ec2, f"authorize_security_group_{direction}")(GroupId=group, IpPermissions=[there])
    before = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
    revoke = getattr(ec2, f"revoke_security_group_{direction}")
    code, _ = refusal(revoke, GroupId=group, IpPermissions=[there, absent])
    assert code == "InvalidPermission.NotFound"
    assert ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"] == before


def test_in_a_default_vpc_what_could_not_be_revoked_is_told(ec2: Any) -> None:
    (vpc,) = ec2.describe_vpcs(Filters=by("is-default", "true"))["Vpcs"]
    group = ec2.create_security_group(GroupName="g", Description="g", VpcId=vpc["VpcId"])["GroupId"]
    absent = {"IpProtocol": "tcp", "FromPort": 81, "ToPort": 81, "IpRanges": ANYWHERE}
    everything = {"IpProtocol": "-1", "IpRanges": ANYWHERE}
    answer = ec2.revoke_security_group_egress(GroupId=group, IpPermissions=[absent, everything])
    assert [rule["FromPort"] for rule in answer["UnknownIpPermissions"]] == [81]
    assert [rule["IpProtocol"] for rule in answer["RevokedSecurityGroupRules"]] == ["-1"]


def test_a_rule_that_becomes_one_of_all_protocols_loses_its_ports(ec2: Any) -> None:
    _, _, group = network(ec2)
    permission = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": ANYWHERE}
    (made,) = ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission])[
        "SecurityGroupRules"
    ]
    changed = {"IpProtocol": "-1", "FromPort": 0, "ToPort": 0, "CidrIpv4": "0.0.0.0/0"}
    request = {"SecurityGroupRuleId": made["SecurityGroupRuleId"], "SecurityGroupRule": changed}
    ec2.modify_security_group_rules(GroupId=group, SecurityGroupRules=[request])
    (shown,) = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissions"]
    assert "FromPort" not in shown
    assert shown["IpProtocol"] == "-1"


def test_a_nat_gateway_holds_its_address_until_it_is_deleted(ec2: Any) -> None:
    _, (subnet, _), _ = network(ec2)
    allocation = ec2.allocate_address(Domain="vpc")["AllocationId"]
    gateway = ec2.create_nat_gateway(SubnetId=subnet, AllocationId=allocation)["NatGateway"]["NatGatewayId"]
    (described,) = ec2.describe_nat_gateways(NatGatewayIds=[gateway])["NatGateways"]
    (address,) = described["NatGatewayAddresses"]
    (elastic,) = ec2.describe_addresses(AllocationIds=[allocation])["Addresses"]
    assert described["State"] == "available"
    assert address["AllocationId"] == allocation
    assert address["PublicIp"] == elastic["PublicIp"]
    assert address["PrivateIp"] == elastic["PrivateIpAddress"]
    assert address["PrivateIp"].startswith("10.20.0.")
    assert elastic["NetworkInterfaceId"] == address["NetworkInterfaceId"]
    assert elastic["AssociationId"].startswith("eipassoc-")
    assert refusal(ec2.release_address, AllocationId=allocation)[0] == "InvalidIPAddress.InUse"
    assert refusal(ec2.delete_subnet, SubnetId=subnet)[0] == "DependencyViolation"
    ec2.delete_nat_gateway(NatGatewayId=gateway)
    (deleted,) = ec2.describe_nat_gateways(NatGatewayIds=[gateway])["NatGateways"]
    assert deleted["State"] == "deleted"
    ec2.release_address(AllocationId=allocation)
    ec2.delete_subnet(SubnetId=subnet)


def test_a_route_needs_a_target_that_exists_and_a_destination_that_is_free(ec2: Any) -> None:
    vpc, _, _ = network(ec2)
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    route = {"RouteTableId": table, "DestinationCidrBlock": "0.0.0.0/0"}
    assert refusal(ec2.create_route, **route, NatGatewayId="nat-nowhere")[0] == "InvalidNatGatewayID.NotFound"
    ec2.create_route(**route, GatewayId=gateway)
    assert refusal(ec2.create_route, **route, GatewayId=gateway)[0] == "RouteAlreadyExists"
    assert refusal(ec2.delete_internet_gateway, InternetGatewayId=gateway)[0] == "DependencyViolation"


def test_vpc_endpoints_come_back_whole(ec2: Any) -> None:
    vpc, subnets, group = network(ec2)
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    gateway = {"VpcId": vpc, "ServiceName": f"com.amazonaws.{REGION}.s3", "RouteTableIds": [table]}
    made = ec2.create_vpc_endpoint(**gateway)["VpcEndpoint"]
    assert_contains(made, gateway | {"VpcEndpointType": "Gateway", "State": "available"})
    assert '"Action": "*"' in made["PolicyDocument"]
    interface = {
        "VpcId": vpc,
        "ServiceName": f"com.amazonaws.{REGION}.ecr.api",
        "VpcEndpointType": "Interface",
        "SubnetIds": subnets,
        "PrivateDnsEnabled": True,
    }
    made = ec2.create_vpc_endpoint(**interface, SecurityGroupIds=[group])["VpcEndpoint"]
    assert_contains(made, interface | {"Groups": [{"GroupId": group}]})
    assert len(made["NetworkInterfaceIds"]) == len(made["DnsEntries"]) + 1 == 2
    endpoint = made["VpcEndpointId"]
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, RemoveSubnetIds=subnets[1:], PrivateDnsEnabled=False)
    (described,) = ec2.describe_vpc_endpoints(VpcEndpointIds=[endpoint])["VpcEndpoints"]
    assert described["SubnetIds"] == subnets[:1]
    assert described["PrivateDnsEnabled"] is False
    assert len(described["NetworkInterfaceIds"]) == 1
    ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])
    assert ec2.describe_network_interfaces()["NetworkInterfaces"] == []
    assert (
        refusal(ec2.describe_vpc_endpoints, VpcEndpointIds=[endpoint])[0] == "InvalidVpcEndpointId.NotFound"
    )


def test_a_flow_log_comes_back_whole_with_its_tags_and_once(ec2: Any, account: str) -> None:
    vpc = ec2.create_vpc(CidrBlock="10.20.0.0/16")["Vpc"]["VpcId"]
    sent = {
        "TrafficType": "REJECT",
        "LogDestinationType": "cloud-watch-logs",
        "LogDestination": f"arn:aws:logs:{REGION}:{account}:log-group:/aws/vpc/fileflow/flow-logs",
        "DeliverLogsPermissionArn": f"arn:aws:iam::{account}:role/flow-logs",
    }
    request: dict[str, Any] = {
        **sent,
        "ResourceIds": [vpc],
        "ResourceType": "VPC",
        "TagSpecifications": [
            {"ResourceType": "vpc-flow-log", "Tags": [{"Key": "Project", "Value": "fileflow"}]}
        ],
    }
    (made,) = ec2.create_flow_logs(**request)["FlowLogIds"]
    (found,) = ec2.describe_flow_logs(Filters=[{"Name": "resource-id", "Values": [vpc]}])["FlowLogs"]
    assert_contains(
        found,
        sent
        | {
            "FlowLogId": made,
            "FlowLogStatus": "ACTIVE",
            "LogGroupName": "/aws/vpc/fileflow/flow-logs",
            "MaxAggregationInterval": 600,
            "Tags": [{"Key": "Project", "Value": "fileflow"}],
        },
    )
    assert found["LogFormat"].startswith("${version} ${account-id}")
    assert refusal(ec2.create_flow_logs, **request)[0] == "FlowLogAlreadyExists"
    assert refusal(ec2.create_flow_logs, **request | {"TrafficType": "DENY"})[0] == "InvalidParameter"
    nowhere = request | {"ResourceIds": ["vpc-00000000000000000"]}
    assert refusal(ec2.create_flow_logs, **nowhere)[0] == "InvalidVpcId.NotFound"
    ec2.delete_flow_logs(FlowLogIds=[made])
    assert ec2.describe_flow_logs()["FlowLogs"] == []
    assert refusal(ec2.describe_flow_logs, FlowLogIds=[made])[0] == "InvalidFlowLogId.NotFound"
