"""A second clone of this project for a test: its own folder, local stack and program, the cache shared.

Owns the folder and the commands run in it; `down` ends what they started. The program is a small one of the
test's own: these tests are about the commands, not about what is deployed.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from local.paths import ROOT
from local.stack import ENCRYPTION_SALT

PROGRAM = """
import pulumi
import pulumi_aws as aws

config = pulumi.Config()
for index in range(config.get_int("topics") or 3):
    aws.sns.Topic(f"topic-{index}")
pulumi.export("stack", pulumi.get_stack())
"""

PACK = """
from pulumi_policy import EnforcementLevel, PolicyPack, ReportViolation, ResourceValidationPolicy

def forbidden(args, report: ReportViolation) -> None:
    if args.name == "forbidden":
        report("no resource may be called forbidden")

PolicyPack(
    "names",
    [ResourceValidationPolicy("no-forbidden-name", "Names", forbidden, EnforcementLevel.MANDATORY)],
)
"""


@dataclass
class Clone:
    """A folder with this project's commands and a small program."""

    root: Path
    environment: dict[str, str] = field(default_factory=dict)

    @classmethod
    def make(cls, root: Path, environment: Mapping[str, str] | None = None) -> Clone:
        """Copy what the commands need, and write the program, two stacks and a pack."""
        root.mkdir()
        for name in ("local", "guard"):
            shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__", "bin"))
        for name in ("Makefile", "requirements.txt", "requirements-dev.txt", "constraints.txt"):
            shutil.copyfile(ROOT / name, root / name)
        (root / "Pulumi.yaml").write_text(
            "name: small\nruntime:\n  name: python\n  options: {virtualenv: .venv}\n"
        )
        (root / "Pulumi.local.yaml").write_text(
            f'config:\n  small:topics: "3"\nencryptionsalt: {ENCRYPTION_SALT}\n'
        )
        (root / "Pulumi.prod.yaml").write_text("config:\n  small:topics: 4\n")
        (root / "__main__.py").write_text(PROGRAM)
        (root / "policies").mkdir()
        (root / "policies" / "PulumiPolicy.yaml").write_text("runtime: python\n")
        (root / "policies" / "__main__.py").write_text(PACK)
        return cls(root, clean_environment() | dict(environment or {}))

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Start `python -m local ...` in a process group of its own, its output in one pipe."""
        return self.start_command([sys.executable, "-m", "local", *arguments], **environment)

    def start_command(self, command: list[str], **environment: str) -> subprocess.Popen[str]:
        """Start a command in a process group of its own, its output in one pipe."""
        return subprocess.Popen(
            command,
            cwd=self.root,
            env=self.environment | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            process_group=0,
        )

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run `python -m local ...` to its end, its output and errors in `stdout`."""
        return self._finish(self.start(*arguments, **environment))

    def command(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, its output and errors in `stdout`."""
        return self._finish(self.start_command(list(command), **environment))

    def shell(self, script: str) -> subprocess.CompletedProcess[str]:
        """Run a shell script that has sourced `.local/env`."""
        return self.command("sh", "-ec", f". .local/env\n{script}")

    def down(self) -> None:
        """End everything that runs for this clone."""
        ended = self.run("down")
        assert ended.returncode == 0, ended.stdout

    def _finish(self, process: subprocess.Popen[str]) -> subprocess.CompletedProcess[str]:
        try:
            output, _ = process.communicate(timeout=600)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
        return subprocess.CompletedProcess(process.args, process.returncode, output)


def clean_environment() -> dict[str, str]:
    """Return this process's environment without what a developer set for a local stack of their own."""
    dropped = (
        "FILEFLOW_LOCAL_DIR",
        "FILEFLOW_PORT",
        "FILEFLOW_PLUGINS",
        "FILEFLOW_DOCKER_DIR",
        "FILEFLOW_REGISTRY",
        "DOCKER_HOST",
        "STACK",
        "MAKELEVEL",
        "MAKEFLAGS",
    )
    foreign = ("AWS_", "PULUMI_")
    return {
        name: value
        for name, value in os.environ.items()
        if name not in dropped and not name.startswith(foreign)
    } | {"FILEFLOW_PLUGINS": "stand-in"}
