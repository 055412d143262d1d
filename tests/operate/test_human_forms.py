"""What each verb shows a person, to the letter, in good order and in the states that it is for.

The forms lie in `human/`, a file each. After a change of one that is meant, `FILEFLOW_RECORD_HUMAN_FORMS=1`
writes them anew. How the states come about on a running stack is for tests/engine.
"""

from __future__ import annotations

import dataclasses
import os
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from components.pause import Pause
from components.stopped_task import StoppedTask, likely_cause
from operate import verbs  # noqa: F401  # each adds itself to the app
from operate.app import app, show
from operate.findings import findings
from operate.migration.steps import Step
from operate.observation import Alarm, Event, Observation
from operate.result import Result
from operate.verbs.cost import Cost
from operate.verbs.endpoints import Endpoint, Endpoints
from operate.verbs.fix_count import Fixed
from operate.verbs.logs import Line, Lines
from operate.verbs.metrics import Metrics, Series
from operate.verbs.migrate import Imported, Migration
from operate.verbs.pause import Paused, Resumed
from operate.verbs.promote import Promoted, Release
from operate.verbs.restart import Restarted
from operate.verbs.rollback import RolledBack
from operate.verbs.scrape_config import ScrapeConfiguration
from operate.verbs.shell import Ended
from operate.verbs.status import Status
from operate.verbs.verify import Check, Verified
from operate.verbs.versions import Version, Versions
from operate.verbs.why import Stop, Why
from tests.operate.test_findings import NOW, REVISION, scheduler, task
from tools.costs import Month

FORMS = Path(__file__).parent / "human"
DIGEST = "sha256:" + "4f5e" * 16
UP = "pulumi up --stack prod --policy-pack policies"
PAUSE = Pause(since="2026-01-01T00:00Z", until="2026-01-02T00:00Z", reason="the database moves")


def rollout(**changes: Any) -> Any:
    return dataclasses.replace(scheduler().rollout, **changes)


def status(**changes: Any) -> Status:
    """The status of one scheduler: in good order, but for the changes."""
    alarms = [
        Alarm(name=f"nightly-{name}", state="OK", reason="", actions_enabled=True, has_action=True)
        for name in ("two-running", "none-running")
    ]
    event = Event(at=NOW, message="(service nightly) has reached a steady state.")
    seen = scheduler(
        **{"alarms": alarms, "events": [event], "versions": ["nightly-1.4.0"], "seen_at": NOW, **changes}
    )
    return Status(stack="prod", region="ap-northeast-2", services=[seen], findings=findings(seen))


def why(
    reason: str,
    *,
    codes: Sequence[int] = (),
    container: str | None = None,
    logged: Sequence[str] = (),
    seen: Observation | None = None,
) -> Why:
    """A service whose last task stopped so, with the cause that is found in it."""
    containers = [] if container is None else [container]
    cause = likely_cause(
        StoppedTask(
            task_arn=task().arn,
            stopped_reason=reason,
            container_reasons=containers,
            exit_codes=codes,
            log_lines=logged,
        )
    )
    stop = Stop(
        task_id="abc",
        revision="nightly:7",
        stopped_at=NOW,
        reason=reason,
        container_reasons=containers,
        exit_codes=codes,
        likely_cause=None if cause is None else cause.name,
        fix=None if cause is None else cause.fix,
        log_lines=logged,
    )
    return Why(service="nightly", findings=findings(seen or scheduler()), stops=[stop])


NONE_RUNS = scheduler(running=0, tasks=[], rollout=rollout(running=0))

RESULTS: dict[str, Result] = {
    "status": status(),
    "status, two tasks": status(desired=2, running=2, tasks=[task(), task(arn="task/main/def")]),
    "status, a task by hand": status(strangers=[task(arn="task/main/def", group="family:nightly")]),
    "status, an old task that stops": status(
        tasks=[task(), task(arn="task/main/def", desired_status="STOPPED", last_status="DEACTIVATING")]
    ),
    "status, none runs": status(running=0, tasks=[], rollout=rollout(running=0)),
    "status, another revision": status(
        rollout=rollout(task_definition_arn=REVISION.replace(":7", ":6")), versions=["nightly-1.3.0"]
    ),
    "status, a stuck rollout": status(
        running=0,
        tasks=[task(last_status="PENDING")],
        rollout=rollout(state="IN_PROGRESS", running=0, failed_tasks=4),
        deployments=2,
    ),
    "status, an alarm rings": status(
        alarms=[
            Alarm(
                name="nightly-none-running",
                state="ALARM",
                reason="Threshold Crossed: no datapoints were received for 5 periods",
                actions_enabled=True,
                has_action=True,
            )
        ]
    ),
    "status, paused": status(desired=0, running=0, tasks=[], pause=PAUSE, rollout=rollout(running=0)),
    "why": Why(service="nightly", findings=[], stops=[]),
    "why, a crash loop": why(
        "Essential container in task exited",
        codes=[1],
        logged=["HikariPool-1 - Exception during pool initialization.", "Connection to db:5432 refused."],
        seen=NONE_RUNS,
    ),
    "why, out of memory": why(
        "Essential container in task exited",
        codes=[137],
        container="OutOfMemoryError: Container killed due to memory usage",
        seen=NONE_RUNS,
    ),
    "why, a missing secret": why(
        "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval "
        "failed: unable to retrieve secret from asm: service call has been retried 1 time(s): failed to "
        "fetch secret arn:aws:secretsmanager:ap-northeast-2:111122223333:secret:fileflow/database from "
        "secrets manager: ResourceNotFoundException: Secrets Manager can't find the specified secret.",
        seen=NONE_RUNS,
    ),
    "restart": Restarted(
        service="nightly", stopped=["abc"], started=["def"], seconds_without=21, seconds=64, problems=[]
    ),
    "restart, not exactly one": Restarted(
        service="nightly",
        stopped=["abc"],
        started=[],
        seconds_without=None,
        seconds=600,
        problems=["No task runs after 10 minutes. python -m operate why nightly"],
    ),
    "verify": Verified(
        stack="prod",
        checks=[
            Check(subject="nightly", check="nothing scales it", problem=None),
            Check(
                subject="nightly",
                check="secret fileflow/database",
                problem="the secret isn't there",
                fix="Make it before the next task starts",
            ),
        ],
    ),
    "fix-count": Fixed(service="nightly", desired_before=2, running_before=2, stopped=["def"]),
    "metrics": Metrics(
        series=[
            Series(
                service="nightly",
                metric="CPUUtilization",
                period_seconds=60,
                times=[NOW + timedelta(minutes=minute) for minute in range(4)],
                values=[5.0, 40.0, 90.0, 20.0],
            ),
            Series(service="nightly", metric="MemoryUtilization", period_seconds=60, times=[], values=[]),
        ]
    ),
    "endpoints": Endpoints(
        endpoints=[
            Endpoint(
                service="nightly",
                task_id="0123456789abcdef",
                private_address="10.0.0.1",
                urls=["http://10.0.0.1:9091/actuator/health", "http://10.0.0.1:9091/actuator/prometheus"],
            )
        ],
        without=["fileflow-web-api"],
    ),
    "versions": Versions(
        service="nightly",
        repository="fileflow",
        prefix="nightly-",
        versions=[
            Version(tag="nightly-1.5.0", digest=DIGEST, pushed_at=NOW, runs=False),
            Version(tag="nightly-1.4.0", digest=DIGEST, pushed_at=NOW, runs=True),
        ],
    ),
    "rollback": RolledBack(
        service="nightly", key="fileflow:schedulers[0].version", version="1.3.0", digest=DIGEST, next=UP
    ),
    "promote": Promoted(
        source="staging",
        target="prod",
        releases=[
            Release(
                service="nightly",
                version="1.4.0",
                digest=DIGEST,
                image=f"fileflow-staging@{DIGEST}",
                tag="nightly-1.4.0",
                found_digest=DIGEST,
            )
        ],
        set={"fileflow:version": "1.4.0"},
        next=UP,
    ),
    "cost": Cost(
        stack="prod",
        region="ap-northeast-2",
        prices_of="2026-10-05",
        month=Month(web_api=80, schedulers=45.5, network=90, load_balancer=25, alarms=3, security=0),
        total=243.5,
    ),
    "logs": Lines(
        service="nightly",
        log_groups=["/aws/ecs/nightly"],
        lines=[Line(at=NOW, stream="ecs/nightly/0123456789abcdef", message="Started NightlyApplication")],
    ),
    "scrape-config": ScrapeConfiguration(
        ports={"nightly": 9091}, configuration="scrape_configs: []\n", written_to="prometheus.yaml"
    ),
    "exec": Ended(service="nightly", task_id="abc", command=["/bin/sh"], exit_code=0),
    "migrate": Migration(
        stack="prod",
        import_file="import.json",
        imported=[
            Imported(
                type="aws:ecs/service:Service",
                name="nightly-service",
                id="main/nightly",
                terraform="aws_ecs_service.nightly",
            )
        ],
        created=12,
        problems=[],
        notes=[],
        left_to_terraform=["aws_s3_bucket.files"],
        steps=[Step(why="Take them over", commands=["pulumi import --file import.json"])],
    ),
    "pause": Paused(
        service="nightly",
        key="fileflow:schedulers[0].paused",
        pause=PAUSE,
        instead_of=None,
        rings="At that time its alarm on none running rings.",
        next=UP,
    ),
    "resume": Resumed(service="nightly", key="fileflow:schedulers[0].paused", pause=PAUSE, next=UP),
}

SAME = {"port-forward": "exec"}
"""Verbs that show what another one shows."""


def shown(result: Result, width: int = 140) -> str:
    """What a person sees in a terminal of that width, without its colours."""
    console = Console(width=width, color_system=None, highlight=False)
    with console.capture() as captured:
        show(console, result.human())
    return "".join(f"{line.rstrip()}\n" for line in captured.get().splitlines())


@pytest.mark.parametrize("name", RESULTS)
def test_a_verb_shows_what_it_has_shown(name: str) -> None:
    form = FORMS / f"{name.replace(', ', '-').replace(' ', '-')}.txt"
    text = f"exit code {RESULTS[name].exit_code}\n{shown(RESULTS[name])}"
    if os.environ.get("FILEFLOW_RECORD_HUMAN_FORMS"):
        form.write_text(text, encoding="utf-8")
    assert text == form.read_text(encoding="utf-8")


def test_every_verb_has_its_form() -> None:
    assert {name.partition(",")[0] for name in RESULTS} == {SAME.get(name, name) for name in app.commands}


@pytest.mark.parametrize("name", RESULTS)
def test_a_narrow_terminal_hides_nothing(name: str) -> None:
    narrow, wide = ("".join(shown(RESULTS[name], width).split()) for width in (80, 140))
    assert "…" not in narrow
    assert Counter(narrow) == Counter(wide)


@pytest.mark.parametrize("name", ["pause", "resume", "rollback"])
def test_a_command_is_copied_whole_from_a_narrow_terminal(name: str) -> None:
    assert UP in shown(RESULTS[name], 40)


def test_the_lines_of_a_log_that_was_followed_are_not_denied_at_its_end() -> None:
    followed = Lines(service="nightly", log_groups=["/nightly"], lines=[], were_followed=True)
    assert shown(followed) == "Followed until Ctrl-C.\n"
