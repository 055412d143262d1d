"""What people write into a stack's file, through the real CLI with the pack: it previews, or is refused.

Each case stands for a kind of change. What only a running stack shows is walked (`tests/walk`) or in
`test_rollouts` and `test_end_of_a_stack`.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.engine.deployment import Deployment

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("stack-files")]

FIRST = "arn:aws:acm:us-east-1:646886795421:certificate/11111111-2222-3333-4444-555555555555"
GONE = "arn:aws:acm:ap-northeast-2:646886795421:certificate/00000000-0000-0000-0000-000000000000"
FOREIGN = "arn:aws:acm:ap-northeast-2:111122223333:certificate/11111111-2222-3333-4444-555555555555"


@dataclass(frozen=True, kw_only=True)
class Refused:
    """What is put into a stack's file, and what each error has to say: one error per entry of `told`."""

    keys: str
    told: tuple[tuple[str, ...], ...]
    stack: str = "local"


REFUSED = {
    "a certificate and a topic of another region": Refused(
        stack="prod",
        keys=f"""
            fileflow:web_api: {{load_balancer: {{certificate_arn: "{FIRST}"}}}}
            fileflow:alarms: {{topic_arns: ["arn:aws:sns:us-east-1:646886795421:on-call"]}}
        """,
        told=(("certificate_arn", "us-east-1"), ("topic_arns", "us-east-1")),
    ),
    "a cron of five fields in a zone that isn't one": Refused(
        keys="""
            fileflow:web_api:
              autoscaling:
                scheduled:
                  - name: m
                    schedule: cron(0 8 * * *)
                    timezone: Asia/Soul
                    minimum_count: 3
                    maximum_count: 8
        """,
        told=(("schedule", "cron(0 8 * * *)"), ("timezone", "Asia/Soul")),
    ),
    "another partition": Refused(keys="aws:region: cn-north-1", told=(("region", "cn-north-1"),)),
    "numbers where texts are meant": Refused(
        keys="""
            fileflow:tags: {CostCenter: 4711}
            fileflow:schedulers:
              - name: download
                port: 9091
                version: 20261001
                environment: {BATCH_SIZE: 500, DRY_RUN: false}
        """,
        told=tuple((key, "quotes") for key in ("CostCenter", "version", "BATCH_SIZE", "DRY_RUN")),
    ),
    "files in memory beyond the task's": Refused(
        keys="""
            fileflow:schedulers:
              - name: download
                port: 9091
                size: {cpu: 256, memory_mib: 512}
                writable_paths: [{path: /tmp, kind: tmpfs, size_mib: 2048}]
        """,
        told=(("writable_paths", "2048"),),
    ),
    "subnets too small for a load balancer": Refused(
        keys="""
            fileflow:network: {create: {cidr_block: 10.20.0.0/24, number_of_availability_zones: 4}}
        """,
        told=(("cidr_block", "/27"),),
    ),
    "a tag outside AWS's alphabet": Refused(keys='fileflow:tags: {Owner: "R&D"}', told=(("Owner", "R&D"),)),
    "a range that isn't private": Refused(
        keys="fileflow:network: {create: {cidr_block: 198.18.0.0/16}}", told=(("cidr_block", "198.18.0.0"),)
    ),
}

ACCEPTED = """
    fileflow:network: {create: {nat_gateway_strategy: NONE}}
    fileflow:web_api:
      secrets: {DB: "arn:aws:secretsmanager:ap-northeast-2:646886795421:secret:fileflow/database"}
      environment:
        OAUTH_TOKEN_URI: https://l/t
        JWT_ACCESS_TOKEN_VALIDITY_SECONDS: "900"
        MAX_TOKENS: "4096"
        PASSWORD_RESET_PAGE: https://w/r
        spring.jpa.hibernate.ddl-auto: validate
"""
"""Names that only sound like secrets, a Spring property in kebab case, and a VPC that needs endpoints.

And a secret's ARN without its six last characters, for which the role allows any ending.
"""


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with Deployment.started(tmp_path_factory.mktemp("stack-files")) as deployment:
        yield deployment


def preview_with(deployment: Deployment, stack: str, keys: str) -> str:
    """What a preview says with these keys put into the stack's file, and whether it succeeded."""
    file = deployment.root / f"Pulumi.{stack}.yaml"
    before = file.read_text()
    content = yaml.safe_load(before)
    content["config"] = merged(content["config"], yaml.safe_load(keys))
    file.write_text(yaml.safe_dump(content))
    try:
        done = deployment.make("preview", f"STACK={stack}")
    finally:
        file.write_text(before)
    return f"exit {done.returncode}\n{done.stdout}"


def mistakes(output: str) -> list[str]:
    """What a person is told to mend, a line each: an error of the settings has as many as there are."""
    lines = {
        line.partition("error: ")[2] or line.strip()
        for line in output.splitlines()
        if "error: " in line or re.match(r"\s*Pulumi\.[\w-]+\.yaml: ", line)
    }
    return sorted(line for line in lines if line not in ("preview failed", "update failed"))


def merged(into: Any, keys: Any) -> Any:
    """The file's values with these; sections are merged, lists are replaced."""
    if not (isinstance(into, Mapping) and isinstance(keys, Mapping)):
        return keys
    return {**into, **{key: merged(into.get(key), value) for key, value in keys.items()}}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_deployed_is_refused_at_preview_one_error_a_mistake(
    copied: Deployment, name: str
) -> None:
    case = REFUSED[name]
    said = preview_with(copied, case.stack, case.keys)
    assert not said.startswith("exit 0"), said
    assert "Traceback" not in said, said
    errors = mistakes(said)
    assert len(errors) == len(case.told), said
    for words in case.told:
        assert any(all(word in error for word in words) for error in errors), (words, errors)


@pytest.mark.parametrize("arn", [GONE, FOREIGN], ids=["gone", "another account's"])
def test_a_certificate_that_cannot_be_used_is_one_error_with_its_key(copied: Deployment, arn: str) -> None:
    balancer = f'{{plain_http: false, certificate_arn: "{arn}"}}'
    said = preview_with(copied, "local", f"fileflow:web_api: {{load_balancer: {balancer}}}")
    assert not said.startswith("exit 0"), said
    [error] = mistakes(said)
    assert f"load_balancer.certificate_arn is '{arn}', but ACM has no such certificate" in error, said
    assert "always* a bug" not in said, said


def test_images_of_another_architecture_in_the_docker_engine_are_named_before_anything_is_made(
    copied: Deployment, tmp_path: Path
) -> None:
    docker = tmp_path / "docker"
    docker.write_text('#!/bin/sh\n[ "$3" = --format ] && echo linux/arm64\n')
    docker.chmod(0o755)
    path = f"{tmp_path}:{copied.environment['PATH']}"
    on_arm = replace(copied, environment={**copied.environment, "PATH": path})
    keys = """
        fileflow:images: {source: local, context: null, dockerfile: null}
        fileflow:leases: {context: null, dockerfile: null}
    """
    said = preview_with(on_arm, "local", keys)
    assert not said.startswith("exit 0"), said
    assert "Traceback" not in said, said
    for name in ("fileflow-web-api", "fileflow-scheduler-download", "fileflow-scheduler-pipeline"):
        assert re.search(rf"X86_64.*{name}:latest .* linux/arm64 \(ARM64\)", said), said


def test_what_only_looks_like_a_mistake_previews(copied: Deployment) -> None:
    said = preview_with(copied, "local", ACCEPTED)
    assert said.startswith("exit 0"), said
    assert "violation" not in said, said
    assert "aws:ec2:VpcEndpoint" in said, said


@pytest.mark.parametrize("environment", ["qa", "qa-1", "uat"])
def test_a_file_copied_from_another_stack_previews_or_names_its_key(
    copied: Deployment, environment: str
) -> None:
    file = copied.root / f"Pulumi.{environment}.yaml"
    shutil.copy(copied.root / "Pulumi.dev.yaml", file)
    try:
        preview = copied.make("preview", f"STACK={environment}")
    finally:
        file.unlink()
    errors = mistakes(preview.stdout)
    violations = [line for line in preview.stdout.splitlines() if "; to fix: " in line]
    if preview.returncode != 0:
        assert errors or violations, preview.stdout
    for each in errors:
        assert "fileflow:environment" in each, preview.stdout
        assert "pulumi config set" in each, preview.stdout
    for each in violations:
        assert "in the stack's file: fileflow:" in each, preview.stdout


def test_a_message_names_the_file_only_where_the_value_stands_in_it(copied: Deployment) -> None:
    own = copied.root / "Pulumi.local.yaml"
    before = own.read_text()
    other = copied.root / "deploy.yaml"
    other.write_text(before.replace("port: 9091", "port: 80"))
    try:
        elsewhere = copied.sourced(f"pulumi preview --config-file {other}")
        # The CLI puts what is set on its command line into the stack's file.
        given = copied.sourced("pulumi preview --config fileflow:version=latest")
    finally:
        own.write_text(before)
    assert elsewhere.returncode != 0
    assert given.returncode != 0
    assert [
        each for each in mistakes(elsewhere.stdout) if each.startswith("fileflow:schedulers.0.port is 80")
    ]
    assert "Pulumi.local.yaml" not in elsewhere.stdout, elsewhere.stdout
    assert "error: Pulumi.local.yaml: fileflow:version is 'latest'" in given.stdout, given.stdout


def test_a_secret_inside_a_setting_is_refused_and_stands_nowhere_in_plain_text(copied: Deployment) -> None:
    own = copied.root / "Pulumi.local.yaml"
    before = own.read_text()
    key = "fileflow:web_api.environment.PARTNER_URL"
    try:
        put = copied.sourced(f"pulumi config set --path --secret {key} https://u:canary-4711@x")
        assert put.returncode == 0, put.stdout
        up = copied.sourced("pulumi up --yes --skip-preview")
    finally:
        own.write_text(before)
    assert up.returncode != 0
    assert f"error: Pulumi.local.yaml: {key} is [hidden]" in up.stdout, up.stdout
    assert "canary-4711" not in up.stdout
    for file in (copied.root / ".local").rglob("*"):
        assert not file.is_file() or b"canary-4711" not in file.read_bytes(), file


def test_a_stack_whose_images_are_pushed_by_others_comes_up_from_nothing(copied: Deployment) -> None:
    file = copied.root / "Pulumi.local.yaml"
    before = file.read_text()
    content = yaml.safe_load(before)
    content["config"]["fileflow:images"] = {"source": "registry"}
    content["config"]["fileflow:leases"] = {"deletion_protection": False}
    file.write_text(yaml.safe_dump(content))
    try:
        first = copied.make("up")
        assert first.returncode != 0, first.stdout
        assert all("the repository has no such image" in error for error in mistakes(first.stdout)), (
            first.stdout
        )
        images = ("web-api", "download-scheduler", "pipeline-scheduler", "lease-guard-amd64")
        for image in images:
            assert re.search(rf"docker push \S+:{image}-1\.0\.0$", first.stdout, re.M), first.stdout
        # What stands may be looked at although the run failed.
        assert "source .local/env" in first.stdout, first.stdout
        assert copied.client("logs").describe_log_groups()["logGroups"]
        for image in images:
            copied.put_image("fileflow", f"{image}-1.0.0")
        second = copied.up()
        assert second.returncode == 0, second.stdout
        assert len(copied.client("ecs").list_services(cluster="fileflow-prod")["serviceArns"]) == 3
    finally:
        file.write_text(before)
