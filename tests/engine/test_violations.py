"""The three mistakes that this project is known for are refused by preview and up, with the real pack.

Each is made in a raw service and, by a transformation, in the component, which has no argument for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.deployment import CHECKOUT, Deployment

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("violations")]

PROGRAM = Path(__file__).parent / "programs" / "scheduler.py"
RESOURCES = {"raw": "download", "component": "download-service"}
MISTAKES = {
    "count": ("scheduler-desired-count", "desiredCount is 2", "set desiredCount to 1"),
    "load balancer": (
        "scheduler-no-load-balancer",
        "loadBalancers[0].containerPort is 9091",
        "take loadBalancers off",
    ),
    "spot": ("scheduler-spot-opt-in", "FARGATE_SPOT", "fileflow:spot-opt-in"),
}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """An emulated AWS, and beside it a folder with the program and a stack of it."""
    with Deployment.started(tmp_path_factory.mktemp("refused")) as deployment:
        deployment.trial(PROGRAM.read_text())
        yield deployment


@pytest.fixture(scope="module")
def image(running: Deployment) -> str:
    return running.pushed_image("trial")


def pulumi(deployment: Deployment, image: str, command: str, trick: str, by: str) -> tuple[int, str]:
    """Runs the program, spoiled or not, with the pack."""
    done = deployment.sourced(
        f"export TRICK='{trick}' BY={by} IMAGE={image} PYTHONPATH={CHECKOUT}\n"
        f"pulumi {command} --non-interactive --policy-pack {deployment.root}/policies"
        " --config aws:region=ap-northeast-2",
        deployment.root / "trial",
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize("by", RESOURCES)
@pytest.mark.parametrize("mistake", MISTAKES)
@pytest.mark.parametrize("command", ["preview", "up --yes --skip-preview"])
def test_a_mistake_is_refused_with_rule_resource_value_and_fix(
    running: Deployment, image: str, mistake: str, by: str, command: str
) -> None:
    code, output = pulumi(running, image, command, mistake, by)
    assert code != 0, output
    rule, value, fix = MISTAKES[mistake]
    told = next((line for line in output.splitlines() if value in line and fix in line), "")
    assert RESOURCES[by] in told, output
    assert rule in told
    violations = re.findall(r"- \[mandatory\] \[severity: \w+\]  (\S+)  \((\S+: \S+)\)", output)
    assert violations == [(rule, f"aws:ecs:Service: {RESOURCES[by]}")], output
    ecs = running.client("ecs")
    for cluster in ecs.list_clusters()["clusterArns"]:
        assert ecs.list_services(cluster=cluster)["serviceArns"] == []


@pytest.mark.parametrize("by", RESOURCES)
def test_the_corrected_program_passes_preview_and_up(running: Deployment, image: str, by: str) -> None:
    for command in ("preview", "up --yes --skip-preview"):
        code, output = pulumi(running, image, command, "", by)
        assert code == 0, output
        assert "violation" not in output.lower()
    # Both make a service of the same name, and the engine creates before it deletes.
    destroyed = running.sourced("pulumi destroy --yes --skip-preview", running.root / "trial")
    assert destroyed.returncode == 0, destroyed.stdout
