"""Says what runs on the stack, as ECS sees it.

Run by the project's interpreter with the local stack's environment: `python -m local.report`.
"""

from __future__ import annotations

from dataclasses import dataclass

import boto3


@dataclass(frozen=True)
class Service:
    """One ECS service and its tasks."""

    cluster: str
    name: str
    status: str
    running: int
    desired: int
    task_definition: str


def services() -> list[Service]:
    """Return every service of every cluster in the account."""
    ecs = boto3.client("ecs")
    found = []
    for cluster in ecs.list_clusters()["clusterArns"]:
        arns = [
            arn
            for page in ecs.get_paginator("list_services").paginate(cluster=cluster)
            for arn in page["serviceArns"]
        ]
        # DescribeServices takes ten at a time.
        for start in range(0, len(arns), 10):
            for service in ecs.describe_services(cluster=cluster, services=arns[start : start + 10])[
                "services"
            ]:
                found.append(
                    Service(
                        cluster.rpartition("/")[2],
                        service["serviceName"],
                        service["status"],
                        service["runningCount"],
                        service["desiredCount"],
                        service["taskDefinition"].rpartition("/")[2],
                    )
                )
    return found


def table(rows: list[Service]) -> str:
    """Lay the services out, one a line, aligned."""
    cells = [
        (row.name, row.status, f"{row.running} of {row.desired} tasks", row.task_definition, row.cluster)
        for row in sorted(rows, key=lambda row: row.name)
    ]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    )


if __name__ == "__main__":
    print(table(services()))
