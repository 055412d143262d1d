"""Says what runs on the stack, as ECS sees it.

Run by the project's interpreter with the local stack's environment: `python -m local.report`.
"""

from __future__ import annotations

import botocore.session


def services() -> list[tuple[str, ...]]:
    """Return every service of every cluster in the account, in the words of the report."""
    ecs = botocore.session.get_session().create_client("ecs")
    found = []
    for cluster in ecs.list_clusters()["clusterArns"]:
        pages = ecs.get_paginator("list_services").paginate(cluster=cluster)
        arns = [arn for page in pages for arn in page["serviceArns"]]
        # DescribeServices takes ten at a time.
        for start in range(0, len(arns), 10):
            described = ecs.describe_services(cluster=cluster, services=arns[start : start + 10])
            found += [
                (
                    service["serviceName"],
                    service["status"],
                    f"{service['runningCount']} of {service['desiredCount']} tasks",
                    service["taskDefinition"].rpartition("/")[2],
                    cluster.rpartition("/")[2],
                )
                for service in described["services"]
            ]
    return sorted(found)


def table(rows: list[tuple[str, ...]]) -> str:
    """Lay rows out, one a line, aligned."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


if __name__ == "__main__":
    print(table(services()))
