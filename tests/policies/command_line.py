"""Runs small programs through the real Pulumi CLI with the pack, each in a project and a backend of its own.

Owns the project folder, the environment and the reading of the CLI's event log. AWS is the echo provider.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from local.engine.acquire import ensure_engine
from local.fork_server import client as fork_client
from local.paths import Paths
from tests.policies.echo_provider import EchoProvider
from tests.policies.harness import Violation

ROOT = Path(__file__).resolve().parents[2]
PACK = ROOT / "policies"
PROGRAMS = Path(__file__).parent / "programs"
PACKAGES = ("aws", "aws-native", "awsx", "command", "random")
_TIMEOUT_SECONDS = 300


@dataclass(frozen=True)
class Outcome:
    """What a run of the CLI came to."""

    exit_code: int
    output: str
    violations: frozenset[Violation]

    @property
    def passed(self) -> bool:
        return self.exit_code == 0


@dataclass(frozen=True)
class Template:
    """A project with an empty stack, made once and copied for each program."""

    folder: Path
    stack: str
    environment: Mapping[str, str]

    @classmethod
    def make(cls, folder: Path, stack: str, fork_server: Path | None = None) -> Template:
        environment = _environment(folder)
        if fork_server is not None:
            environment[fork_client.VARIABLE] = str(fork_server)
        (folder / "Pulumi.yaml").write_text("name: fileflow\nruntime: python\n")
        (folder / "backend").mkdir()
        done = subprocess.run(
            ["pulumi", "stack", "init", stack],
            cwd=folder,
            env={**environment, "PULUMI_BACKEND_URL": f"file://{folder}/backend"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return cls(folder, stack, environment)

    def project(self, folder: Path, program: Path | None, provider: EchoProvider, port: int) -> Project:
        """A project of its own for a program."""
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        if program is not None:
            shutil.copy2(program, folder / "__main__.py")
        environment = {
            **self.environment,
            "PULUMI_STACK": self.stack,
            "PULUMI_BACKEND_URL": f"file://{folder}/backend",
            "PULUMI_DEBUG_PROVIDERS": ",".join(f"{package}:{port}" for package in PACKAGES),
        }
        return Project(folder, environment, provider)


@dataclass(frozen=True)
class Project:
    """A program in a folder, and the CLI to run it."""

    folder: Path
    environment: Mapping[str, str]
    provider: EchoProvider

    def preview(self, *arguments: str, pack: Path = PACK) -> Outcome:
        return self.run("preview", "--policy-pack", str(pack), *arguments)

    def up(self, *arguments: str, pack: Path = PACK) -> Outcome:
        return self.run("up", "--yes", "--policy-pack", str(pack), *arguments)

    def run(self, *command: str) -> Outcome:
        log = self.folder / "events.json"
        log.unlink(missing_ok=True)
        done = self.pulumi(*command, "--event-log", str(log))
        return Outcome(done.returncode, done.stdout, frozenset(_violations(log)))

    def pulumi(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["pulumi", "--non-interactive", "--color", "never", *command],
            cwd=self.folder,
            env=dict(self.environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=_TIMEOUT_SECONDS,
        )


def _violations(log: Path) -> list[Violation]:
    found = []
    for line in log.read_text().splitlines() if log.exists() else ():
        event = json.loads(line).get("policyEvent")
        if event:
            urn = event.get("resourceUrn", "")
            name = "" if "pulumi:pulumi:Stack" in urn else urn.rsplit("::", 1)[-1]
            found.append(Violation(event["policyName"], name, event["enforcementLevel"]))
    return found


def _environment(folder: Path) -> dict[str, str]:
    """The CLI of the project on PATH, and nothing of the user's own Pulumi or AWS."""
    engine = ensure_engine(Paths.of(os.environ), os.environ)
    kept = {name: os.environ[name] for name in ("HOME", "LANG", "TMPDIR") if name in os.environ}
    return {
        **kept,
        "PATH": os.pathsep.join(
            [str(engine.pulumi.parent), str(Path(sys.executable).parent), os.environ["PATH"]]
        ),
        "VIRTUAL_ENV": sys.prefix,
        "FILEFLOW_ROOT": str(ROOT),
        "PYTHONPATH": str(ROOT),  # programs share their parts, and the project's components
        "PYTHONDONTWRITEBYTECODE": "1",
        "PULUMI_HOME": str(folder / "home"),
        "PULUMI_CONFIG_PASSPHRASE": "test",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DEBUG_COMMANDS": "true",  # for --event-log
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
    }
