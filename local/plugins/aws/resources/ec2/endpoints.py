"""What belongs to a VPC besides its networks: endpoints, by which it reaches services, and flow logs.

Deliberately not here: endpoints of other services than AWS's own, their policies, addresses and names, and
flow logs of anything else than a whole VPC.
Sources of what replaces and of the defaults: vpc_endpoint.go and vpc_flow_log.go of
https://github.com/hashicorp/terraform-provider-aws/tree/main/internal/service/ec2
"""

from __future__ import annotations

from typing import Any, Final

from ...modelled import Ask
from ...resource import Answer, Call, Inputs, Names, Outputs, State, facts, names, pairs
from ..calls import added_and_removed, one
from .common import Ec2

_MEMBERS: Final = {
    "routeTableIds": "RouteTableIds",
    "securityGroupIds": "SecurityGroupIds",
    "subnetIds": "SubnetIds",
}


class VpcEndpoint(Ec2):
    token = "aws:ec2/vpcEndpoint:VpcEndpoint"
    kind = "vpc-endpoint"
    made_by = Ask("CreateVpcEndpoint", "VpcEndpoint")
    read_by = (Ask("DescribeVpcEndpoints", "VpcEndpoints"),)
    changed_by = (Ask("ModifyVpcEndpoint"),)
    deleted_by = Ask("DeleteVpcEndpoints")
    ready = ("State", "available")
    noun = "VpcEndpoint"
    named = pairs("policy=PolicyDocument securityGroupIds=SecurityGroupIds|Groups.GroupId")
    replacing = names("serviceName vpcEndpointType vpcId")
    lacking = names("""autoAccept dnsOptions ipAddressType policy resourceConfigurationArn serviceNetworkArn
        serviceRegion subnetConfigurations""")
    required = names("serviceName")
    by_hand = Ec2.by_hand | {*_MEMBERS, "cidrBlocks", "prefixListId"}
    defaults = facts(vpcEndpointType="Gateway")
    policies = names("policy")
    sets = frozenset(_MEMBERS)
    missing = names("InvalidVpcEndpoint.NotFound InvalidVpcEndpointId.NotFound")

    def replaced_by(self, argument: str, new: Inputs) -> bool:
        if argument == "privateDnsEnabled":
            return new.get("vpcEndpointType") != "Interface"
        return super().replaced_by(argument, new)

    def read(self, call: Call, resource_id: str, state: State) -> Outputs | None:
        outputs = super().read(call, resource_id, state)
        if not outputs:
            return None
        filters = [{"Name": "prefix-list-name", "Values": [outputs["serviceName"]]}]
        prefixes = one(self._send(call, "DescribePrefixLists", {"Filters": filters})["PrefixLists"]) or {}
        return {
            **outputs,
            **{name: sorted(outputs[name]) for name in (*_MEMBERS, "networkInterfaceIds")},
            "cidrBlocks": sorted(prefixes.get("Cidrs", ())),
            "prefixListId": prefixes.get("PrefixListId", ""),
        }

    def update(self, call: Call, resource_id: str, old: State, new: Inputs, changed: Names) -> str | None:
        wanted: dict[str, Any] = {}
        for name, member in _MEMBERS.items():
            if new.get(name) is not None:
                added, removed = added_and_removed(old.get(name), new[name])
                wanted |= {f"Add{member}": added} if added else {}
                wanted |= {f"Remove{member}": removed} if removed else {}
        if wanted:
            self._send(call, "ModifyVpcEndpoint", {"VpcEndpointId": resource_id, **wanted})
            self._settle(call, resource_id, old)
        return super().update(call, resource_id, old, new, changed)


class FlowLog(Ec2):
    """Flow logs can't be changed: all but their tags replaces them."""

    token = "aws:ec2/flowLog:FlowLog"
    kind = "vpc-flow-log"
    made_by = Ask("CreateFlowLogs", fixed={"ResourceType": "VPC"})
    read_by = (Ask("DescribeFlowLogs", "FlowLogs"),)
    deleted_by = Ask("DeleteFlowLogs")
    noun = "FlowLog"
    named = pairs("iamRoleArn=DeliverLogsPermissionArn vpcId=ResourceIds|ResourceId")
    replacing = names("""iamRoleArn logDestination logDestinationType logFormat maxAggregationInterval
        trafficType vpcId""")
    lacking = names("""deliverCrossAccountRole destinationOptions eniId regionalNatGatewayId subnetId
        tagFieldSpecifications transitGatewayAttachmentId transitGatewayId""")
    required = names("vpcId")
    defaults = facts(logDestinationType="cloud-watch-logs", maxAggregationInterval=600)
    same = facts(logDestination=lambda left, right: _log_group(left) == _log_group(right))
    missing = names("InvalidFlowLogId.NotFound")

    def told(self, outputs: Outputs, found: Answer, state: State) -> Outputs:
        # What the emulated AWS doesn't answer is as it was asked for.
        unsaid = ("iamRoleArn", "logFormat", "maxAggregationInterval")
        return {**outputs, **{name: outputs[name] or state.get(name) for name in unsaid}}


def _log_group(arn: Any) -> str:
    """A log group's ARN ends in `:*` or it doesn't; both name the group."""
    return str(arn or "").removesuffix(":*")
