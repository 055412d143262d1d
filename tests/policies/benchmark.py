"""How much time the pack takes: a script to run by hand, not a test.

    python -m tests.policies.benchmark          the pack's own time per resource, at 10 and at 100 ECS
    services python -m tests.policies.benchmark --cli    what it adds to a preview by the real CLI, of a stack
    as large as prod

Run it from the checkout with the pack on the path: PYTHONPATH=policies:.
"""

from __future__ import annotations

import argparse
import gc
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pulumi_aws as aws
from fileflow_policies.analyzer import Analyzer
from pulumi.runtime import proto

from tests.policies.compliant_stack import container, permissions, trust
from tests.policies.harness import analyse, analyzer, record
from tests.policies.programs import fleet

ROUNDS = 7
# A stack as large as prod: two schedulers, a web API and what is around them, in about 110 resources.
PROGRAM = """
from tests.policies.benchmark import services

services(7)
"""


def services(count: int) -> None:
    """So many services, each a scheduler or a worker, with about 15 resources each."""
    cluster = fleet.cluster()
    for number in range(count):
        _service(number, cluster)


def _service(number: int, cluster: aws.ecs.Cluster) -> None:
    name = f"service-{number}"
    is_scheduler = number % 2 == 0
    execution = aws.iam.Role(f"{name}-execution", assume_role_policy=trust())
    task_role = aws.iam.Role(f"{name}-task", assume_role_policy=trust())
    for role in (execution, task_role):
        aws.iam.RolePolicy(
            f"{name}-{'execution' if role is execution else 'task'}-policy",
            role=role.name,
            policy=permissions(
                {
                    "Effect": "Allow",
                    "Action": "logs:PutLogEvents",
                    "Resource": "arn:aws:logs:r:1:log-group:a:*",
                }
            ),
        )
    aws.cloudwatch.LogGroup(f"{name}-logs", name=f"/aws/ecs/{name}", retention_in_days=30)
    group = fleet.group(name)
    for port in (8080, 8081):
        aws.vpc.SecurityGroupIngressRule(
            f"{name}-{port}",
            security_group_id=group.id,
            description="Inside",
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            cidr_ipv4="10.0.0.0/16",
        )
    aws.vpc.SecurityGroupEgressRule(
        f"{name}-out", security_group_id=group.id, description="Out", ip_protocol="-1", cidr_ipv4="0.0.0.0/0"
    )
    kind = f"{name}-scheduler" if is_scheduler else name
    task = fleet.task(kind, container(kind, 9500 + number), execution_role_arn=execution.arn)
    common: dict[str, Any] = {"cluster": cluster.arn, "task_definition": task.arn}
    if is_scheduler:
        made = fleet.scheduler(name, name=kind, security_group=group, **common)
    else:
        made = fleet.service(name, network_configuration=fleet.network(group), **common)
    for metric in ("CPUUtilization", "MemoryUtilization"):
        aws.cloudwatch.MetricAlarm(
            f"{name}-{metric}",
            namespace="AWS/ECS",
            metric_name=metric,
            dimensions={"ServiceName": made.name},
            comparison_operator="GreaterThanThreshold",
            threshold=80,
            evaluation_periods=3,
            period=60,
            statistic="Average",
            alarm_actions=["arn:aws:sns:ap-northeast-2:646886795421:alarms"],
        )


def _fastest(work: Callable[[], object]) -> float:
    """Seconds of processor time of the fastest of a few rounds, which other work disturbs least."""
    best = float("inf")
    for _ in range(ROUNDS):
        gc.collect()
        began = time.process_time()
        work()
        best = min(best, time.process_time() - began)
    return best


def _ask(servicer: Analyzer, requests: list[Any], whole: Any) -> None:
    for request in requests:
        servicer.Analyze(request, None)
    servicer.AnalyzeStack(whole, None)


def own_time() -> None:
    """The pack's own time for all resources of a stack, as the engine would ask."""
    per_resource: dict[int, float] = {}
    for count in (10, 100):
        recording = record(partial(services, count), preview=True)
        report = analyse(recording)
        assert report.violations == set(), report
        servicer = analyzer()
        requests = [each.analyze_request() for each in recording.resources]
        whole = proto.AnalyzeStackRequest(resources=[each.stack_resource() for each in recording.resources])

        seconds = _fastest(partial(_ask, servicer, requests, whole))
        per_resource[count] = seconds / len(requests)
        print(
            f"{count:4} services, {len(requests):5} resources: {seconds * 1000:7.1f} ms, "
            f"{per_resource[count] * 1e6:6.1f} µs per resource"
        )
    print(
        f"per resource at 100 services: {per_resource[100] / per_resource[10]:.2f} times that at 10 (at "
        "most 1.20)"
    )


def command_line() -> None:
    """Previews with and without the pack, in turn; processor time of all processes, and the time on the
    clock.
    """
    from tests.policies.command_line import Template
    from tests.policies.echo_provider import serving

    with tempfile.TemporaryDirectory() as folder, serving() as (provider, port):
        template = Path(folder, "template")
        template.mkdir()
        project = Template.make(template, "prod").project(Path(folder, "project"), None, provider, port)
        (project.folder / "__main__.py").write_text(PROGRAM)
        clock: dict[str, list[float]] = {"without": [], "with": []}
        processor: dict[str, list[float]] = {"without": [], "with": []}
        for _ in range(ROUNDS):
            for way in ("without", "with"):
                used = resource.getrusage(resource.RUSAGE_CHILDREN)
                began = time.monotonic()
                outcome = project.preview() if way == "with" else project.run("preview")
                clock[way].append(time.monotonic() - began)
                now = resource.getrusage(resource.RUSAGE_CHILDREN)
                processor[way].append(now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime)
                assert outcome.passed, outcome.output
    for what, seconds in (("on the clock", clock), ("of processor time", processor)):
        plain, packed = statistics.median(seconds["without"]), statistics.median(seconds["with"])
        print(
            f"preview {what}: {plain:.2f} s without, {packed:.2f} s with the pack: "
            f"{(packed - plain) / plain:+.0%} (at most +15% on the clock)"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="How much time the pack takes.")
    parser.add_argument("--cli", action="store_true", help="measure previews by the real CLI")
    if parser.parse_args().cli:
        command_line()
    else:
        own_time()
