"""The components as a package: its schema by the real CLI, and programs in Node and YAML that deploy by it.

Node's language host is the tests' own around `@pulumi/pulumi`; YAML's is Pulumi's, built from its Go module.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from local.engine.build import GO_VERSION, ensure_go, go_environment
from local.paths import ROOT, Paths
from tests.engine.deployment import Deployment

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("other languages")]

YAML_MODULE = "github.com/pulumi/pulumi-yaml"
YAML_VERSION = "v1.25.0"
"""The newest that the module proxy serves; beside an official CLI lies a newer one."""

UP = "pulumi up --yes --skip-preview --non-interactive"


@dataclass(frozen=True)
class Running:
    """An emulated AWS with a VPC, a subnet and an image, and a folder for further language hosts."""

    deployment: Deployment
    hosts: Path
    config: Mapping[str, str]

    def run(self, command: str, folder: Path) -> subprocess.CompletedProcess[str]:
        """Runs a command in a program's folder, with the language hosts on its PATH."""
        return self.deployment.sourced(f'export PATH="{self.hosts}:$PATH"\n{command}', folder)

    def made(self, folder: Path, **config: str) -> None:
        """Makes a stack of a program."""
        settings = {"aws:region": "ap-northeast-2", **self.config, **config}
        lines = [f"pulumi config set {key} '{value}'" for key, value in settings.items()]
        done = self.run("\n".join(["set -e", "pulumi stack init trial", *lines]), folder)
        assert done.returncode == 0, done.stdout

    def tasks(self, cluster: str, service: str) -> tuple[str, int, int]:
        """The service's status, its desired and its running tasks."""
        found = self.deployment.service(service, cluster)
        return found["status"], found["desiredCount"], found["runningCount"]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    hosts = tmp_path_factory.mktemp("hosts")
    with Deployment.started(tmp_path_factory.mktemp("languages")) as deployment:
        vpc, subnet = deployment.network()
        config = {
            "vpcId": vpc,
            "privateSubnetId": subnet,
            "image": deployment.pushed_image("billing"),
        }
        yield Running(deployment=deployment, hosts=hosts, config=config)


def host(running: Running, language: str, command: str) -> None:
    """Puts a language host on the PATH."""
    path = running.hosts / f"pulumi-language-{language}"
    path.write_text(f'#!/bin/sh\n{command} "$@"\n')
    path.chmod(0o755)


def yaml_host() -> Path:
    """Pulumi's language host for YAML, built from its Go module once for all clones."""
    paths = Paths.of(os.environ)
    folder = paths.cache / "yaml" / YAML_VERSION
    built = folder / "pulumi-language-yaml"
    if not built.exists():
        folder.mkdir(parents=True, exist_ok=True)
        # Without the CLI's version of its packages, against which it doesn't compile.
        module = f"module yaml\n\ngo {GO_VERSION}\n\nrequire {YAML_MODULE} {YAML_VERSION}\n"
        (folder / "go.mod").write_text(module)
        go = ensure_go(paths.cache, os.environ)
        arguments = ["build", "-mod=mod", "-trimpath", "-ldflags", "-s -w", "-o", str(built)]
        subprocess.run(
            [go, *arguments, f"{YAML_MODULE}/cmd/pulumi-language-yaml"],
            env=go_environment(os.environ),
            cwd=folder,
            check=True,
        )
    return built


def test_the_real_cli_reads_the_schema_that_is_pinned(running: Running) -> None:
    root = running.deployment.root
    done = running.run("pulumi package get-schema ./pulumi_package > read.json", root)
    assert done.returncode == 0, done.stdout
    pinned_schema = json.loads((root / "pulumi_package/schema.json").read_text())
    assert json.loads((root / "read.json").read_text()) == {**pinned_schema, "config": {}}
    checked = running.run("pulumi schema check pulumi_package/schema.json", root)
    assert checked.returncode == 0, checked.stdout


@pytest.mark.skipif(shutil.which("npm") is None, reason="Node and npm aren't on PATH")
def test_a_program_in_node_deploys_a_scheduler_and_hears_what_is_wrong(
    running: Running, node_sdk: Path
) -> None:
    host(
        running, "nodejs", f'PYTHONPATH="{ROOT}" exec "{sys.executable}" -m tests.policies.node_language_host'
    )
    folder = running.deployment.root / "shop"
    folder.mkdir()
    package = "packages:\n  fileflow: ../pulumi_package\n"
    (folder / "Pulumi.yaml").write_text(f"name: shop\nruntime: nodejs\nmain: index.js\n{package}")
    shutil.copyfile(ROOT / "tests/engine/programs/scheduler.js", folder / "index.js")
    (folder / "node_modules").symlink_to(node_sdk / "node_modules")
    running.made(folder, port="9091")

    up = running.run(f"{UP} --policy-pack ../policies", folder)
    assert up.returncode == 0, up.stdout
    assert "mandatory" not in up.stdout
    assert running.tasks("shop", "shop-scheduler-nightly") == ("ACTIVE", 1, 1)
    listed = running.run("pulumi stack --show-urns; pulumi stack output serviceName", folder).stdout
    assert "fileflow:ecs:SchedulerService$aws:ecs/service:Service::nightly-service" in listed
    assert listed.endswith("shop-scheduler-nightly\n")

    refused = running.run(f"pulumi config set port 80\n{UP}", folder)
    assert refused.returncode != 0
    assert "port is 80, but a port that a non-root container can open is from 1024 to 65535" in refused.stdout
    assert "Traceback" not in refused.stdout

    failing = (
        "pulumi config set port 9091\n"
        "pulumi config set --path environment.FILEFLOW_SIMULATE_EXIT 3 --type string"
    )
    failed = running.run(f"{failing}\n{UP}", folder)
    assert failed.returncode != 0
    assert "ECS rolled back, so this run has failed" in failed.stdout
    assert "Exit code: 3" in failed.stdout
    assert running.tasks("shop", "shop-scheduler-nightly") == ("ACTIVE", 1, 1)


@pytest.mark.nightly
def test_a_program_in_yaml_deploys_a_scheduler_and_hears_what_is_wrong(running: Running) -> None:
    host(running, "yaml", f'exec "{yaml_host()}"')
    folder = running.deployment.root / "examples/scheduler-yaml"
    running.made(folder, vpcCidrBlock="10.50.0.0/16")

    up = running.run(f"{UP} --policy-pack ../../policies", folder)
    assert up.returncode == 0, up.stdout
    assert "mandatory" not in up.stdout
    assert running.tasks("billing", "billing-scheduler-nightly") == ("ACTIVE", 1, 1)

    program = folder / "Pulumi.yaml"
    text = program.read_text()
    program.write_text(text.replace("port: 9091", "port: 80").replace("memoryMib: 512", "memoryMib: 500"))
    refused = running.run(UP, folder)
    assert refused.returncode != 0
    assert (
        "size.memoryMib is 500, but Fargate offers 512, 1024, 2048 MiB with 256 CPU units" in refused.stdout
    )

    program.write_text(text)
    destroyed = running.run("pulumi destroy --yes --skip-preview --non-interactive", folder)
    assert destroyed.returncode == 0, destroyed.stdout
