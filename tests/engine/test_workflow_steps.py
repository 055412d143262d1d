"""The commands of the workflows' steps, on a fresh clone against the local stack, in GitHub's shell.

The local stack stands for what a step before them sets up: the Pulumi CLI, the state's backend, AWS's
credentials. What can't run here is listed with its reason, so that a new step is either run or listed. What
actionlint and the pins of actions say is `tests/engine/test_workflows`; that `.ci/run` passes, CI itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.engine.deployment import CHECKOUT, Deployment

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("workflow-steps")]

WORKFLOWS = {
    path.name: yaml.safe_load(path.read_text()) for path in (CHECKOUT / ".github/workflows").glob("*.yml")
}
ON_THE_RUNNER = "pull-request-stack.yml"
ON_AN_ACCOUNT = ("preview.yml", "deploy-stack.yml", "drift.yml")
NOT_RUN = {
    "sudo --preserve-env=CI,PATH,HOME bash .ci/run": "installs the system's packages, then runs every test",
    "pulumi install": "downloads the providers' plugins, in whose place the local stack has its own",
}
STAND_IN = "#!/bin/sh\nprintf '%s\\n' \"$@\" > commented.txt\n"
"""For GitHub's `gh`: there is no pull request to comment on."""

Values = Mapping[str, str]


@dataclass(frozen=True)
class Step:
    """A step that has a command, and the variables and the folder that its job gives it."""

    command: str
    shell: tuple[str, ...]
    environment: Values
    folder: str
    condition: str | None

    @classmethod
    def of(cls, workflow: Mapping[str, Any], job: Mapping[str, Any], step: Mapping[str, Any]) -> Step:
        # https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idstepsshell
        shell = {None: ("bash", "-e"), "bash": ("bash", "--noprofile", "--norc", "-e", "-o", "pipefail")}
        return cls(
            command=step["run"].strip(),
            shell=shell[step.get("shell")],
            environment={**workflow.get("env", {}), **job.get("env", {}), **step.get("env", {})},
            folder=step.get("working-directory", "."),
            condition=step.get("if"),
        )

    def is_for(self, stack: str) -> bool:
        """Whether its condition holds in a run that hasn't failed; one of another form fails the test."""
        if self.condition in (None, "always()"):
            return True
        match = re.fullmatch(r"matrix\.stack == '(\w+)'", str(self.condition))
        assert match, f"a condition of a form that isn't known here: {self.condition}"
        return match[1] == stack

    def run(self, clone: Deployment, given: Values, expressions: Values) -> None:
        """Runs it to its end; an expression without a value fails the test, as a code that isn't 0 does."""

        def filled(text: str) -> str:
            return re.sub(r"\$\{\{ *(\S+) *\}\}", lambda found: expressions[found[1]], str(text))

        own = {name: filled(value) for name, value in self.environment.items()}
        command = [*self.shell, "-c", filled(self.command)]
        done = clone.run(command, {**given, **own}, clone.root / self.folder)
        assert done.returncode == 0, f"{self.command}\n{done.stdout}"


def steps_of(name: str) -> Iterator[Step]:
    workflow = WORKFLOWS[name]
    for job in workflow["jobs"].values():
        yield from (Step.of(workflow, job, step) for step in job.get("steps", []) if "run" in step)


def stacks_of(name: str) -> set[str]:
    """The stacks that a workflow runs for: by its matrix, or by who calls it."""
    own = [
        job.get("strategy", {}).get("matrix", {}).get("stack", []) for job in WORKFLOWS[name]["jobs"].values()
    ]
    called = [
        job["with"]["stack"]
        for workflow in WORKFLOWS.values()
        for job in workflow["jobs"].values()
        if job.get("uses") == f"./.github/workflows/{name}"
    ]
    return {*called, *(stack for stacks in own for stack in stacks)}


def test_every_step_is_run_here_or_listed_with_its_reason() -> None:
    run = {step.command for name in (ON_THE_RUNNER, *ON_AN_ACCOUNT) for step in steps_of(name)}
    assert {step.command for name in WORKFLOWS for step in steps_of(name)} - run - set(NOT_RUN) == set()
    assert all(stacks_of(name) == {"staging", "prod"} for name in ON_AN_ACCOUNT)
    assert stacks_of(ON_THE_RUNNER) == {path.name.split(".")[1] for path in CHECKOUT.glob("Pulumi.?*.yaml")}


def test_what_ci_makes_are_targets() -> None:
    targets = re.findall(r"^([a-z-]+):.*## ", (CHECKOUT / "Makefile").read_text(), re.MULTILINE)
    commands = (CHECKOUT / ".ci/run").read_text().splitlines()
    commands += [step.command for name in WORKFLOWS for step in steps_of(name)]
    made = {match[1] for command in commands if (match := re.match(r"make (\S+)", command))}
    assert {"check", "test", "up", "down"} <= made <= set(targets)


@pytest.mark.nightly
@pytest.mark.parametrize("stack", sorted(stacks_of(ON_THE_RUNNER)))
def test_the_steps_commands_run_on_a_fresh_clone(tmp_path: Path, stack: str) -> None:
    clone = Deployment.copy(tmp_path)
    expressions = {"matrix.stack": stack, "inputs.stack": stack}
    *steps, down = steps_of(ON_THE_RUNNER)
    assert down.command == "make down"
    try:
        for step in steps:
            if step.is_for(stack):
                step.run(clone, {}, expressions)
        for name in ON_AN_ACCOUNT:
            if stack in stacks_of(name):
                run_on_the_account(clone, name, expressions)
        if stack in stacks_of("preview.yml"):
            the_pull_request_is_told(clone.root, stack)
    finally:
        down.run(clone, {}, expressions)


def run_on_the_account(clone: Deployment, name: str, expressions: Values) -> None:
    """Runs a workflow's steps with the environment of the local stack, and with a stand-in for `gh`."""
    programs = clone.root / "programs"
    programs.mkdir(exist_ok=True)
    (programs / "gh").write_text(STAND_IN)
    (programs / "gh").chmod(0o755)
    shown = clone.sourced("env -0").stdout.split("\0")
    given = dict(line.split("=", 1) for line in shown if "=" in line)
    given["PATH"] = f"{programs}:{given['PATH']}"
    values = {
        **expressions,
        "vars.PULUMI_BACKEND_URL": given["PULUMI_BACKEND_URL"],
        "github.token": "none",
        "github.event.pull_request.number": "4711",
    }
    for step in steps_of(name):
        if step.command not in NOT_RUN:
            assert step.is_for(expressions["matrix.stack"])
            step.run(clone, given, values)


def the_pull_request_is_told(root: Path, stack: str) -> None:
    comment = (root / "comment.md").read_text()
    assert comment.startswith(f"### Preview of `{stack}`\n\n```text\n")
    assert comment.endswith("\n```\n")
    assert "Resources:" in comment
    told = (root / "commented.txt").read_text().split()
    assert told == ["pr", "comment", "4711", "--body-file", "comment.md"]
    [uploaded] = [
        step["with"]["sarif_file"]
        for step in WORKFLOWS["preview.yml"]["jobs"]["preview"]["steps"]
        if "upload-sarif" in step.get("uses", "")
    ]
    assert json.loads((root / uploaded).read_text())["version"] == "2.1.0"
