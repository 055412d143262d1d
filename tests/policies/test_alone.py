"""The pack in another team's repository, by the README's own commands: copied, installed, and asked about a
program of that team in Python and in Node. AWS is the echo provider.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.policies.command_line import PACK, ROOT, Project, Template
from tests.policies.echo_provider import EchoProvider
from tests.policies.harness import Violation

pytestmark = pytest.mark.engine

# Each needs nothing but its language's SDK.
PYTHON = """import pulumi

pulumi.CustomResource(
    "aws:ecs/service:Service",
    "download",
    {"name": "fileflow-scheduler-download", "desiredCount": COUNT, "launchType": "FARGATE"},
)
"""
NODE = """const pulumi = require("@pulumi/pulumi");

new pulumi.CustomResource("aws:ecs/service:Service", "download", {
    name: "fileflow-scheduler-download",
    desiredCount: COUNT,
    launchType: "FARGATE",
});
"""


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory, template: Template) -> Path:
    """A copy of the pack outside this repository, with the environment that `pulumi install` made for it."""
    copy = tmp_path_factory.mktemp("another-team") / "policies"
    shutil.copytree(PACK, copy, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    environment = {name: value for name, value in template.environment.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        ["pulumi", "install", "--cwd", "policies"],
        cwd=copy.parent,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (copy / ".venv" / "bin" / "python").exists()
    return copy


@pytest.fixture
def elsewhere(template: Template, provider: tuple[EchoProvider, int], tmp_path: Path) -> Project:
    """A project of another team: nothing of this repository on its path."""
    project = template.project(tmp_path, None, *provider)
    kept = {key: value for key, value in project.environment.items() if key != "PYTHONPATH"}
    return replace(project, environment=kept)


def _check(project: Project, pack: Path, program: str, source: str) -> None:
    """Two tasks are refused with the pack as it is and with the configuration to start with, one isn't."""
    path = project.folder / program
    start = ("--policy-pack-config", str(pack / "start.json"))
    path.write_text(source.replace("COUNT", "2"))
    two = Violation("scheduler-desired-count", "download")
    outcome = project.preview(pack=pack)
    assert not outcome.passed
    assert two in outcome.violations, outcome.output
    gently = project.preview(*start, pack=pack)
    assert not gently.passed
    assert {found for found in gently.violations if found.level == "mandatory"} == {two}, gently.output
    path.write_text(source.replace("COUNT", "1"))
    one = project.preview(*start, pack=pack)
    assert one.passed, one.output
    assert {found.level for found in one.violations} == {"advisory"}


def test_the_pack_works_alone_for_a_program_in_python(elsewhere: Project, pack: Path) -> None:
    _check(elsewhere, pack, "__main__.py", PYTHON)


@pytest.mark.skipif(shutil.which("npm") is None, reason="Node and npm aren't on PATH")
def test_the_pack_works_alone_for_a_program_in_node(
    elsewhere: Project,
    pack: Path,
    node_sdk: Path,
    tmp_path: Path,
) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    host = tools / "pulumi-language-nodejs"
    host.write_text(
        f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m tests.policies.node_language_host "$@"\n'
    )
    host.chmod(0o755)
    environment = dict(elsewhere.environment)
    environment["PATH"] = os.pathsep.join([str(tools), environment["PATH"]])
    folder = elsewhere.folder
    (folder / "Pulumi.yaml").write_text("name: fileflow\nruntime: nodejs\nmain: index.js\n")
    (folder / "node_modules").symlink_to(node_sdk / "node_modules")
    _check(replace(elsewhere, environment=environment), pack, "index.js", NODE)
