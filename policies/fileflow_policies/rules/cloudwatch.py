"""Logs that go away in time, and alarms that somebody hears."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from pulumi_policy import Severity

from ..resources import Resource, Stack
from ..rule import FSBP, Catalogue, Finding, Framework, Settings, Threshold

catalogue: Final = Catalogue()

LOG_GROUP: Final = "aws:cloudwatch/logGroup:LogGroup"
METRIC_ALARM: Final = "aws:cloudwatch/metricAlarm:MetricAlarm"
COMPOSITE_ALARM: Final = "aws:cloudwatch/compositeAlarm:CompositeAlarm"
_CONTROLS_URL: Final = "https://docs.aws.amazon.com/securityhub/latest/userguide/cloudwatch-controls.html"


@catalogue.resource(
    LOG_GROUP,
    name="cloudwatch-log-retention",
    description="a log group keeps its logs for a set time",
    severity=Severity.MEDIUM,
    framework=Framework(FSBP, "CloudWatch.16"),
    remediation="Set retentionInDays. Left out or 0, logs are kept and paid for without end.",
    url=_CONTROLS_URL + "#cloudwatch-16",
    tags=("cloudwatch", "logging", "cost", "checkov:CKV_AWS_66"),
    thresholds={
        "minimumDays": Threshold(
            7, {"type": "integer", "minimum": 1, "maximum": 3653}, "the shortest retention, in days"
        )
    },
)
def log_retention(resource: Resource, settings: Settings) -> Iterator[Finding]:
    value = resource["retentionInDays"]
    days = value.integer()
    least = settings.integer("minimumDays")
    if days is None or days < least:
        yield Finding(
            f"retentionInDays is {value.shown()}",
            f"set retentionInDays to {least} or more",
            advisory=value.unknown,
        )


@catalogue.stack(
    name="cloudwatch-alarm-action",
    description="an alarm tells somebody",
    severity=Severity.MEDIUM,
    framework=Framework(FSBP, "CloudWatch.15"),
    remediation="Set alarmActions to an SNS topic's ARN, on the alarm or on a composite alarm that names it.",
    url=_CONTROLS_URL + "#cloudwatch-15",
    tags=(
        "cloudwatch",
        "prowler:cloudwatch_alarm_actions_alarm_state_configured",
        "isms-p:2.9.4",
        "isms-p:2.10.1",
        "isms-p:2.10.2",
        "isms-p:2.11.3",
    ),
    production=True,
    setting="alarms.emails, https_endpoints or topic_arns",
)
def alarm_action(stack: Stack, _settings: Settings) -> Iterator[Finding]:
    """A topic's ARN may be unknown at preview; that it is there is enough."""
    composites = [each for each in stack.of(COMPOSITE_ALARM) if not each["alarmActions"].surely_empty]
    named = {other.urn_text for each in composites for other in stack.referenced(each, "alarmRule")}
    rules = " ".join(each["alarmRule"].text() or "" for each in composites)
    for alarm in stack.of(METRIC_ALARM, COMPOSITE_ALARM):
        value = alarm["alarmActions"]
        name = alarm["name"].text()
        heard = alarm.urn_text in named or (name is not None and re.search(rf"\b{re.escape(name)}\b", rules))
        if value.surely_empty and not heard:
            yield Finding(
                f"alarmActions is {value.shown()}",
                "set alarmActions to an SNS topic's ARN",
                alarm,
                advisory=value.unknown,
            )


@catalogue.resource(
    METRIC_ALARM,
    COMPOSITE_ALARM,
    name="cloudwatch-alarm-actions-enabled",
    description="an alarm's actions are on",
    severity=Severity.HIGH,
    framework=Framework(FSBP, "CloudWatch.17"),
    remediation="Set actionsEnabled to true, or leave it out.",
    url=_CONTROLS_URL + "#cloudwatch-17",
    tags=(
        "cloudwatch",
        "prowler:cloudwatch_alarm_actions_enabled",
        "isms-p:2.9.4",
        "isms-p:2.10.1",
        "isms-p:2.10.2",
        "isms-p:2.11.3",
    ),
)
def alarm_actions_enabled(resource: Resource, _settings: Settings) -> Iterator[Finding]:
    value = resource["actionsEnabled"]
    if not value.missing and value.boolean() is not True:
        yield Finding(
            f"actionsEnabled is {value.shown()}", "set actionsEnabled to true", advisory=value.unknown
        )
