"""The runbook's verbs on a deployed stack, for tests: what a verb answers, and that all is well again."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from tests.engine.deployment import Deployment
from tests.waiting import eventually

DOWNLOAD = "fileflow-scheduler-download"
PIPELINE = "fileflow-scheduler-pipeline"
SERVICES = ["fileflow-web-api", DOWNLOAD, PIPELINE]


@dataclass(frozen=True)
class Answer:
    """What a verb answered: its exit code, and its JSON."""

    code: int
    data: Any


def operate(deployment: Deployment, arguments: str, prefix: str = "") -> Answer:
    done = deployment.sourced(f"{prefix} python -m operate {arguments} --json 2>/dev/null")
    return Answer(done.returncode, json.loads(done.stdout))


def human(deployment: Deployment, arguments: str, prefix: str = "") -> tuple[int, str]:
    done = deployment.sourced(f"COLUMNS=200 {prefix} python -m operate {arguments}")
    return done.returncode, done.stdout


def settled(deployment: Deployment) -> None:
    """Waits until all is well again, so that a test leaves nothing to the next."""
    eventually(lambda: operate(deployment, "status"), lambda seen: seen.code == 0)


def problems(answer: Answer) -> list[str]:
    return [each["problem"] for each in answer.data["findings"]]
