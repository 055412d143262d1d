"""Security groups and their rules, inside and on their own, through the stand-in on the emulated AWS."""

from __future__ import annotations

import pytest

from local.plugins.aws.resources.ec2 import permissions
from tests.local.plugins.aws.case import Aws
from tests.local.plugins.aws.life import Life
from tests.local.plugins.aws.plugin import Plugin

EVERYWHERE = ["0.0.0.0/0"]


@pytest.fixture
def group(plugin: Plugin, vpc: Life) -> Life:
    return Life(plugin, "ec2/securityGroup:SecurityGroup", vpcId=vpc.id, description="tasks")


def test_a_group_starts_without_the_rule_that_aws_gives_every_group(group: Life, aws: Aws) -> None:
    assert group.outputs["egress"] == group.outputs["ingress"] == []
    (there,) = aws("ec2").describe_security_groups(GroupIds=[group.id])["SecurityGroups"]
    assert there["IpPermissionsEgress"] == []


def test_rules_inside_of_a_group_change_one_by_one_and_survive_an_import(
    plugin: Plugin, vpc: Life, group: Life, aws: Aws
) -> None:
    http = {"protocol": "tcp", "fromPort": 80, "toPort": 80, "cidrBlocks": EVERYWHERE, "description": "http"}
    https = {"protocol": "6", "fromPort": 443, "toPort": 443, "cidrBlocks": EVERYWHERE}
    out = {"protocol": "-1", "fromPort": 0, "toPort": 0, "cidrBlocks": EVERYWHERE}
    front = Life(
        plugin,
        "ec2/securityGroup:SecurityGroup",
        "front",
        vpcId=vpc.id,
        ingress=[http, https],
        egress=[out],
    )
    assert front.outputs["description"] == "Managed by Pulumi"
    front.change(ingress=[https])
    front.change(ingress=[{**https, "securityGroups": [group.id], "self": True}])
    front.change(egress=[{**out, "ipv6CidrBlocks": ["::/0"]}])
    assert front.change(ingress=[])["ingress"] == []
    front.change(tags={"Name": "front"})
    front.change(ingress=[http])
    front.imported(unknowable=["revokeRulesOnDelete"])

    aws("ec2").authorize_security_group_ingress(
        GroupId=front.id,
        IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "1.2.3.4/32"}]}
        ],
    )
    assert front.put_back() == ["ingress"]
    (there,) = aws("ec2").describe_security_groups(GroupIds=[front.id])["SecurityGroups"]
    assert [rule["FromPort"] for rule in there["IpPermissions"]] == [80]
    assert front.replaced_by(description="other") == ["description"]
    front.delete()


def test_rules_of_their_own_leave_the_groups_arguments_alone(plugin: Plugin, vpc: Life, group: Life) -> None:
    front = Life(plugin, "ec2/securityGroup:SecurityGroup", "front", vpcId=vpc.id)
    from_front = Life(
        plugin,
        "vpc/securityGroupIngressRule:SecurityGroupIngressRule",
        securityGroupId=group.id,
        referencedSecurityGroupId=front.id,
        ipProtocol="tcp",
        fromPort=8083,
        toPort=8083,
        description="the load balancer",
    )
    to_all = Life(
        plugin,
        "vpc/securityGroupEgressRule:SecurityGroupEgressRule",
        securityGroupId=group.id,
        ipProtocol="-1",
        cidrIpv4="0.0.0.0/0",
    )
    assert (to_all.outputs["fromPort"], to_all.outputs["toPort"]) == (None, None)
    from_front.imported()
    to_all.imported()
    _, inputs = group.refreshed()
    assert inputs == group.inputs

    assert from_front.change(fromPort=8000)["fromPort"] == 8000
    from_front.change(description="tasks of the web API")
    from_front.change(tags={"Name": "web"})
    from_front.change(referencedSecurityGroupId=None, cidrIpv4="10.0.0.0/8")
    to_all.change(cidrIpv4="10.0.0.0/8")
    assert from_front.replaced_by(securityGroupId=front.id) == ["securityGroupId"]
    for resource in (from_front, to_all, front, group):
        resource.delete()


def test_the_default_group_of_a_vpc_is_emptied_and_kept(plugin: Plugin, vpc: Life, aws: Aws) -> None:
    default = Life(plugin, "ec2/defaultSecurityGroup:DefaultSecurityGroup", vpcId=vpc.id)
    assert default.id == vpc.outputs["defaultSecurityGroupId"]
    assert default.outputs["egress"] == default.outputs["ingress"] == []
    default.change(ingress=[{"protocol": "tcp", "fromPort": 1, "toPort": 2, "self": True}])
    plugin.delete(default.token, default.outputs)
    assert aws("ec2").describe_security_groups(GroupIds=[default.id])["SecurityGroups"]


def test_a_known_rule_comes_back_as_it_was_given_and_what_is_new_comes_after() -> None:
    known = [
        {"protocol": "tcp", "fromPort": 80, "toPort": 80, "cidrBlocks": ["10.0.0.0/8"]},
        {"protocol": "tcp", "fromPort": 80, "toPort": 80, "cidrBlocks": ["11.0.0.0/8"]},
    ]
    in_aws = permissions.of_aws(
        [
            {
                "IpProtocol": "tcp",
                "FromPort": 80,
                "ToPort": 80,
                "IpRanges": [{"CidrIp": f"{first}.0.0.0/8"} for first in (10, 11, 12, 13)],
            }
        ]
    )
    found = permissions.to_arguments(in_aws, "sg-1", known)
    assert sorted(rule["cidrBlocks"] for rule in found) == [
        ["10.0.0.0/8"],
        ["11.0.0.0/8"],
        ["12.0.0.0/8", "13.0.0.0/8"],
    ]


def test_all_protocols_are_asked_for_without_ports() -> None:
    wanted = permissions.of_arguments([{"protocol": "all", "fromPort": 0, "toPort": 0, "self": True}], "sg-1")
    assert permissions.to_aws(wanted) == [{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": "sg-1"}]}]
