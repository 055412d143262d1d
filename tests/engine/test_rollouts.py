"""Versions that fail, schedulers that get a new name: what ECS runs, and what a person is told."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator

import pytest

from tests.engine.deployment import Deployment
from tests.waiting import eventually

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("rollouts")]

PIPELINE = "fileflow-scheduler-pipeline"

WATCH = """
import json
import boto3

ecs = boto3.client("ecs")
names = [f"fileflow-scheduler-{name}" for name in ("pipeline", "archive")]
while True:
    found = ecs.describe_services(cluster="fileflow-prod", services=names)["services"]
    alive = [each["serviceName"] for each in found if each["status"] != "INACTIVE"]
    tasks = [
        task
        for name in alive
        for task in ecs.list_tasks(
            cluster="fileflow-prod", serviceName=name, desiredStatus="RUNNING"
        )["taskArns"]
    ]
    print(json.dumps([alive, len(tasks)]), flush=True)
"""
"""Prints, over and over, the schedulers that exist under the old and the new name, and their tasks."""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    deployment = Deployment.copy(tmp_path_factory.mktemp("rollouts"))
    up = deployment.up()
    try:
        assert up.returncode == 0, up.stdout
        yield deployment
    finally:
        deployment.down()


def changed(deployment: Deployment, old: str, new: str) -> None:
    """Edits the stack's file as a person would."""
    stack_file = deployment.root / "Pulumi.local.yaml"
    text = stack_file.read_text()
    assert old in text
    stack_file.write_text(text.replace(old, new, 1))


def assert_no_run_takes_it_for_deployed(deployment: Deployment, port: str, broken: str) -> None:
    """With the broken version still in the file, each further run fails as the first one did."""
    changed(deployment, port, broken)
    try:
        for _ in range(2):
            up = deployment.up()
            assert up.returncode != 0, up.stdout
            assert f"{PIPELINE}: ECS rolled back, so this run has failed." in up.stdout
    finally:
        changed(deployment, broken, port)


@pytest.mark.parametrize(
    ("failure", "cause"),
    [("database", "database connection"), ("oom", "out of memory (OOM)")],
)
def test_a_version_that_fails_fails_the_run_and_the_old_one_stays(
    running: Deployment, failure: str, cause: str
) -> None:
    before = running.service(PIPELINE)["taskDefinition"]
    port = "      port: 9092"
    broken = f"{port}\n      environment: {{FILEFLOW_SIMULATE_FAILURE: {failure}}}"
    changed(running, port, broken)
    try:
        up = running.up()
    finally:
        changed(running, broken, port)
    assert up.returncode != 0, up.stdout
    assert f"{PIPELINE}: ECS rolled back, so this run has failed." in up.stdout
    assert "Exit code: " in up.stdout
    assert f"Likely cause: {cause}" in up.stdout
    assert "Last log lines:" in up.stdout
    assert running.service(PIPELINE)["taskDefinition"] == before
    if cause == "database connection":
        assert_no_run_takes_it_for_deployed(running, port, broken)
    mended = running.sourced(
        "pulumi up --refresh --yes --skip-preview --non-interactive --policy-pack policies"
    )
    assert mended.returncode == 0, mended.stdout
    service = running.service(PIPELINE)
    assert service["runningCount"] == service["desiredCount"] == 1


def test_every_service_that_fails_in_one_run_is_told(running: Deployment) -> None:
    names = ("download", "pipeline")
    ports = {name: f"      port: {port}" for name, port in zip(names, (9091, 9092), strict=True)}
    for port in ports.values():
        changed(running, port, f"{port}\n      environment: {{FILEFLOW_SIMULATE_FAILURE: redis}}")
    try:
        # The provider says that the update failed; in the run after it only the state does not fit.
        for _ in range(2):
            up = running.up()
            assert up.returncode != 0, up.stdout
            assert "Traceback" not in up.stdout, up.stdout
            for name in names:
                told = f"fileflow-scheduler-{name}: ECS rolled back, so this run has failed."
                assert told in up.stdout, up.stdout
    finally:
        for port in ports.values():
            changed(running, f"{port}\n      environment: {{FILEFLOW_SIMULATE_FAILURE: redis}}", port)
    mended = running.sourced("pulumi up --refresh --yes --skip-preview --non-interactive")
    assert mended.returncode == 0, mended.stdout


@pytest.mark.nightly  # three lives of a simulated task take a minute
def test_a_version_that_dies_over_and_over_after_its_rollout_fails_the_next_run(running: Deployment) -> None:
    port = "      port: 9092"
    dying = (
        f"{port}\n      environment: "
        "{FILEFLOW_SIMULATE_EXIT: '3', FILEFLOW_SIMULATE_EXIT_AFTER_SECONDS: '11'}"
    )
    stopped = {"cluster": "fileflow-prod", "serviceName": PIPELINE, "desiredStatus": "STOPPED"}
    ecs = running.client("ecs")
    changed(running, port, dying)
    try:
        up = running.up()
        assert up.returncode == 0, up.stdout
        before = set(ecs.list_tasks(**stopped)["taskArns"])
        eventually(lambda: set(ecs.list_tasks(**stopped)["taskArns"]) - before, lambda ended: len(ended) > 2)
        up = running.up()
    finally:
        changed(running, dying, port)
    assert up.returncode != 0, up.stdout
    assert f"{PIPELINE}: the rollout of {PIPELINE}-prod:" in up.stdout, up.stdout
    assert "ran and then ended by themselves" in up.stdout, up.stdout
    assert re.search(r"Exit code: .*\b3\b", up.stdout), up.stdout
    mended = running.up()
    assert mended.returncode == 0, mended.stdout


def test_a_first_version_that_fails_fails_the_run_with_the_reason(running: Deployment) -> None:
    last = "      port: 9092\n      lease: {entry_point: [/fileflow]}"
    third = f"{last}\n    - name: archive\n      port: 9093"
    broken = f"{third}\n      environment: {{FILEFLOW_SIMULATE_FAILURE: redis}}"
    changed(running, last, broken)
    try:
        up = running.up()
        assert up.returncode != 0, up.stdout
        assert "fileflow-scheduler-archive: fileflow-scheduler-archive-prod:1 doesn't run." in up.stdout
        assert "Likely cause: Redis connection" in up.stdout
        assert "Last log lines:" in up.stdout
        mended = broken.replace("FILEFLOW_SIMULATE_FAILURE: redis", "A: b")
        changed(running, broken, mended)
        up = running.up()
        assert up.returncode == 0, up.stdout
        assert running.service("fileflow-scheduler-archive")["runningCount"] == 1
        changed(running, mended, broken)
    finally:
        changed(running, broken, last)
    up = running.up()
    assert up.returncode == 0, up.stdout


def test_on_call_may_return_to_the_former_revision_and_the_next_run_says_so(running: Deployment) -> None:
    former = running.service(PIPELINE)["taskDefinition"]
    changed(running, "      port: 9092", "      port: 9092\n      environment: {RELEASE: next}")
    up = running.up()
    assert up.returncode == 0, up.stdout
    asked = running.service(PIPELINE)["taskDefinition"]
    assert asked != former
    running.client("ecs").update_service(cluster="fileflow-prod", service=PIPELINE, taskDefinition=former)
    up = running.up()
    assert up.returncode != 0, up.stdout
    assert f"{PIPELINE}: somebody deployed something else than this program" in up.stdout
    assert f"Asked for {asked.rsplit('/', 1)[-1]}, but {former.rsplit('/', 1)[-1]} is what runs." in up.stdout
    assert "Traceback" not in up.stdout
    again = running.sourced("pulumi up --refresh --yes --skip-preview --non-interactive")
    assert again.returncode == 0, again.stdout
    assert running.service(PIPELINE)["taskDefinition"] == asked
    changed(running, "      port: 9092\n      environment: {RELEASE: next}", "      port: 9092")
    up = running.up()
    assert up.returncode == 0, up.stdout


def test_what_ecs_puts_back_without_a_new_revision_fails_every_run_with_the_reason(
    running: Deployment,
) -> None:
    parameter = {"Name": "/partner", "Type": "SecureString", "Value": "none"}
    port = "      port: 9092"
    secret = f'{port}\n      secrets: {{PARTNER: "ssm:/partner"}}'
    on_spot = f"{secret}\n      spot_opt_in: true"
    running.client("ssm").put_parameter(**parameter)
    changed(running, port, secret)
    up = running.up()
    assert up.returncode == 0, up.stdout
    running.client("ssm").delete_parameter(Name="/partner")
    changed(running, secret, on_spot)
    for _ in range(2):
        up = running.up()
        assert up.returncode != 0, up.stdout
        assert "invalid parameters: /partner" in up.stdout
        assert "Likely cause: secret or parameter that doesn't exist." in up.stdout
    running.client("ssm").put_parameter(**parameter)
    changed(running, on_spot, port)
    mended = running.sourced("pulumi up --refresh --yes --skip-preview --non-interactive")
    assert mended.returncode == 0, mended.stdout
    assert running.service(PIPELINE)["runningCount"] == 1


def test_spot_on_and_off_stops_once_and_starts_once_in_place(running: Deployment) -> None:
    created = running.service(PIPELINE)["createdAt"]
    port = "      port: 9092"
    for given, provider in ((f"{port}\n      spot_opt_in: true", "FARGATE_SPOT"), (port, "FARGATE")):
        now = f"{port}\n      spot_opt_in: true" if given == port else port
        changed(running, now, given)
        up = running.up()
        assert up.returncode == 0, up.stdout
        service = running.service(PIPELINE)
        assert service["createdAt"] == created, "replaced"
        assert [each["capacityProvider"] for each in service["capacityProviderStrategy"]] == [provider]
        assert (service["status"], service["runningCount"]) == ("ACTIVE", 1)
        again = running.up()
        assert "updated" not in again.stdout, again.stdout


def holder(deployment: Deployment, key: str) -> str | None:
    """Who holds a lease of the stack's table."""
    item = deployment.client("dynamodb").get_item(
        TableName="fileflow-prod-leases", Key={"LeaseKey": {"S": key}}
    )["Item"]
    return str(item["Holder"]["S"]) if item["Held"]["BOOL"] else None


def test_another_lease_leaves_the_old_task_its_right_and_one_that_nobody_has_fails_the_run(
    running: Deployment,
) -> None:
    pipeline = "      port: 9092\n      lease: {"
    assert "/fileflow-prod/" in str(holder(running, "pipeline"))

    changed(running, pipeline, f"{pipeline}key: files/pipeline, ")
    up = running.up()
    assert up.returncode == 0, up.stdout
    lines = up.stdout.splitlines()
    steps = [
        next(number for number, line in enumerate(lines) if all(word in line for word in words))
        for words in (
            ("RolePolicy", "pipeline-lease-", "created ("),
            ("Service", "pipeline-service", "updated ("),
            ("RolePolicy", "pipeline-lease-", "deleted ("),
        )
    ]
    assert steps == sorted(steps), up.stdout
    assert holder(running, "pipeline") is None
    assert "/fileflow-prod/" in str(holder(running, "files/pipeline"))

    unreachable = (
        "      port: 9092\n      environment: {FILEFLOW_SIMULATE_NO_LEASE: '1'}\n"
        "      stop_timeout_seconds: 2\n      lease: {duration_seconds: 10, "
    )
    changed(running, pipeline, unreachable)
    up = running.up()
    assert up.returncode != 0, up.stdout
    assert f"{PIPELINE}: its task runs and waits, since nobody holds the lease files/pipeline" in up.stdout
    assert "Traceback" not in up.stdout
    changed(running, unreachable + "key: files/pipeline, ", pipeline)
    up = running.up()
    assert up.returncode == 0, up.stdout
    assert "/fileflow-prod/" in str(holder(running, "pipeline"))


def test_a_kept_log_group_is_taken_over_when_its_scheduler_comes_back(running: Deployment) -> None:
    settings = "  fileflow:logging:\n    retention_days: 7"
    kept = f"{settings}\n    retain_on_delete: true"
    pipeline = "\n    - name: pipeline\n      port: 9092\n      lease: {entry_point: [/fileflow]}"
    changed(running, settings, kept)
    try:
        # There and back twice: the second time the group is in the state as one that was imported.
        for now, given in (("", None), (pipeline, ""), ("", pipeline), (pipeline, ""), ("", pipeline)):
            if given is not None:
                anchor = "    - name: download\n      port: 9091\n      lease: {entry_point: [/fileflow]}"
                changed(running, anchor + now, anchor + given)
            up = running.up()
            assert up.returncode == 0, up.stdout
        again = running.up()
        assert "updated" not in again.stdout, again.stdout
        groups = running.client("logs").describe_log_groups(logGroupNamePrefix=f"/aws/ecs/{PIPELINE}")
        assert [each["retentionInDays"] for each in groups["logGroups"]] == [7]
    finally:
        changed(running, kept, settings)
    up = running.up()
    assert up.returncode == 0, up.stdout


def test_a_renamed_scheduler_never_shows_two_services_or_two_tasks(running: Deployment) -> None:
    script = running.root / "watch.py"
    script.write_text(WATCH)
    seen = running.root / "seen"
    command = f". {running.root}/.local/env; exec python {script} > {seen}"
    watcher = subprocess.Popen(["bash", "-c", command], env=dict(running.environment))
    try:
        eventually(lambda: seen.exists() and "scheduler-pipeline" in seen.read_text())
        changed(
            running,
            "name: pipeline\n      port: 9092\n      lease: {entry_point: [/fileflow]}",
            "name: archive\n      renamed_from: pipeline\n      port: 9092\n"
            "      lease: {key: pipeline, entry_point: [/fileflow]}",
        )
        up = running.up()
        assert up.returncode == 0, up.stdout
        eventually(lambda: "scheduler-archive" in seen.read_text())
    finally:
        watcher.terminate()
        watcher.wait()
    sights = [json.loads(line) for line in seen.read_text().splitlines(keepends=True) if line.endswith("\n")]
    assert max(len(alive) for alive, _ in sights) == 1
    assert max(tasks for _, tasks in sights) == 1
    assert sights[0][0] == ["fileflow-scheduler-pipeline"]
    after = running.service("fileflow-scheduler-archive")
    assert (after["status"], after["runningCount"]) == ("ACTIVE", 1)
