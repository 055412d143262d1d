"""The walk goes to every setting, and the page of changes says what it does."""

from __future__ import annotations

import dataclasses

import pytest
from pydantic import BaseModel

from tests.walk.change import Change
from tests.walk.coverage import not_walked
from tests.walk.runs import RUNS, TOUR, TOUR_REFUSES
from tools.changes import read
from tools.setting_paths import Setting, kind_of, settings_of


def test_every_setting_is_walked_to_each_kind_of_value() -> None:
    assert not_walked() == [], "add a run to tests/walk/runs.py"


def test_a_setting_without_a_run_is_noticed() -> None:
    without_ports = [run for run in RUNS if run.name != "ports"]
    assert {"web_api.port", "schedulers.port"} <= set(not_walked(without_ports))


def test_a_kind_of_value_without_a_run_is_noticed() -> None:
    without = [run for run in RUNS if not run.name.startswith("logs, repository")]
    assert "container_insights to enhanced" in not_walked(without)


def test_names_of_runs_differ() -> None:
    assert len({run.name for run in RUNS}) == len(RUNS)


def test_the_tour_names_runs() -> None:
    assert {name for step in TOUR for name in step} | set(TOUR_REFUSES) <= {run.name for run in RUNS}


def test_what_is_recorded_is_of_the_changes_that_are_walked() -> None:
    runs = {(base, run.name): run for run in RUNS for base in run.bases}
    outdated = [
        f"{name}, from {base}"
        for base, recorded in read().items()
        for name, entries in recorded.items()
        if (base, name) not in runs
        or [set(each["change"]) for each in entries]
        != [set(each.values) for each in runs[base, name].changes]
    ]
    assert outdated == [], "record them with make walk, or take them out of docs/changes.json"


def test_changes_of_one_run_can_be_told_apart() -> None:
    shared = [
        run.name for run in RUNS if len(run.changes) > 1 and any(not each.resources for each in run.changes)
    ]
    assert shared == []


class Inner(BaseModel):
    size: int = 1


@dataclasses.dataclass
class Group:
    name: str
    protected: bool = False


class Outer(BaseModel):
    always: Inner = Inner()
    perhaps: Inner | None = None
    several: list[Group] = []
    names: dict[str, str] = {}
    text: str | None = None


def test_what_may_be_left_out_or_repeated_is_a_setting_beside_what_stands_in_it() -> None:
    assert [(each.path, sorted(each.kinds)) for each in settings_of(Outer)] == [
        ("always.size", ["given"]),
        ("perhaps", ["given", "none"]),
        ("perhaps.size", ["given"]),
        ("several", ["empty", "filled"]),
        ("several.name", ["given"]),
        ("several.protected", ["false", "true"]),
        ("names", ["empty", "filled"]),
        ("text", ["given", "none"]),
    ]


@pytest.mark.parametrize(
    ("value", "kinds", "kind"),
    [
        (None, {"none", "given"}, "none"),
        (False, {"true", "false"}, "false"),
        ([], {"empty", "filled"}, "empty"),
        ({"a": "b"}, {"empty", "filled"}, "filled"),
        ("SINGLE", {"SINGLE", "NONE"}, "SINGLE"),
        ("anything", {"given"}, "given"),
        (Inner(), {"given", "none"}, "given"),
    ],
)
def test_a_value_is_of_one_kind(value: object, kinds: set[str], kind: str) -> None:
    assert kind_of(value, Setting("path", frozenset(kinds))) == kind


def test_a_change_of_one_service_finds_its_resources_alone() -> None:
    assert Change(values={"web_api.port": 1}).resources == " fileflow-web-api"
    assert Change(values={"schedulers.port": 1}).resources == " fileflow-scheduler-download"
    assert Change(values={"tags": {}}).resources == ""
