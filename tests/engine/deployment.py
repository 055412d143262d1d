"""A copy of this project for a test, with a local stack of its own: the real program, engine and pack.

Owns the copy and the commands run in it; `down` ends what they started. The cache is shared with the
checkout, so that nothing is downloaded or built twice.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.emulator import process as emulator_process
from local.environment import LOCAL_ACCOUNT_ID
from local.paths import Paths
from tests.walk.watcher import client

CHECKOUT = Path(__file__).resolve().parents[2]
TIMEOUT_SECONDS = 900

EMPTY_IMAGE = json.dumps(
    {
        "schemaVersion": 2,
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": {
            "mediaType": "application/vnd.docker.container.image.v1+json",
            "size": 2,
            "digest": f"sha256:{'0' * 64}",
        },
        "layers": [],
    }
)
"""The manifest of an image without layers."""


@dataclass(frozen=True)
class Deployment:
    """A copy of the project, and what its commands find in their environment."""

    root: Path
    environment: Mapping[str, str]

    @classmethod
    def copy(cls, root: Path) -> Deployment:
        """Copies the files that a clone would have, with what isn't committed yet."""
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=CHECKOUT,
            capture_output=True,
            check=True,
        ).stdout.decode()
        for name in filter(None, listed.split("\0")):
            source = CHECKOUT / name
            if source.is_file() and not name.startswith("tests/"):
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, root / name)
        return cls(root=root, environment=clean_environment())

    @classmethod
    @contextmanager
    def started(cls, root: Path) -> Iterator[Deployment]:
        """A copy whose emulated AWS runs, with nothing deployed; ends it afterwards."""
        deployment = cls.copy(root)
        started = deployment.local("start")
        try:
            assert started.returncode == 0, started.stdout
            yield deployment
        finally:
            deployment.down()

    def trial(self, program: str) -> None:
        """Makes the folder `trial` with a program and a stack of it, beside this project's own."""
        folder = self.root / "trial"
        folder.mkdir()
        (folder / "Pulumi.yaml").write_text("name: trial\nruntime: python\n")
        (folder / "__main__.py").write_text(program)
        made = self.sourced("pulumi stack init trial", folder)
        assert made.returncode == 0, made.stdout

    def make(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Runs make to its end; what it printed is in `stdout`."""
        return self.run(["make", *arguments], environment)

    def up(self, stack: str = "local") -> subprocess.CompletedProcess[str]:
        """Runs `make up` for its update alone: without the preview, which takes as long as an update."""
        return self.make("up", f"STACK={stack}", "ARGUMENTS=--skip-preview")

    def local(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs a command of the local stack that has no make target."""
        return self.run([sys.executable, "-m", "local", *arguments], {})

    def sourced(self, command: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Runs a shell command as a person would who has sourced `.local/env`."""
        script = f". {self.root}/.local/env\n{command}"
        return self.run(["bash", "-c", script], {}, folder)

    def killed(self, command: list[str], after_seconds: float) -> None:
        """Starts a command and kills it and what it leads, as a machine that runs out of memory does."""
        process = self.start(command, {}, output=subprocess.DEVNULL)
        try:
            process.wait(after_seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    @property
    def endpoint(self) -> str:
        """Where its AWS answers."""
        running = emulator_process.find(Paths.of({}, self.root).emulator)
        assert running is not None, "no emulated AWS runs for this copy"
        return running.url

    def client(self, service: str) -> Any:
        """The SDK's client of its AWS: the AWS CLI, for what a person types, takes half a second to start."""
        return client(service, self.endpoint, LOCAL_ACCOUNT_ID)

    def service(self, name: str, cluster: str = "fileflow-prod") -> dict[str, Any]:
        """An ECS service as its AWS describes it."""
        (found,) = self.client("ecs").describe_services(cluster=cluster, services=[name])["services"]
        return dict(found)

    def network(self) -> tuple[str, str]:
        """Makes a VPC with a subnet, and returns their ids."""
        ec2 = self.client("ec2")
        vpc = str(ec2.create_vpc(CidrBlock="10.50.0.0/16")["Vpc"]["VpcId"])
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.50.1.0/24")["Subnet"]
        return vpc, str(subnet["SubnetId"])

    def aws(self, command: str) -> Any:
        """What `aws COMMAND` answers, decoded; a failing one fails the test with its message."""
        done = self.sourced(f"aws {command}")
        assert done.returncode == 0, done.stdout
        return json.loads(done.stdout) if done.stdout.strip() else None

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs."""
        done = self.sourced("pulumi stack output --json")
        assert done.returncode == 0, done.stdout
        return dict(json.loads(done.stdout))

    def pushed_image(self, repository: str, tag: str = "1") -> str:
        """Makes an ECR repository with an image that has no layers, and returns the image by its digest."""
        made = self.client("ecr").create_repository(repositoryName=repository)["repository"]
        return f"{made['repositoryUri']}@{self.put_image(repository, tag)}"

    def put_image(self, repository: str, tag: str) -> str:
        """Puts an image without layers into an ECR repository, and returns its digest."""
        put = self.client("ecr").put_image(repositoryName=repository, imageTag=tag, imageManifest=EMPTY_IMAGE)
        return str(put["image"]["imageId"]["imageDigest"])

    def down(self) -> None:
        """Ends everything that runs for this copy."""
        done = self.make("down")
        assert done.returncode == 0, done.stdout

    def start(
        self,
        command: list[str],
        environment: Mapping[str, str],
        folder: Path | None = None,
        output: int = subprocess.PIPE,
    ) -> subprocess.Popen[str]:
        """Starts a command in a process group of its own, its output in one pipe."""
        return subprocess.Popen(
            command,
            cwd=folder or self.root,
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(
        self, command: list[str], environment: Mapping[str, str], folder: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Runs a command to its end, with these variables beside the copy's; its output is in `stdout`."""
        process = self.start(command, environment, folder)
        try:
            output, _ = process.communicate(timeout=TIMEOUT_SECONDS)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
        return subprocess.CompletedProcess(command, process.returncode, output)


def clean_environment() -> dict[str, str]:
    """This process's environment without a developer's own local stack, AWS or Pulumi settings."""
    dropped = ("FILEFLOW_LOCAL_DIR", "FILEFLOW_PORT", "STACK", "MAKELEVEL", "MAKEFLAGS", "VIRTUAL_ENV")
    return {
        name: value
        for name, value in os.environ.items()
        if name not in dropped and not name.startswith(("AWS_", "PULUMI_", "PYTEST_"))
    }
