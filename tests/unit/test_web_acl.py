"""The web ACL that a load balancer may have made for it."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from components.options import Logging
from components.validation import InvalidArgumentError
from components.web_options import WebAcl
from tests.unit import type_tokens as t
from tests.unit.builders import KEY_ARN, WEB_ACL_ARN, load_balancing
from tests.unit.parts import record_balancer
from tests.unit.recorder import Recording

ACL = "aws:wafv2/webAcl:WebAcl"
COUNTING = WebAcl(
    name="fileflow-prod-alb",
    log_group_name="aws-waf-logs-fileflow-prod",
    logging=Logging(retention_days=365, kms_key_arn=KEY_ARN),
)


def rules(recording: Recording) -> dict[str, Any]:
    """The ACL's rules by their names."""
    return {each["name"]: each for each in recording.only(ACL).inputs["rules"]}


def test_a_new_acl_counts_what_it_would_block_and_lets_everything_through() -> None:
    recording = record_balancer(web_acl=COUNTING)

    assert recording.only(ACL).inputs["defaultAction"] == {"allow": {}}
    found = rules(recording)
    assert list(found) == [
        "rate-per-address",
        "AWSManagedRulesKnownBadInputsRuleSet",
        "AWSManagedRulesCommonRuleSet",
    ]
    assert found["rate-per-address"]["action"] == {"count": {}}
    assert {each["overrideAction"].popitem()[0] for each in list(found.values())[1:]} == {"count"}


def test_a_blocking_acl_still_takes_large_files() -> None:
    found = rules(record_balancer(web_acl=dataclasses.replace(COUNTING, action="block")))

    assert found["rate-per-address"]["action"] == {"block": {}}
    common = found["AWSManagedRulesCommonRuleSet"]
    assert common["overrideAction"] == {"none": {}}
    overrides = common["statement"]["managedRuleGroupStatement"]["ruleActionOverrides"]
    assert overrides == [{"name": "SizeRestrictions_BODY", "actionToUse": {"count": {}}}]


def test_what_it_counts_and_blocks_is_logged_without_what_lets_somebody_in() -> None:
    recording = record_balancer(web_acl=COUNTING)

    group = recording.only(t.LOG_GROUP).inputs
    assert (group["name"], group["retentionInDays"], group["kmsKeyId"]) == (
        "aws-waf-logs-fileflow-prod",
        365,
        KEY_ARN,
    )
    logging = recording.only("aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration").inputs
    assert logging["loggingFilter"]["defaultBehavior"] == "DROP"
    assert [each["singleHeader"]["name"] for each in logging["redactedFields"]] == ["authorization", "cookie"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"action": "drop"}, "web_acl.action"),
        ({"requests_per_five_minutes": 9}, "web_acl.requests_per_five_minutes"),
        ({"log_group_name": "waf"}, "web_acl.log_group_name"),
    ],
)
def test_what_waf_refuses_is_refused(change: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidArgumentError, match=field):
        dataclasses.replace(COUNTING, **change)


@pytest.mark.parametrize("change", [{"web_acl": COUNTING}, {"web_acl_arn": WEB_ACL_ARN}])
def test_another_acl_takes_the_place_of_one_that_is_taken_off_first(change: dict[str, Any]) -> None:
    assert record_balancer(**change).only(t.WEB_ACL_ASSOCIATION).delete_before_replace is True


def test_a_load_balancer_has_one_acl() -> None:
    with pytest.raises(InvalidArgumentError, match="web_acl makes one"):
        load_balancing(web_acl=COUNTING, web_acl_arn=WEB_ACL_ARN)
