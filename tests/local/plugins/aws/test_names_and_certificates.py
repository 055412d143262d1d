"""Route 53 records, ACM and WAF through the stand-in, on the emulated AWS."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.plugins.aws.case import Aws
from tests.local.plugins.aws.life import Life
from tests.local.plugins.aws.plugin import Plugin, RefusedError

RECORD = "aws:route53/record:Record"


@pytest.fixture
def zone_id(aws: Aws) -> str:
    zone = aws("route53").create_hosted_zone(Name="shop.example.com", CallerReference="shop")["HostedZone"]
    return str(zone["Id"]).removeprefix("/hostedzone/")


def test_a_record_changes_even_its_type_in_place_and_its_id_with_it(plugin: Plugin, zone_id: str) -> None:
    name = "_proof.api.shop.example.com"
    target = ["one.acm-validations.aws."]
    record = Life(
        plugin,
        "route53/record:Record",
        zoneId=zone_id,
        name=f"{name}.",
        type="CNAME",
        records=target,
        ttl=300,
    )
    assert (record.id, record.outputs["fqdn"]) == (f"{zone_id}_{name}_CNAME", name)
    record.change(type="A", records=["10.0.0.1"])
    assert record.id == f"{zone_id}_{name}_A"
    record.delete()


def test_a_weighted_record_is_refused_and_somebody_elses_is_left_alone(
    plugin: Plugin, zone_id: str, aws: Aws
) -> None:
    record = {
        "zoneId": zone_id,
        "name": "api.shop.example.com",
        "type": "A",
        "records": ["10.0.0.1"],
        "ttl": 60,
    }
    weighted = {**record, "setIdentifier": "one", "weightedRoutingPolicies": [{"weight": 1}]}
    assert plugin.check(RECORD, weighted).failures.keys() == {"setIdentifier", "weightedRoutingPolicies"}
    aws("route53").change_resource_record_sets(
        HostedZoneId=zone_id,
        ChangeBatch={
            "Changes": [
                {
                    "Action": "CREATE",
                    "ResourceRecordSet": {
                        "Name": record["name"],
                        "Type": "A",
                        "TTL": 60,
                        "SetIdentifier": "one",
                        "Weight": 1,
                        "ResourceRecords": [{"Value": "10.0.0.1"}],
                    },
                }
            ]
        },
    )
    assert plugin.read(RECORD, f"{zone_id}_api.shop.example.com_A") is None


def test_a_certificate_is_issued_once_its_records_are_there(plugin: Plugin, zone_id: str) -> None:
    certificate = Life(
        plugin, "acm/certificate:Certificate", domainName="api.shop.example.com", validationMethod="DNS"
    )
    (proof,) = certificate.outputs["domainValidationOptions"]
    with pytest.raises(RefusedError, match="`validationRecordFqdns` lacks _"):
        Life(
            plugin,
            "acm/certificateValidation:CertificateValidation",
            certificateArn=certificate.id,
            validationRecordFqdns=["other.shop.example.com"],
        )
    record = Life(
        plugin,
        "route53/record:Record",
        zoneId=zone_id,
        name=proof["resourceRecordName"],
        type=proof["resourceRecordType"],
        records=[proof["resourceRecordValue"]],
        ttl=300,
    )
    validation = Life(
        plugin,
        "acm/certificateValidation:CertificateValidation",
        certificateArn=certificate.id,
        validationRecordFqdns=[record.outputs["fqdn"]],
    )
    assert validation.outputs["certificateArn"] == certificate.id
    certificate.outputs, _ = certificate.refreshed()
    assert certificate.outputs["status"] == "ISSUED"
    certificate.imported()
    plugin.delete(validation.token, validation.outputs)
    certificate.delete()


def web_acl_rule(action: str) -> dict[str, Any]:
    """A rule on AWS's managed rules, in which one counts."""
    return {
        "name": "common",
        "priority": 1,
        "overrideAction": {action: {}},
        "statement": {
            "managedRuleGroupStatement": {
                "name": "AWSManagedRulesCommonRuleSet",
                "vendorName": "AWS",
                "ruleActionOverrides": [{"name": "SizeRestrictions_BODY", "actionToUse": {"count": {}}}],
            }
        },
        "visibilityConfig": METRICS,
    }


METRICS: dict[str, Any] = {
    "cloudwatchMetricsEnabled": True,
    "metricName": "web",
    "sampledRequestsEnabled": True,
}


def test_a_web_acl_keeps_its_rules_its_log_and_its_id_when_it_changes(plugin: Plugin, aws: Aws) -> None:
    acl = Life(
        plugin,
        "wafv2/webAcl:WebAcl",
        name="made",
        scope="REGIONAL",
        defaultAction={"allow": {}},
        rules=[web_acl_rule("count")],
        visibilityConfig=METRICS,
    )
    stored = aws("wafv2").get_web_acl(Name="made", Scope="REGIONAL", Id=acl.id)["WebACL"]
    assert stored["VisibilityConfig"]["CloudWatchMetricsEnabled"] is True
    assert stored["Rules"][0]["Statement"]["ManagedRuleGroupStatement"]["RuleActionOverrides"] == [
        {"Name": "SizeRestrictions_BODY", "ActionToUse": {"Count": {}}}
    ]
    aws("logs").create_log_group(logGroupName="aws-waf-logs-made")
    group = "arn:aws:logs:ap-northeast-2:123456789012:log-group:aws-waf-logs-made"
    logging = Life(
        plugin,
        "wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration",
        resourceArn=acl.outputs["arn"],
        logDestinationConfigs=[group],
        redactedFields=[{"singleHeader": {"name": "authorization"}}],
    )
    logging.imported()
    logging.change(redactedFields=[{"method": {}}])
    assert logging.replaced_by(logDestinationConfigs=[f"{group}-others"]) == ["logDestinationConfigs"]

    acl.change(rules=[web_acl_rule("none")])
    stored = aws("wafv2").get_web_acl(Name="made", Scope="REGIONAL", Id=acl.id)["WebACL"]
    assert stored["Rules"][0]["OverrideAction"] == {"None": {}}

    logging.delete()
    acl.delete()
    left = aws("wafv2").list_web_acls(Scope="REGIONAL")["WebACLs"]
    assert [each for each in left if each["Name"] == "made"] == []


def test_waf_refuses_a_log_that_isnt_named_for_it(plugin: Plugin, aws: Aws) -> None:
    acl = Life(
        plugin,
        "wafv2/webAcl:WebAcl",
        name="unlogged",
        scope="REGIONAL",
        defaultAction={"allow": {}},
        visibilityConfig=METRICS,
    )
    with pytest.raises(ClientError, match="WAFLogDestinationPermissionIssue"):
        aws("wafv2").put_logging_configuration(
            LoggingConfiguration={
                "ResourceArn": acl.outputs["arn"],
                "LogDestinationConfigs": ["arn:aws:logs:ap-northeast-2:123456789012:log-group:others"],
            }
        )
    acl.delete()
