"""EC2's flow logs: what they were made with comes back, with its tags.

Owns them; ministack keeps none of role, format, interval and tags. Deliberately logs no traffic.
Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateFlowLogs.html
"""

from __future__ import annotations

import time

from ministack.core.responses import AccountRegionScopedDict

from local.emulator.completions.ec2 import described, existing, forget_tags, new_id, tag_as_asked
from local.emulator.completions.ec2_subnets import vpcs
from local.emulator.completions.patching import AwsError, Request
from local.emulator.completions.protocols import Result, serve

_DEFAULT_FORMAT = (
    "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} "
    "${packets} ${bytes} ${start} ${end} ${action} ${log-status}"
)
_TRAFFIC = ("ACCEPT", "REJECT", "ALL")
_IDENTITY = ("ResourceId", "TrafficType", "LogDestination", "LogGroupName")

_flow_logs = AccountRegionScopedDict()


def install() -> None:
    """Completes flow logs."""
    serve(
        "ec2",
        {
            "CreateFlowLogs": _create_flow_logs,
            "DescribeFlowLogs": described(
                "FlowLogId", "FlowLogs", lambda: _flow_logs, "InvalidFlowLogId.NotFound"
            ),
            "DeleteFlowLogs": _delete_flow_logs,
        },
    )


def _create_flow_logs(request: Request) -> Result:
    destination = request.get("LogDestination", "")
    kind = request.get("LogDestinationType") or "cloud-watch-logs"
    role, traffic = request.get("DeliverLogsPermissionArn"), request.get("TrafficType")
    group = request.get("LogGroupName") or destination.removesuffix(":*").rpartition(":log-group:")[2]
    if traffic not in _TRAFFIC:
        raise AwsError("InvalidParameter", f"Invalid traffic type '{traffic}': it is ACCEPT, REJECT or ALL")
    if kind == "cloud-watch-logs" and role is None:
        raise AwsError("InvalidParameter", "DeliverLogsPermissionArn can't be empty")
    made = []
    for resource in request["ResourceIds"]:
        if resource.startswith("vpc-"):
            existing(vpcs(), resource, "InvalidVpcId.NotFound", "Vpc Id")
        flow_log_id = new_id("fl")
        flow_log = {
            "FlowLogId": flow_log_id,
            "ResourceId": resource,
            "TrafficType": traffic,
            "LogDestinationType": kind,
            "LogDestination": destination,
            "LogGroupName": group if kind == "cloud-watch-logs" else None,
            "DeliverLogsPermissionArn": role,
            "DeliverLogsStatus": "SUCCESS",
            "LogFormat": request.get("LogFormat") or _DEFAULT_FORMAT,
            "MaxAggregationInterval": request.get("MaxAggregationInterval") or 600,
            "FlowLogStatus": "ACTIVE",
            "CreationTime": time.time(),
        }
        if any(all(known[name] == flow_log[name] for name in _IDENTITY) for known in _flow_logs.values()):
            raise AwsError(
                "FlowLogAlreadyExists",
                "Error. There is an existing Flow Log with the same configuration and log destination.",
            )
        _flow_logs[flow_log_id] = flow_log
        made.append(flow_log_id)
    tag_as_asked(request, "vpc-flow-log", made)
    return {"FlowLogIds": made, "Unsuccessful": []}


def _delete_flow_logs(request: Request) -> Result:
    for flow_log in request["FlowLogIds"]:
        existing(_flow_logs, flow_log, "InvalidFlowLogId.NotFound", "specified Flow Log ID")
        del _flow_logs[flow_log]
        forget_tags(flow_log)
    return {"Unsuccessful": []}
