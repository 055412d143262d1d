"""What a person gets wrong in a stack's file is one error that says how to mend it, and creates nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.engine.deployment import Deployment
from tests.engine.existing import IN_A_CLUSTER, existing

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("bad-input")]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A copy whose emulated AWS runs, with nothing deployed."""
    with Deployment.started(tmp_path_factory.mktemp("bad-input")) as deployment:
        yield deployment


def replaced(old: str, new: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        assert old in text
        return text.replace(old, new, 1)

    return change


MISTAKES = {
    "a misspelled key": (
        replaced("fileflow:version:", "fileflow:verison:"),
        ["fileflow:verison", "no such setting", "Did you mean version?"],
    ),
    "a misspelled key inside": (
        replaced("      minimum_count: 1", "      minimun_count: 1"),
        ["fileflow:web_api.autoscaling.minimun_count", "no such setting", "Did you mean minimum_count?"],
    ),
    "a port out of range": (
        replaced("port: 9091", "port: 70000"),
        ["fileflow:schedulers.0.port", "70000", "from 1024 to 65535", "Set port within that range"],
    ),
    "a size that Fargate doesn't offer": (
        replaced("port: 9092", "port: 9092\n      size: {cpu: 256, memory_mib: 4096}"),
        ["fileflow:schedulers.1.size.memory_mib", "4096", "512, 1024, 2048", "Choose one of these"],
    ),
    "an empty version": (
        replaced("fileflow:version: 1.0.0", 'fileflow:version: ""'),
        ["fileflow:version", "''", "a version becomes an image's tag", "pulumi config set version"],
    ),
    "a version that YAML shortens": (
        replaced("fileflow:version: 1.0.0", "fileflow:version: 1.10"),
        ["fileflow:version", "quotes"],
    ),
    "a scheduler named twice": (
        replaced("name: pipeline", "name: download"),
        ["fileflow:schedulers.name", "'download'", "used twice", "Give each one its own"],
    ),
    "a count for a scheduler": (
        replaced("port: 9091", "port: 9091\n      desired_count: 2"),
        ["fileflow:schedulers.0.desired_count", "2", "no such setting"],
    ),
    "a secret as plain text": (
        replaced("port: 9091", "port: 9091\n      environment: {DB_PASSWORD: hunter2}"),
        ["fileflow:schedulers.0.environment.DB_PASSWORD", "[hidden]", "Secrets Manager"],
    ),
    "malformed YAML": (
        replaced(
            "config:",
            "config: [",
        ),
        ["line"],
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_error_with_its_fix_and_creates_nothing(running: Deployment, mistake: str) -> None:
    change, expected = MISTAKES[mistake]
    stack_file = running.root / "Pulumi.local.yaml"
    right = stack_file.read_text()
    try:
        stack_file.write_text(change(right))
        up = running.make("up")
    finally:
        stack_file.write_text(right)
    assert up.returncode != 0
    assert "Pulumi.local.yaml" in up.stdout
    for words in expected:
        assert words in up.stdout
    assert len(error_lines(up.stdout)) == 1, up.stdout
    assert "Traceback" not in up.stdout
    assert "hunter2" not in up.stdout
    assert_nothing_exists(running)


def test_a_stack_without_a_file_is_one_error_and_creates_nothing(running: Deployment) -> None:
    up = running.make("up", "STACK=produ")
    assert up.returncode != 0
    assert "produ" in up.stdout
    assert "Pulumi.produ.yaml" in up.stdout
    for known in ("dev", "local", "prod", "staging"):
        assert known in up.stdout
    assert len(error_lines(up.stdout)) == 1, up.stdout
    assert_nothing_exists(running)


def error_lines(output: str) -> list[str]:
    """The distinct errors in what a person sees; the engine's own summary that something failed isn't one."""
    lines = {line.partition("error: ")[2].strip() for line in output.splitlines() if "error: " in line}
    return sorted(line for line in lines if line and not line.startswith(("update failed", "preview failed")))


def assert_nothing_exists(deployment: Deployment) -> None:
    made = existing(deployment, *IN_A_CLUSTER)
    assert (made["clusters"], made["repositories"], made["log groups"], made["roles"]) == ([], [], [], [])
