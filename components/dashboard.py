"""A CloudWatch dashboard of an environment: who runs, how hard, and what callers see.

Owns the layout, which is pure, and the one resource that holds it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

WIDTH = 24
HEIGHT = 6


@dataclass(frozen=True, kw_only=True)
class WebMetrics:
    """The suffixes that CloudWatch names the web API's load balancer and target group by."""

    load_balancer_arn_suffix: str
    target_group_arn_suffix: str


def dashboard_body(
    *, region: str, cluster_name: str, services: Sequence[str], web: WebMetrics
) -> dict[str, Any]:
    """Three rows: tasks running, CPU and memory; then requests, errors and latency of the web API."""
    per_service = [
        ("Tasks running", "ECS/ContainerInsights", "RunningTaskCount", "Maximum"),
        ("CPU (%)", "AWS/ECS", "CPUUtilization", "Average"),
        ("Memory (%)", "AWS/ECS", "MemoryUtilization", "Average"),
    ]
    per_request = [
        ("Requests", "RequestCount", "Sum"),
        ("Errors (5xx)", "HTTPCode_Target_5XX_Count", "Sum"),
        ("Latency (s)", "TargetResponseTime", "p95"),
    ]
    first = [
        _widget(
            title,
            region,
            statistic,
            [
                [namespace, metric, "ClusterName", cluster_name, "ServiceName", service]
                for service in services
            ],
        )
        for title, namespace, metric, statistic in per_service
    ]
    dimensions = ["LoadBalancer", web.load_balancer_arn_suffix, "TargetGroup", web.target_group_arn_suffix]
    second = [
        _widget(title, region, statistic, [["AWS/ApplicationELB", metric, *dimensions]])
        for title, metric, statistic in per_request
    ]
    width = WIDTH // 3
    return {
        "widgets": [
            {**widget, "x": column * width, "y": row * HEIGHT, "width": width, "height": HEIGHT}
            for row, widgets in enumerate((first, second))
            for column, widget in enumerate(widgets)
        ]
    }


def create_dashboard(
    name: str,
    *,
    region: pulumi.Input[str],
    cluster_name: pulumi.Input[str],
    services: Sequence[str],
    load_balancer_arn_suffix: pulumi.Input[str],
    target_group_arn_suffix: pulumi.Input[str],
    opts: pulumi.ResourceOptions | None = None,
) -> aws.cloudwatch.Dashboard:
    """The dashboard of these services.

    An account has one list of dashboards for all its regions, so the region ends its name.
    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DashboardEntry.html
    """

    def body(known: Sequence[Any]) -> dict[str, Any]:
        return dashboard_body(
            region=known[0],
            cluster_name=known[1],
            services=services,
            web=WebMetrics(load_balancer_arn_suffix=known[2], target_group_arn_suffix=known[3]),
        )

    values = pulumi.Output.all(region, cluster_name, load_balancer_arn_suffix, target_group_arn_suffix)
    return aws.cloudwatch.Dashboard(
        name,
        dashboard_name=pulumi.Output.format("{0}-{1}", name, region),
        dashboard_body=pulumi.Output.json_dumps(values.apply(body)),
        opts=opts,
    )


def _widget(title: str, region: str, statistic: str, metrics: list[list[str]]) -> dict[str, Any]:
    return {
        "type": "metric",
        "properties": {
            "title": title,
            "region": region,
            "stat": statistic,
            "period": 60,
            "metrics": metrics,
        },
    }
