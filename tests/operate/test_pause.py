"""`pause` and `resume`: what they write into the stack's file, and what they refuse."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import click
import pytest
from rich.console import Console

from components.pause import Pause
from operate import pulumi_cli
from operate.app import Session
from operate.aws import Aws
from operate.errors import OperateError
from operate.stack import Service, Stack
from operate.verbs import pause as module
from settings import Settings
from tests.unit.stacks import parse, stack_values

DOWNLOAD, PIPELINE = "fileflow-scheduler-download", "fileflow-scheduler-pipeline"
NEXT = "pulumi up --stack {} --policy-pack policies"
KEY = "fileflow:schedulers[{}].paused"
OLD = {"since": "2026-01-01T09:00Z", "until": "2026-01-01T13:00Z", "reason": "long ago"}


def service(name: str, role: Any = "scheduler") -> Service:
    return Service(
        name=name,
        role=role,
        arn=f"arn:aws:ecs:ap-northeast-2:111122223333:service/main/{name}",
        cluster_arn="arn:aws:ecs:ap-northeast-2:111122223333:cluster/main",
        region="ap-northeast-2",
        task_definition_arn="",
        desired_count=1,
        target_group_arns=[],
        log_groups=[],
        alarm_names=[],
        containers=[],
    )


def session(on: str = "dev", **changes: Any) -> Session:
    stack = Stack(
        name=on,
        folder=Path("project"),
        region="ap-northeast-2",
        services=[service("fileflow-web-api", "web-api"), service(DOWNLOAD), service(PIPELINE)],
        resources=[],
        outputs={},
    )
    given = Session(
        stack=stack, aws=Aws("ap-northeast-2"), json=True, yes=False, read_only=False, console=Console()
    )
    return dataclasses.replace(given, **changes)


class File:
    """The stack's file: its settings, and what the Pulumi CLI was told to write into it."""

    def __init__(self) -> None:
        self.values = stack_values("dev")
        self.written: list[list[str]] = []

    def settings(self, stack: str, folder: Path) -> Settings:
        assert (stack in ("dev", "prod"), folder) == (True, Path("project"))
        return parse("dev", self.values)

    def pulumi(self, arguments: list[str], folder: Path) -> str:
        assert folder == Path("project")
        self.written.append(arguments)
        return ""


@pytest.fixture
def file() -> Iterator[File]:
    found = File()
    with (
        mock.patch.object(module, "settings_of", found.settings),
        mock.patch.object(pulumi_cli, "pulumi", found.pulumi),
    ):
        yield found


def pause(name: str, length: timedelta = timedelta(hours=4), reason: str = "migration", **of: Any) -> Any:
    return inspect.unwrap(module.pause.callback)(session(**of), name, length, reason)  # type: ignore[arg-type]


def resume(name: str, **of: Any) -> Any:
    return inspect.unwrap(module.resume.callback)(session(**of), name)  # type: ignore[arg-type]


def test_a_pause_is_written_where_the_scheduler_is_configured_as_texts(file: File) -> None:
    before = datetime.now(UTC).replace(second=0, microsecond=0)
    done = pause("pipeline")

    assert before <= done.pause.begins <= datetime.now(UTC)
    assert done.pause.ends - done.pause.begins == timedelta(hours=4)
    assert (done.service, done.key, done.instead_of) == (PIPELINE, KEY.format(1), None)
    assert (done.pause.reason, done.exit_code, done.next) == ("migration", 0, NEXT.format("dev"))
    assert file.written == [
        [
            *("config", "set", "--stack", "dev", "--path", f"{KEY.format(1)}.{field}"),
            *(getattr(done.pause, field), "--type", "string"),
        ]
        for field in ("since", "until", "reason")
    ]


def test_it_says_until_when_and_what_rings_then(file: File) -> None:
    done = pause("download")
    assert file.written
    text = str(done.human())

    assert f"{DOWNLOAD} is to be paused until {done.pause.until} (migration)" in text
    assert "alarm on none running rings, and a preview is refused" in text
    assert NEXT.format("dev") in text


@pytest.mark.parametrize("former", [None, OLD])
def test_what_was_there_before_stays_where_it_is_broken_off(
    file: File, former: dict[str, str] | None
) -> None:
    if former:
        file.values["schedulers"][0]["paused"] = former

    def broken_off(arguments: list[str], folder: Path) -> str:
        file.pulumi(arguments, folder)
        if len(file.written) == 2:
            raise KeyboardInterrupt
        return ""

    with mock.patch.object(pulumi_cli, "pulumi", broken_off), pytest.raises(KeyboardInterrupt):
        pause("download")

    key = KEY.format(0)
    taken_out = ["config", "rm", "--stack", "dev", "--path", key]
    put_back = [
        ["config", "set", "--stack", "dev", "--path", f"{key}.{field}", text, "--type", "string"]
        for field, text in OLD.items()
    ]
    assert file.written[2:] == (put_back if former else [taken_out])


def test_said_again_the_new_end_counts_also_when_the_old_one_has_passed(file: File) -> None:
    file.values["schedulers"][0]["paused"] = OLD
    done = pause("download", timedelta(days=15))

    assert done.instead_of == Pause(**OLD)
    assert "and no longer until 2026-01-01T13:00Z" in str(done.human())
    assert len(file.written) == 3


def test_a_pause_is_taken_out_also_when_its_end_has_passed(file: File) -> None:
    file.values["schedulers"][0]["paused"] = OLD
    done = resume("download")

    assert (done.key, done.pause, done.next) == (KEY.format(0), Pause(**OLD), NEXT.format("dev"))
    assert file.written == [["config", "rm", "--stack", "dev", "--path", KEY.format(0)]]


def test_what_is_not_paused_is_left_alone(file: File) -> None:
    done = resume("download")

    assert (done.pause, done.exit_code, file.written) == (None, 0, [])
    assert "nothing was set" in str(done.human())


@pytest.mark.parametrize("does", [pause, resume])
def test_only_a_scheduler_that_is_there_is_paused(file: File, does: Any) -> None:
    with pytest.raises(OperateError, match="is no scheduler"):
        does("web-api")
    with pytest.raises(OperateError, match="has no service 'nobody'"):
        does("nobody")
    del file.values["schedulers"][1]
    with pytest.raises(OperateError, match=f"has no scheduler {PIPELINE}"):
        does("pipeline")
    assert file.written == []


@pytest.mark.parametrize("reason", ["", " ", "R&D", "a" * 257])
def test_a_reason_that_no_tag_can_have_is_refused(file: File, reason: str) -> None:
    with pytest.raises(OperateError, match="--reason is"):
        pause("download", reason=reason)
    assert file.written == []


@pytest.mark.parametrize("does", [pause, resume])
def test_read_only_refuses_and_production_asks_first(file: File, does: Any) -> None:
    file.values["schedulers"][0]["paused"] = OLD
    with pytest.raises(OperateError, match="--read-only is set"):
        does("download", read_only=True)
    with mock.patch("sys.stdin.isatty", return_value=False), pytest.raises(OperateError, match="--yes"):
        does("download", on="prod")
    assert file.written == []
    does("download", on="prod", yes=True)
    assert file.written


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("1m", timedelta(minutes=1)),
        ("90m", timedelta(minutes=90)),
        ("4h", timedelta(hours=4)),
        ("1d12h", timedelta(days=1, hours=12)),
        ("2d3h4m", timedelta(days=2, hours=3, minutes=4)),
        ("15d", timedelta(days=15)),
    ],
)
def test_a_length_is_days_hours_and_minutes(text: str, length: timedelta) -> None:
    assert module.Length().convert(text, None, None) == length


@pytest.mark.parametrize("text", ["", "4", "h", "0m", "-1h", "4h ", "1h1d", "30s", "15d1m", "1w", "４h４"])
def test_a_length_that_is_none_or_too_long_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter, match="no time up to 15 days"):
        module.Length().convert(text, None, None)
