"""EC2's flow logs: what they were made with comes back, with its tags.

Owns creating and describing them, which ministack does without role, format, interval and tags. Deliberately
logs no traffic: there is none.
"""

from __future__ import annotations

from typing import Any

from ministack.services import ec2

from local.emulator.completions.ec2 import answering_errors, described, new_id, rendered, tag_set, xml
from local.emulator.completions.patching import AwsError, Response

_DEFAULT_FORMAT = (
    "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} "
    "${packets} ${bytes} ${start} ${end} ${action} ${log-status}"
)
_TRAFFIC = ("ACCEPT", "REJECT", "ALL")


def install() -> None:
    """Completes flow logs."""
    actions = {
        "CreateFlowLogs": _create_flow_logs,
        "DescribeFlowLogs": described(
            "FlowLogId",
            "flowLogSet",
            lambda: ec2._flow_logs,
            lambda flow_log: {
                "resource-id": [flow_log["resourceId"]],
                "traffic-type": [flow_log["trafficType"]],
                "log-group-name": [flow_log["logGroupName"] or ""],
            },
            lambda flow_log: f"<item>{xml(_view(flow_log))}</item>",
            "InvalidFlowLogId",
        ),
    }
    for action, handler in actions.items():
        ec2._ACTION_MAP[action] = answering_errors(handler)


def _view(flow_log: dict[str, Any]) -> dict[str, Any]:
    return flow_log | {"tagSet": tag_set(flow_log["flowLogId"])}


def _create_flow_logs(parameters: dict[str, Any]) -> Response:
    """Refuses what AWS refuses: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateFlowLogs.html"""
    destination = ec2._p(parameters, "LogDestination")
    kind = ec2._p(parameters, "LogDestinationType") or "cloud-watch-logs"
    role = ec2._p(parameters, "DeliverLogsPermissionArn") or None
    traffic = ec2._p(parameters, "TrafficType")
    group = ec2._p(parameters, "LogGroupName") or destination.removesuffix(":*").rpartition(":log-group:")[2]
    if traffic not in _TRAFFIC:
        raise AwsError("InvalidParameter", f"Invalid traffic type '{traffic}': it is ACCEPT, REJECT or ALL")
    if kind == "cloud-watch-logs" and role is None:
        raise AwsError("InvalidParameter", "DeliverLogsPermissionArn can't be empty")
    made = []
    for resource in ec2._parse_member_list(parameters, "ResourceId"):
        if resource.startswith("vpc-") and resource not in ec2._vpcs:
            raise AwsError("InvalidVpcId.NotFound", f"The Vpc Id {resource} does not exist")
        wanted = (resource, traffic, destination, group)
        for known in ec2._flow_logs.values():
            if wanted == tuple(known[name] for name in _IDENTITY):
                raise AwsError(
                    "FlowLogAlreadyExists",
                    "Error. There is an existing Flow Log with the same configuration and log destination.",
                )
        flow_log_id = new_id("fl")
        ec2._flow_logs[flow_log_id] = {
            "flowLogId": flow_log_id,
            "resourceId": resource,
            "trafficType": traffic,
            "logDestinationType": kind,
            "logDestination": destination,
            "logGroupName": group if kind == "cloud-watch-logs" else None,
            "deliverLogsPermissionArn": role,
            "deliverLogsStatus": "SUCCESS",
            "logFormat": ec2._p(parameters, "LogFormat") or _DEFAULT_FORMAT,
            "maxAggregationInterval": ec2._p(parameters, "MaxAggregationInterval") or "600",
            "flowLogStatus": "ACTIVE",
            "creationTime": ec2._now_ts(),
        }
        ec2._parse_tag_specs(parameters, "vpc-flow-log", flow_log_id)
        made.append(flow_log_id)
    return rendered("CreateFlowLogs", xml({"flowLogIdSet": made, "unsuccessful": []}))


_IDENTITY = ("resourceId", "trafficType", "logDestination", "logGroupName")
