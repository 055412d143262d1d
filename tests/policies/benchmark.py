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

from fileflow_policies.analyzer import Analyzer
from pulumi.runtime import proto

from tests.policies.harness import analyse, analyzer, record
from tests.policies.programs.many import services

ROUNDS = 7
# A stack as large as prod: two schedulers, a web API and what is around them, in about 110 resources.
PROGRAM = """
from tests.policies.programs.many import services

services(7)
"""


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

    The provider answers at once and the program imports little, so the share is more than with AWS.
    """
    from tests.policies.command_line import PACK, Template
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
                pack = ["--policy-pack", str(PACK)] if way == "with" else []
                done = project.pulumi("preview", *pack)
                clock[way].append(time.monotonic() - began)
                now = resource.getrusage(resource.RUSAGE_CHILDREN)
                processor[way].append(now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime)
                assert done.returncode == 0, done.stdout
    for what, seconds in (("on the clock", clock), ("of processor time", processor)):
        plain, packed = statistics.median(seconds["without"]), statistics.median(seconds["with"])
        print(
            f"preview {what}: {plain:.2f} s without, {packed:.2f} s with the pack: "
            f"{(packed - plain) / plain:+.0%}"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="How much time the pack takes.")
    parser.add_argument("--cli", action="store_true", help="measure previews by the real CLI")
    if parser.parse_args().cli:
        command_line()
    else:
        own_time()
