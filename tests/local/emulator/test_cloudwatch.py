"""CloudWatch and its logs on the emulated AWS."""

from __future__ import annotations

import time
import urllib.parse
import urllib.request
from collections.abc import Callable
from functools import partial
from typing import Any

import botocore.loaders
import botocore.model
import botocore.parsers
import botocore.serialize
import pytest

from local.emulator.process import RunningEmulator
from tests.local.emulator.aws import REGION, Client, assert_contains, refusal

RUNNING: dict[str, Any] = {
    "AlarmName": "running",
    "AlarmDescription": "no scheduler runs",
    "ActionsEnabled": True,
    "AlarmActions": [f"arn:aws:sns:{REGION}:646886795421:alerts"],
    "OKActions": [f"arn:aws:sns:{REGION}:646886795421:alerts"],
    "InsufficientDataActions": [f"arn:aws:sns:{REGION}:646886795421:alerts"],
    "MetricName": "RunningTaskCount",
    "Namespace": "ECS/ContainerInsights",
    "Statistic": "Minimum",
    "Dimensions": [{"Name": "ClusterName", "Value": "c"}, {"Name": "ServiceName", "Value": "s"}],
    "Period": 60,
    "EvaluationPeriods": 2,
    "DatapointsToAlarm": 2,
    "Threshold": 1.0,
    "ComparisonOperator": "LessThanThreshold",
    "TreatMissingData": "breaching",
}


@pytest.fixture
def cloudwatch(client: Client) -> Any:
    return client("cloudwatch")


def test_an_alarm_put_again_is_replaced_whole(cloudwatch: Any) -> None:
    cloudwatch.put_metric_alarm(**RUNNING)
    changed = {
        name: value for name, value in RUNNING.items() if name not in {"OKActions", "AlarmDescription"}
    }
    cloudwatch.put_metric_alarm(**changed | {"Threshold": 3.0})
    (got,) = cloudwatch.describe_alarms(AlarmNames=["running"])["MetricAlarms"]
    assert (got["Threshold"], got["OKActions"]) == (3.0, [])
    assert "AlarmDescription" not in got
    cloudwatch.delete_alarms(AlarmNames=["running"])
    assert cloudwatch.describe_alarms(AlarmNames=["running"])["MetricAlarms"] == []


def test_an_alarm_tells_no_topic_of_another_region(cloudwatch: Any) -> None:
    for kind in ("AlarmActions", "OKActions", "InsufficientDataActions"):
        elsewhere = {kind: ["arn:aws:sns:us-east-1:646886795421:alerts"]}
        code, message = refusal(cloudwatch.put_metric_alarm, **RUNNING | elsewhere)
        assert code == "ValidationError"
        assert message == f"Invalid region us-east-1 specified. Only {REGION} is supported."
    assert cloudwatch.describe_alarms()["MetricAlarms"] == []


def test_an_alarm_on_anything_but_one_metrics_statistic_is_refused(cloudwatch: Any) -> None:
    for lacking in ("MetricName", "Statistic", "Threshold"):
        request = {name: value for name, value in RUNNING.items() if name != lacking}
        code, message = refusal(cloudwatch.put_metric_alarm, **request)
        assert code == "ValidationError"
        assert f"{lacking} must be specified" in message


def call(emulator: RunningEmulator, account: str, protocol: str, action: str, request: dict[str, Any]) -> Any:
    """Calls CloudWatch in the protocol given, as SDKs in other languages do."""
    description = botocore.loaders.Loader().load_service_model("cloudwatch", "service-2")
    description["metadata"]["protocol"] = protocol
    operation = botocore.model.ServiceModel(description, "cloudwatch").operation_model(action)
    serialized = botocore.serialize.create_serializer(protocol).serialize_to_request(request, operation)
    body = serialized["body"]
    if isinstance(body, dict):
        body = urllib.parse.urlencode(body).encode()
    credential = f"{account}/20260101/{REGION}/monitoring/aws4_request"
    headers = dict(serialized["headers"]) | {
        "Authorization": f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0"
    }
    http_request = urllib.request.Request(
        emulator.url + serialized["url_path"], data=body, headers=headers, method="POST"
    )
    with urllib.request.urlopen(http_request, timeout=10) as response:
        answer = {"body": response.read(), "headers": dict(response.headers), "status_code": response.status}
    return botocore.parsers.create_parser(protocol).parse(answer, operation.output_shape)


@pytest.fixture(params=["smithy-rpc-v2-cbor", "query", "json"])
def asked(request: pytest.FixtureRequest, emulator: RunningEmulator, account: str) -> Callable[..., Any]:
    """Calls CloudWatch in each of its protocols."""
    return partial(call, emulator, account, request.param)


def test_an_alarm_comes_back_in_every_protocol(asked: Callable[..., Any], cloudwatch: Any) -> None:
    tags = [{"Key": "Project", "Value": "fileflow"}]
    asked("PutMetricAlarm", RUNNING | {"Tags": tags})
    (got,) = asked("DescribeAlarms", {"AlarmNames": ["running"]})["MetricAlarms"]
    assert_contains(got, RUNNING)
    assert got["StateUpdatedTimestamp"].year >= 2020
    assert not {"ExtendedStatistic", "Metrics"} & got.keys()
    assert cloudwatch.list_tags_for_resource(ResourceARN=got["AlarmArn"])["Tags"] == tags


def test_the_guides_metric_commands_answer_in_every_protocol(asked: Callable[..., Any]) -> None:
    answer = asked(
        "GetMetricStatistics",
        {
            "Namespace": "AWS/ECS",
            "MetricName": "CPUUtilization",
            "Dimensions": [
                {"Name": "ServiceName", "Value": "fileflow-scheduler-download"},
                {"Name": "ClusterName", "Value": "fileflow-prod"},
            ],
            "StartTime": "2025-01-01T00:00:00Z",
            "EndTime": "2025-01-01T23:59:59Z",
            "Period": 3600,
            "Statistics": ["Average"],
        },
    )
    assert answer["Label"] == "CPUUtilization"
    assert not answer.get("Datapoints")


@pytest.fixture
def logs(client: Client) -> Any:
    logs = client("logs")
    logs.create_log_group(logGroupName="/aws/ecs/fileflow", tags={"Project": "fileflow"})
    logs.create_log_stream(logGroupName="/aws/ecs/fileflow", logStreamName="ecs/fileflow/1")
    return logs


def put(logs: Any, *messages: str) -> None:
    now = int(time.time() * 1000)
    events = [{"timestamp": now, "message": message} for message in messages]
    logs.put_log_events(logGroupName="/aws/ecs/fileflow", logStreamName="ecs/fileflow/1", logEvents=events)


def test_a_retention_that_aws_does_not_offer_is_refused(logs: Any) -> None:
    code, _ = refusal(logs.put_retention_policy, logGroupName="/aws/ecs/fileflow", retentionInDays=31)
    assert code == "InvalidParameterException"


COUNTED = {
    "OutOfMemoryError": 1,
    '"Java heap space"': 1,
    '"heap Java"': 0,
    "outofmemoryerror": 0,
    "?refused ?heap": 2,
    "Connection -refused": 1,
    "%C[a-z]+ ok%": 1,
    "": 3,
}


def test_a_metric_filter_counts_what_its_pattern_finds_on_aws(logs: Any, client: Client) -> None:
    names = {pattern: f"metric-{number}" for number, pattern in enumerate(COUNTED)}
    for pattern, name in names.items():
        metric = {"metricName": name, "metricNamespace": "FileFlow", "metricValue": "1", "unit": "Count"}
        metric_filter = {
            "logGroupName": "/aws/ecs/fileflow",
            "filterName": name,
            "filterPattern": pattern,
            "metricTransformations": [metric],
        }
        logs.put_metric_filter(**metric_filter)
        found = logs.describe_metric_filters(
            logGroupName=metric_filter["logGroupName"], filterNamePrefix=name
        )
        (got,) = found["metricFilters"]
        assert_contains(got, metric_filter)
    put(logs, "java.lang.OutOfMemoryError: Java heap space", "Connection refused", "Connection ok")
    cloudwatch = client("cloudwatch")

    def count(name: str) -> float:
        times = {"StartTime": time.time() - 600, "EndTime": time.time() + 600, "Period": 3600}
        asked = {"Namespace": "FileFlow", "MetricName": name, "Statistics": ["Sum"], **times}
        return float(sum(each["Sum"] for each in cloudwatch.get_metric_statistics(**asked)["Datapoints"]))

    assert {pattern: count(name) for pattern, name in names.items()} == COUNTED
