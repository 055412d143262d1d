"""How much time the pack takes: a script to run by hand, not a test.

    python -m tests.policies.benchmark          the pack's own time per resource, at 10 and at 100 services
    python -m tests.policies.benchmark --cli    what it adds to a preview by the real CLI: of the stack prod
                                                on the emulated AWS, of 600 resources on an echoing provider,
                                                beside a pack of one rule that does nothing

Run it from the checkout with the pack on the path: PYTHONPATH=policies:.
"""

from __future__ import annotations

import argparse
import dataclasses
import gc
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from fileflow_policies.analyzer import Analyzer
from pulumi.runtime import proto

from tests.policies.command_line import PACK, Template
from tests.policies.echo_provider import serving
from tests.policies.harness import analyse, analyzer, record
from tests.policies.programs.many import services
from tools.benchmark import seconds_of

ROUNDS = 7
PAIRS = 9

EMPTY_PACK = """
from pulumi_policy import PolicyPack, ResourceValidationPolicy

rule = ResourceValidationPolicy("nothing", description="Does nothing.", validate=lambda _args, _report: None)
PolicyPack(name="empty", policies=[rule])
"""
"""What any pack in Python costs: the engine asks it twice for each resource."""


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
    """Previews the real program's stack prod on the emulated AWS with and without the pack, in turn."""
    with tempfile.TemporaryDirectory() as folder:
        local = Path(folder, "local")
        environment = {**os.environ, "FILEFLOW_LOCAL_DIR": str(local)}
        preview = (
            f". {local}/env && exec pulumi preview --stack prod --non-interactive"
            f" --config-file {local}/project/Pulumi.prod.yaml"
        )
        seconds_of([sys.executable, "-m", "local", "start", "--stack", "prod"], environment)
        try:
            _compare(
                "prod",
                lambda: seconds_of(["sh", "-c", preview], environment),
                {
                    "the pack": lambda: seconds_of(
                        ["sh", "-c", f"{preview} --policy-pack policies"], environment
                    )
                },
            )
        finally:
            seconds_of([sys.executable, "-m", "local", "down"], environment)


def large_program() -> None:
    """Previews a program of 600 resources without a pack, with this one and with an empty one, in turn."""
    with tempfile.TemporaryDirectory() as text, serving() as (provider, port):
        folder = Path(text)
        program = folder / "program.py"
        program.write_text("from tests.policies.programs.many import services\n\nservices(40)\n")
        (folder / "template").mkdir()
        made = Template.make(folder / "template", "prod").project(folder / "project", program, provider, port)
        # As on a user's machine from the second run on: the tests' projects compile everything each time.
        environment = {**made.environment, "PYTHONPYCACHEPREFIX": str(folder / "bytecode")}
        del environment["PYTHONDONTWRITEBYTECODE"]
        project = dataclasses.replace(made, environment=environment)

        def seconds(*arguments: str) -> float:
            began = time.perf_counter()
            done = project.pulumi("preview", *arguments)
            assert done.returncode == 0, done.stdout
            return time.perf_counter() - began

        empty = folder / "empty"
        empty.mkdir()
        (empty / "__main__.py").write_text(EMPTY_PACK)
        for name in ("PulumiPolicy.yaml", "requirements.txt", ".venv"):
            (empty / name).symlink_to(PACK / name)
        packs = {"the pack": PACK, "an empty pack": empty}
        for pack in packs.values():
            seconds("--policy-pack", str(pack))
        _compare(
            "600 resources",
            seconds,
            {name: partial(seconds, "--policy-pack", str(pack)) for name, pack in packs.items()},
        )


def _compare(what: str, without: Callable[[], float], packed: Mapping[str, Callable[[], float]]) -> None:
    shares: dict[str, list[float]] = {name: [] for name in packed}
    for _ in range(PAIRS):
        alone = without()
        print(f"preview of {what}: {alone:.2f} s", end="", flush=True)
        for name, preview in packed.items():
            took = preview()
            shares[name].append(took / alone - 1)
            print(f", {took:.2f} s with {name}", end="", flush=True)
        print()
    for name, each in shares.items():
        print(f"{name} adds {statistics.median(each):.0%} (median of {PAIRS} rounds)")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="How much time the pack takes.")
    parser.add_argument("--cli", action="store_true", help="measure previews by the real CLI")
    if parser.parse_args().cli:
        command_line()
        large_program()
    else:
        own_time()
