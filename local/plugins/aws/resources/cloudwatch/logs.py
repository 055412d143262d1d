"""CloudWatch Logs: groups, metric filters, and policies of the account.

Doesn't own a group's class and protection, transformed logs, dimensions and default values of a filter's
metric, and policies of single groups.
Sources of what replaces and of the defaults: `ForceNew` and `Default` in group.go, metric_filter.go and
resource_policy.go of https://github.com/hashicorp/terraform-provider-aws/tree/main/internal/service/logs
"""

from __future__ import annotations

from ...modelled import Ask, Modelled
from ...naming import AutoName
from ...resource import facts, names, pairs


class LogGroup(Modelled):
    token = "aws:cloudwatch/logGroup:LogGroup"
    service = "logs"
    made_by = Ask("CreateLogGroup")
    read_by = (Ask("DescribeLogGroups", "logGroups", same=("name",)),)
    changed_by = (
        Ask("PutRetentionPolicy", only=("retentionInDays",), without="DeleteRetentionPolicy"),
        Ask("AssociateKmsKey", only=("kmsKeyId",), without="DisassociateKmsKey"),
    )
    deleted_by = Ask("DeleteLogGroup")
    noun = "logGroup"
    named = pairs("arn=logGroupArn name=logGroupName|logGroupNamePrefix")
    replacing = names("logGroupClass name")
    lacking = names("deletionProtectionEnabled logGroupClass namePrefix skipDestroy")
    auto_name = AutoName(max_length=512)
    defaults = facts(skipDestroy=False)


class LogMetricFilter(Modelled):
    token = "aws:cloudwatch/logMetricFilter:LogMetricFilter"
    service = "logs"
    key = "logGroupName:name"
    identity = "name"
    made_by = Ask("PutMetricFilter", whole=True)
    read_by = (Ask("DescribeMetricFilters", "metricFilters", same=("name",)),)
    deleted_by = Ask("DeleteMetricFilter")
    noun = "filter"
    named = pairs("""metricTransformation.name=metricName metricTransformation.namespace=metricNamespace
        metricTransformation.value=metricValue name=filterName|filterNamePrefix""")
    replacing = names("logGroupName name")
    lacking = names("""applyOnTransformedLogs metricTransformation.defaultValue
        metricTransformation.dimensions""")
    auto_name = AutoName(max_length=512)
    defaults = facts({"metricTransformation.unit": "None"})


class LogResourcePolicy(Modelled):
    token = "aws:cloudwatch/logResourcePolicy:LogResourcePolicy"
    service = "logs"
    key = "policyName"
    made_by = Ask("PutResourcePolicy", whole=True)
    read_by = (Ask("DescribeResourcePolicies", "resourcePolicies", same=("policyName",)),)
    deleted_by = Ask("DeleteResourcePolicy")
    replacing = names("policyName resourceArn")
    lacking = names("resourceArn")
    required = names("policyName")
    policies = names("policyDocument")
