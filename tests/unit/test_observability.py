"""Who is told of trouble, by what, and what Prometheus and the dashboard read."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.alarm_topic import AlarmTopic, AlarmTopicArgs
from components.dashboard import HEIGHT, WIDTH, WebMetrics, dashboard_body
from components.log_alarms import PATTERNS
from tests.unit import type_tokens as t
from tests.unit.builders import CLUSTER_ARN, TAGS, TOPIC_ARN
from tests.unit.providers import ACCOUNT, REGION
from tests.unit.recorder import Recording, record


def record_topic(**changes: Any) -> Recording:
    """A run with one topic."""
    args = AlarmTopicArgs(
        **{"topic_name": "fileflow-prod-alarms", "cluster_arn": CLUSTER_ARN, "tags": TAGS, **changes}
    )
    return record(lambda: AlarmTopic("alarms", args))


def test_a_topic_without_subscribers_is_a_topic_its_policy_and_the_rules_on_ecs() -> None:
    assert record_topic().counts() == Counter(
        {"fileflow:sns:AlarmTopic": 1, t.TOPIC: 1, t.TOPIC_POLICY: 1, t.EVENT_RULE: 3, t.EVENT_TARGET: 3}
    )


def test_cloudwatch_of_this_account_publishes_and_eventbridge_which_takes_no_condition() -> None:
    policy = record_topic().only(t.TOPIC_POLICY)

    assert policy.inputs["arn"] == TOPIC_ARN
    assert policy.json("policy") == {
        "Statement": [
            {
                "Action": "sns:Publish",
                "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
                "Effect": "Allow",
                "Principal": {"Service": "cloudwatch.amazonaws.com"},
                "Resource": TOPIC_ARN,
            },
            {
                "Action": "sns:Publish",
                "Effect": "Allow",
                "Principal": {"Service": "events.amazonaws.com"},
                "Resource": TOPIC_ARN,
            },
        ],
        "Version": "2012-10-17",
    }


def test_trouble_of_this_cluster_is_told_and_of_no_other() -> None:
    recording = record_topic()
    arn = f"arn:aws:ecs:{REGION}:{ACCOUNT}"

    assert {each.name: each.json("eventPattern") for each in recording.of_type(t.EVENT_RULE)} == {
        "alarms-failed-deployment": {
            "detail": {"eventName": ["SERVICE_DEPLOYMENT_FAILED"]},
            "detail-type": ["ECS Deployment State Change"],
            "resources": [{"prefix": f"{arn}:service/fileflow-prod/"}],
            "source": ["aws.ecs"],
        },
        # An exit with 137 is a container that exited; a rollout's stops have another code.
        "alarms-stopped-task": {
            "detail": {
                "lastStatus": ["STOPPED"],
                "stopCode": ["EssentialContainerExited", "SpotInterruption", "TaskFailedToStart"],
            },
            "detail-type": ["ECS Task State Change"],
            "resources": [{"prefix": f"{arn}:task/fileflow-prod/"}],
            "source": ["aws.ecs"],
        },
        "alarms-restart-loop": {
            "detail": {"eventName": ["SERVICE_TASK_START_IMPAIRED", "SERVICE_TASK_PLACEMENT_FAILURE"]},
            "detail-type": ["ECS Service Action"],
            "resources": [{"prefix": f"{arn}:service/fileflow-prod/"}],
            "source": ["aws.ecs"],
        },
    }
    for target in recording.of_type(t.EVENT_TARGET):
        assert target.inputs["arn"] == TOPIC_ARN
        assert target.inputs["rule"] == target.name + "-0a1b2c3"
        # Without the policy EventBridge's first message is refused.
        assert recording.only(t.TOPIC_POLICY).urn in target.dependencies


def test_each_subscriber_is_subscribed_by_its_own_protocol() -> None:
    recording = record_topic(
        emails=["a@example.com", "b@example.com"], https_endpoints=["https://example.com/x"]
    )

    assert [each.inputs for each in recording.of_type(t.SUBSCRIPTION)] == [
        {"endpoint": "a@example.com", "protocol": "email", "topic": TOPIC_ARN},
        {"endpoint": "b@example.com", "protocol": "email", "topic": TOPIC_ARN},
        {"endpoint": "https://example.com/x", "protocol": "https", "topic": TOPIC_ARN},
    ]


def test_a_subscriber_who_joins_never_renames_the_others() -> None:
    before = record_topic(emails=["b@example.com"], https_endpoints=["https://example.com/x"])
    after = record_topic(emails=["a@example.com", "b@example.com"], https_endpoints=["https://example.com/x"])

    def by_endpoint(recording: Recording) -> dict[str, str]:
        return {each.inputs["endpoint"]: each.urn for each in recording.of_type(t.SUBSCRIPTION)}

    # A renamed subscription is deleted and made anew, and its owner must confirm it once more.
    assert by_endpoint(before).items() <= by_endpoint(after).items()


def matched(pattern: str, line: str) -> bool:
    """Whether a CloudWatch pattern of `?term` alternatives matches a line, as CloudWatch does: by case."""
    terms = [term.strip('"') for term in pattern.replace('?"', '\n"').replace("?", "\n").split("\n") if term]
    return any(term.strip().strip('"') in line for term in terms)


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        ("out-of-memory", "java.lang.OutOfMemoryError: Java heap space"),
        ("out-of-memory", "java.lang.OutOfMemoryError: GC overhead limit exceeded"),
        ("start-failure", "APPLICATION FAILED TO START"),
        ("start-failure", "ERROR o.s.boot.SpringApplication - Application run failed"),
    ],
)
def test_a_line_of_trouble_counts_for_its_kind_alone(kind: str, line: str) -> None:
    assert [name for name, pattern in PATTERNS.items() if matched(pattern, line)] == [kind]


def test_a_healthy_start_counts_for_nothing() -> None:
    line = "Started FileFlowApplication in 12.3 seconds (process running for 13.1)"

    assert not [name for name, pattern in PATTERNS.items() if matched(pattern, line)]


def body(services: list[str]) -> dict[str, Any]:
    """A dashboard of these services."""
    web = WebMetrics(load_balancer_arn_suffix="app/a/1", target_group_arn_suffix="targetgroup/b/2")
    return dashboard_body(region=REGION, cluster_name="fileflow-prod", services=services, web=web)


def test_the_dashboard_reads_the_metrics_that_the_guide_names() -> None:
    read = {
        tuple(metric[:2]) for widget in body(["a"])["widgets"] for metric in widget["properties"]["metrics"]
    }

    assert read == {
        ("AWS/ECS", "CPUUtilization"),
        ("AWS/ECS", "MemoryUtilization"),
        ("ECS/ContainerInsights", "RunningTaskCount"),
        ("AWS/ApplicationELB", "RequestCount"),
        ("AWS/ApplicationELB", "HTTPCode_Target_5XX_Count"),
        ("AWS/ApplicationELB", "TargetResponseTime"),
    }


def test_the_dashboards_widgets_name_the_cluster_and_the_load_balancer_that_they_show() -> None:
    widgets = body(["a", "b"])["widgets"]

    assert widgets[0]["properties"]["metrics"] == [
        ["ECS/ContainerInsights", "RunningTaskCount", "ClusterName", "fileflow-prod", "ServiceName", name]
        for name in ("a", "b")
    ]
    assert widgets[3]["properties"]["metrics"] == [
        ["AWS/ApplicationELB", "RequestCount", "LoadBalancer", "app/a/1", "TargetGroup", "targetgroup/b/2"]
    ]


@given(st.lists(st.sampled_from("abcdef"), unique=True, max_size=6))
def test_no_widget_lies_on_another_or_outside_whatever_the_services(services: list[str]) -> None:
    widgets = body(services)["widgets"]

    corners = [(each["x"], each["y"]) for each in widgets]
    assert len(set(corners)) == len(corners)
    for widget in widgets:
        assert widget["x"] + widget["width"] <= WIDTH
        assert widget["x"] % widget["width"] == widget["y"] % HEIGHT == 0
    json.dumps(widgets)
