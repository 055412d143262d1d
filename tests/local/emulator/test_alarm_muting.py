"""CloudWatch's alarm mute rules on the emulated AWS."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from local.emulator.process import RunningEmulator
from local.paths import ROOT
from tests.local.emulator.aws import REGION, Client, Topic, assert_contains, publishing, refusal
from tests.local.emulator.test_cloudwatch import call
from tests.waiting import eventually

ALARM = "fileflow-scheduler-download-none-running"
SILENT: dict[str, Any] = {
    "AlarmName": ALARM,
    "Namespace": "FileFlow",
    "MetricName": "Tasks",
    "Statistic": "Maximum",
    "Period": 60,
    "EvaluationPeriods": 1,
    "Threshold": 1,
    "ComparisonOperator": "LessThanThreshold",
}


class Watched:
    """An alarm that tells a topic, and who listens to it."""

    def __init__(self, client: Client) -> None:
        self.cloudwatch = client("cloudwatch")
        self._topic = Topic(client, [publishing("cloudwatch")])
        told = {"AlarmActions": [self._topic.arn], "OKActions": [self._topic.arn]}
        self.cloudwatch.put_metric_alarm(**SILENT, **told)

    def mute(self, begins: datetime, duration: str = "PT1M", **more: Any) -> None:
        self.cloudwatch.put_alarm_mute_rule(**rule(begins, duration, **more))

    def becomes(self, state: str) -> None:
        self.cloudwatch.set_alarm_state(AlarmName=ALARM, StateValue=state, StateReason="as tested")

    def heard(self) -> list[str]:
        """The states that it told of since the last time."""
        return [each["NewStateValue"] for each in self._topic.heard()]


def rule(begins: datetime, duration: str = "PT1M", **more: Any) -> dict[str, Any]:
    return {
        "Name": "pause",
        "Description": "moving the database",
        "Rule": {"Schedule": {"Expression": f"at({begins:%Y-%m-%dT%H:%M})", "Duration": duration}},
        "MuteTargets": {"AlarmNames": [ALARM]},
        **more,
    }


def minutes(number: int) -> datetime:
    return datetime.now(UTC) + timedelta(minutes=number)


@pytest.fixture
def watched(client: Client) -> Watched:
    return Watched(client)


@pytest.mark.parametrize("protocol", ["smithy-rpc-v2-cbor", "query", "json"])
def test_a_mute_rule_comes_back_in_every_protocol(
    emulator: RunningEmulator, account: str, watched: Watched, protocol: str
) -> None:
    assert watched.heard() == []
    sent = rule(minutes(-1), "P2DT12H30M")
    call(emulator, account, protocol, "PutAlarmMuteRule", {**sent, "Tags": [{"Key": "a", "Value": "b"}]})

    found = call(emulator, account, protocol, "GetAlarmMuteRule", {"AlarmMuteRuleName": "pause"})
    listed = call(emulator, account, protocol, "ListAlarmMuteRules", {})

    arn = f"arn:aws:cloudwatch:{REGION}:{account}:alarm-mute-rule:pause"
    assert_contains(found, {**sent, "AlarmMuteRuleArn": arn, "Status": "ACTIVE", "MuteType": "ONE_TIME"})
    assert found["LastUpdatedTimestamp"].year >= 2020
    [summary] = listed["AlarmMuteRuleSummaries"]
    assert (summary["AlarmMuteRuleArn"], summary["Status"]) == (arn, "ACTIVE")
    assert watched.cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "a", "Value": "b"}]


def test_a_mute_rules_status_follows_its_window(watched: Watched) -> None:
    windows = {"SCHEDULED": 60, "ACTIVE": -1, "EXPIRED": -300}

    def listed(**filters: Any) -> list[str]:
        found = watched.cloudwatch.list_alarm_mute_rules(**filters)["AlarmMuteRuleSummaries"]
        return [each["Status"] for each in found]

    for status, begins in windows.items():
        watched.mute(minutes(begins), "PT4H")
        assert listed() == listed(Statuses=[status]) == [status]
        assert listed(Statuses=[each for each in windows if each != status]) == []


def test_a_time_zone_says_what_the_expression_means(watched: Watched) -> None:
    in_seoul = datetime.now(UTC) + timedelta(hours=9)
    mute = rule(in_seoul, "PT4H")
    mute["Rule"]["Schedule"]["Timezone"] = "Asia/Seoul"
    watched.cloudwatch.put_alarm_mute_rule(**mute)
    assert watched.cloudwatch.get_alarm_mute_rule(AlarmMuteRuleName="pause")["Status"] == "ACTIVE"


def test_a_muted_alarm_changes_its_state_and_tells_when_the_rule_is_deleted(watched: Watched) -> None:
    watched.mute(minutes(-1), "PT4H")
    watched.becomes("ALARM")

    [alarm] = watched.cloudwatch.describe_alarms(AlarmNames=[ALARM])["MetricAlarms"]
    assert (alarm["StateValue"], watched.heard()) == ("ALARM", [])

    watched.cloudwatch.delete_alarm_mute_rule(AlarmMuteRuleName="pause")
    assert eventually(watched.heard) == ["ALARM"]
    watched.becomes("OK")
    assert eventually(watched.heard) == ["OK"]


def test_an_alarm_that_was_well_again_before_the_rule_went_tells_only_that(watched: Watched) -> None:
    watched.mute(minutes(-1), "PT4H")
    watched.becomes("ALARM")
    watched.becomes("OK")
    watched.cloudwatch.delete_alarm_mute_rule(AlarmMuteRuleName="pause")
    assert eventually(watched.heard) == ["OK"]


@pytest.mark.parametrize("begins", [minutes(60), minutes(-300)], ids=["later", "earlier"])
def test_outside_its_window_a_rule_mutes_nothing(watched: Watched, begins: datetime) -> None:
    watched.mute(begins, "PT4H")
    watched.becomes("ALARM")
    assert eventually(watched.heard) == ["ALARM"]


WINDOW_OF_A_SECOND = """
import json, sys, time
from datetime import UTC, datetime, timedelta
from ministack.core.responses import request_scope
from ministack.services import cloudwatch
from local.emulator.completions import alarm_muting, install
from local.emulator.completions.cloudwatch import put_metric_alarm
from local.emulator.completions.inside import ask_json
told = []
cloudwatch._dispatch_alarm_actions = lambda alarm, old, new, reason: told.append(new)
install()
now = datetime.now(UTC)
alarm_muting._window = lambda request: (now, now + timedelta(seconds=1))
alarm, rule = json.load(sys.stdin)
with request_scope("123456789012", "ap-northeast-2"):
    put_metric_alarm(alarm)
    alarm_muting.put_alarm_mute_rule(rule)
    ask_json("monitoring", "SetAlarmState", {"AlarmName": alarm["AlarmName"], "StateValue": "ALARM"})
    assert told == []
    while not told and datetime.now(UTC) < now + timedelta(seconds=10):
        time.sleep(0.02)
    status = alarm_muting.get_alarm_mute_rule({"AlarmMuteRuleName": rule["Name"]})["Status"]
assert (told, status) == (["ALARM"], "EXPIRED"), (told, status)
"""


def test_when_the_window_ends_an_alarm_that_still_rings_tells_so(python: Path) -> None:
    given = json.dumps([SILENT, rule(minutes(0))])
    done = subprocess.run(
        [python, "-c", WINDOW_OF_A_SECOND], cwd=ROOT, input=given, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_rule_put_again_goes_on_muting_what_it_muted(watched: Watched) -> None:
    watched.mute(minutes(-1), "PT4H")
    watched.becomes("ALARM")
    watched.mute(minutes(0), "P15D")
    assert watched.heard() == []
    # And tells of what it lets go.
    watched.cloudwatch.put_alarm_mute_rule(Name="pause", Rule=rule(minutes(0))["Rule"])
    assert eventually(watched.heard) == ["ALARM"]


def test_a_rule_that_is_not_there_is_not_found_and_deleted_all_the_same(watched: Watched) -> None:
    code, _ = refusal(watched.cloudwatch.get_alarm_mute_rule, AlarmMuteRuleName="pause")
    assert code == "ResourceNotFoundException"
    watched.cloudwatch.delete_alarm_mute_rule(AlarmMuteRuleName="pause")


def schedule(**changed: str) -> dict[str, Any]:
    return {"Rule": {"Schedule": {"Expression": "at(2030-01-01T00:00)", "Duration": "PT1H", **changed}}}


MEANINGLESS: list[dict[str, Any]] = [
    schedule(Duration="PT0M"),
    schedule(Duration="P15DT1M"),
    schedule(Duration="P"),
    schedule(Duration="PT"),
    schedule(Duration="4h"),
    schedule(Expression="at(2030-01-01T00:00:00)"),
    schedule(Expression="at(2030-13-01T00:00)"),
    schedule(Expression="rate(5 minutes)"),
    schedule(Expression="cron(0 2 * * *)"),
    schedule(Timezone="Mars/Olympus"),
    {"StartDate": datetime(2030, 1, 1, tzinfo=UTC)},
    {"ExpireDate": datetime(2030, 1, 1, tzinfo=UTC)},
    {"MuteTargets": {"AlarmNames": [ALARM, "nobody's"]}},
]


def test_a_rule_that_means_nothing_is_refused(watched: Watched, subtests: pytest.Subtests) -> None:
    for change in MEANINGLESS:
        with subtests.test(**change):
            request = {**rule(minutes(60)), **change}
            code, _ = refusal(watched.cloudwatch.put_alarm_mute_rule, **request)
            assert code in {"ValidationError", "ParamValidation"}
    assert watched.cloudwatch.list_alarm_mute_rules()["AlarmMuteRuleSummaries"] == []
