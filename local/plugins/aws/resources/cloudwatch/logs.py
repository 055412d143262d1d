"""CloudWatch Logs: groups, metric filters, resource policies."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ...naming import AutoName
from ...resource import Call, Inputs, Resource, State, name_of, tag_changes, without_none
from ..calls import touched

_NO_LOGS = frozenset({"ResourceNotFoundException"})


class LogGroup(Resource):
    token = "aws:cloudwatch/logGroup:LogGroup"
    auto_name = AutoName(max_length=512)
    defaults = MappingProxyType({"skipDestroy": False})
    exclusive = (("name", "namePrefix"),)
    kept = frozenset({"skipDestroy"})
    missing = _NO_LOGS

    def create(self, call: Call, inputs: Inputs) -> str:
        logs, name = call.client("logs"), name_of(inputs)
        logs.create_log_group(
            logGroupName=name,
            **without_none(
                kmsKeyId=inputs.get("kmsKeyId") or None,
                logGroupClass=inputs.get("logGroupClass") or None,
                deletionProtectionEnabled=inputs.get("deletionProtectionEnabled"),
                tags=dict(inputs.get("tags") or {}) or None,
            ),
        )
        call.created(name)
        if inputs.get("retentionInDays"):
            logs.put_retention_policy(logGroupName=name, retentionInDays=inputs["retentionInDays"])
        return name

    def read(self, call: Call, resource_id: str, state: State) -> Mapping[str, Any] | None:
        logs = call.client("logs")
        found = logs.describe_log_groups(logGroupNamePrefix=resource_id)["logGroups"]
        group = next((group for group in found if group["logGroupName"] == resource_id), None)
        if group is None:
            return None
        arn = str(group["arn"]).removesuffix(":*")
        return {
            "arn": arn,
            "name": group["logGroupName"],
            "namePrefix": state.get("namePrefix", ""),
            "kmsKeyId": group.get("kmsKeyId", ""),
            "logGroupClass": group.get("logGroupClass", "STANDARD"),
            "deletionProtectionEnabled": bool(group.get("deletionProtectionEnabled", False)),
            "retentionInDays": group.get("retentionInDays", 0),
            "tagsAll": dict(logs.list_tags_for_resource(resourceArn=arn).get("tags") or {}),
        }

    def update(
        self, call: Call, resource_id: str, old: State, new: Inputs, changed: frozenset[str]
    ) -> str | None:
        logs = call.client("logs")
        if touched(changed, "retentionInDays"):
            if new.get("retentionInDays"):
                logs.put_retention_policy(logGroupName=resource_id, retentionInDays=new["retentionInDays"])
            else:
                logs.delete_retention_policy(logGroupName=resource_id)
        if touched(changed, "kmsKeyId"):
            if new.get("kmsKeyId"):
                logs.associate_kms_key(logGroupName=resource_id, kmsKeyId=new["kmsKeyId"])
            elif old.get("kmsKeyId"):
                logs.disassociate_kms_key(logGroupName=resource_id)
        if "deletionProtectionEnabled" in changed:
            logs.put_log_group_deletion_protection(
                logGroupIdentifier=resource_id,
                deletionProtectionEnabled=bool(new.get("deletionProtectionEnabled")),
            )
        wanted, surplus = tag_changes(old, new)
        if surplus:
            logs.untag_resource(resourceArn=old["arn"], tagKeys=surplus)
        if wanted:
            logs.tag_resource(resourceArn=old["arn"], tags=wanted)
        return None

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        if not state.get("skipDestroy"):
            call.client("logs").delete_log_group(logGroupName=resource_id)


class LogMetricFilter(Resource):
    token = "aws:cloudwatch/logMetricFilter:LogMetricFilter"
    auto_name = AutoName(max_length=512)
    defaults = MappingProxyType({"metricTransformation.unit": "None"})
    missing = _NO_LOGS

    def create(self, call: Call, inputs: Inputs) -> str:
        given = inputs["metricTransformation"]
        default = given.get("defaultValue")
        call.client("logs").put_metric_filter(
            logGroupName=inputs["logGroupName"],
            filterName=inputs["name"],
            filterPattern=str(inputs["pattern"]).strip(),
            metricTransformations=[
                without_none(
                    metricName=given["name"],
                    metricNamespace=given["namespace"],
                    metricValue=given["value"],
                    defaultValue=float(default) if default not in (None, "") else None,
                    dimensions=given.get("dimensions") or None,
                    unit=given.get("unit") or "None",
                )
            ],
            **without_none(applyOnTransformedLogs=inputs.get("applyOnTransformedLogs")),
        )
        return str(inputs["name"])

    def read(self, call: Call, resource_id: str, state: State) -> Mapping[str, Any] | None:
        group, name = state.get("logGroupName"), resource_id
        if not group:  # the id of an import is GROUP:FILTER
            group, _, name = resource_id.rpartition(":")
        answer = call.client("logs").describe_metric_filters(logGroupName=group, filterNamePrefix=name)
        found = next((f for f in answer["metricFilters"] if f["filterName"] == name), None)
        if found is None:
            return None
        made = found["metricTransformations"][0]
        default = made.get("defaultValue")
        return {
            "id": name,
            "name": name,
            "logGroupName": group,
            "pattern": found.get("filterPattern", ""),
            "applyOnTransformedLogs": bool(found.get("applyOnTransformedLogs", False)),
            "metricTransformation": {
                "name": made["metricName"],
                "namespace": made["metricNamespace"],
                "value": made["metricValue"],
                "defaultValue": "" if default is None else f"{float(default):g}",
                "dimensions": made.get("dimensions") or None,
                "unit": made.get("unit") or "None",
            },
        }

    def update(
        self, call: Call, resource_id: str, old: State, new: Inputs, changed: frozenset[str]
    ) -> str | None:
        self.create(call, new)
        return None

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        call.client("logs").delete_metric_filter(logGroupName=state["logGroupName"], filterName=resource_id)


class LogResourcePolicy(Resource):
    token = "aws:cloudwatch/logResourcePolicy:LogResourcePolicy"
    policies = frozenset({"policyDocument"})
    exclusive = (("policyName", "resourceArn"),)
    missing = _NO_LOGS

    def create(self, call: Call, inputs: Inputs) -> str:
        call.client("logs").put_resource_policy(
            policyDocument=inputs["policyDocument"],
            **without_none(policyName=inputs.get("policyName"), resourceArn=inputs.get("resourceArn")),
        )
        return str(inputs.get("policyName") or inputs["resourceArn"])

    def read(self, call: Call, resource_id: str, state: State) -> Mapping[str, Any] | None:
        found = call.client("logs").describe_resource_policies()["resourcePolicies"]
        policy = next(
            (p for p in found if resource_id in (p.get("policyName"), p.get("resourceArn"))),
            None,
        )
        if policy is None:
            return None
        return {
            "policyName": policy.get("policyName", ""),
            "policyDocument": policy["policyDocument"],
            "policyScope": policy.get("policyScope", "ACCOUNT"),
            "resourceArn": policy.get("resourceArn", ""),
            "revisionId": policy.get("revisionId", ""),
        }

    def update(
        self, call: Call, resource_id: str, old: State, new: Inputs, changed: frozenset[str]
    ) -> str | None:
        self.create(call, new)
        return None

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        place = {"resourceArn": resource_id} if state.get("resourceArn") else {"policyName": resource_id}
        call.client("logs").delete_resource_policy(**place)
