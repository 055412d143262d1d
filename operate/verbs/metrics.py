"""`metrics`: CPU and memory of a service, as small charts (the guide's "CloudWatch 메트릭")."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import click
from rich.console import RenderableType

from operate.app import Session, verb
from operate.errors import SETTLED
from operate.result import uncut
from operate.verbs.logs import Duration

BARS = "▁▂▃▄▅▆▇█"
POINTS = 48
SHORTEST_PERIOD_SECONDS = 60
METRICS = ("CPUUtilization", "MemoryUtilization")


@dataclass(frozen=True, kw_only=True)
class Series:
    """One metric of one service: averages in percent, the oldest first."""

    service: str
    metric: str
    period_seconds: int
    times: Sequence[datetime]
    values: Sequence[float]


@dataclass(frozen=True, kw_only=True)
class Metrics:
    """All series asked for."""

    series: Sequence[Series]

    @property
    def exit_code(self) -> int:
        return SETTLED

    def human(self) -> RenderableType:
        table = uncut("service", "metric", "", "now", "highest")
        for each in self.series:
            if each.values:
                table.add_row(
                    each.service,
                    each.metric,
                    chart(each.values),
                    f"{each.values[-1]:.0f} %",
                    f"{max(each.values):.0f} %",
                )
            else:
                table.add_row(each.service, each.metric, "no data in that time", "", "", style="dim")
        return table


def chart(values: Sequence[float]) -> str:
    """A line of bars, 0 to 100 percent or to the highest value above that."""
    top = max(100.0, *values)
    return "".join(BARS[min(len(BARS) - 1, int(value / top * len(BARS)))] for value in values)


@verb()
@click.argument("service", required=False)
@click.option("--since", type=Duration(), default="3h", show_default=True, help="From how long ago on.")
def metrics(session: Session, service: str | None, since: int) -> Metrics:
    """Chart the CPU and memory that services use, of what they reserve."""
    # A period is a multiple of a minute: as many points as fit on a line.
    period = max(SHORTEST_PERIOD_SECONDS, -(-since // POINTS // 60) * 60)
    now = datetime.now(UTC)
    chosen = session.services(service)
    wanted = {f"m{i}": pair for i, pair in enumerate((each, name) for each in chosen for name in METRICS)}
    answer = session.aws.client("cloudwatch").get_metric_data(
        StartTime=now - timedelta(seconds=since),
        EndTime=now,
        ScanBy="TimestampAscending",
        MetricDataQueries=[
            {
                "Id": key,
                "MetricStat": {
                    "Metric": {
                        "Namespace": "AWS/ECS",
                        "MetricName": name,
                        "Dimensions": [
                            {"Name": "ClusterName", "Value": each.cluster},
                            {"Name": "ServiceName", "Value": each.name},
                        ],
                    },
                    "Period": period,
                    "Stat": "Average",
                },
            }
            for key, (each, name) in wanted.items()
        ],
    )
    results = {result["Id"]: result for result in answer["MetricDataResults"]}
    return Metrics(
        series=[
            Series(
                service=each.name,
                metric=name,
                period_seconds=period,
                times=results.get(key, {}).get("Timestamps", []),
                values=results.get(key, {}).get("Values", []),
            )
            for key, (each, name) in wanted.items()
        ]
    )
