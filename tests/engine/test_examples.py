"""The examples use the components in programs of their own, with the pack."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import yaml

from tests.engine.deployment import Deployment

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("rollouts")]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with Deployment.started(tmp_path_factory.mktemp("examples")) as deployment:
        yield deployment


def up(deployment: Deployment, example: str, config: Mapping[str, str]) -> str:
    """Sets a stack of the example up as its README says, and deploys it."""
    settings = "".join(f"pulumi config set --path {key} '{value}'\n" for key, value in config.items())
    done = deployment.sourced(
        f"set -e\nexport PYTHONPATH={deployment.root}\npulumi stack init trial\n"
        f"pulumi config set aws:region ap-northeast-2\n{settings}"
        "pulumi up --yes --skip-preview --non-interactive --policy-pack ../../policies",
        deployment.root / "examples" / example,
    )
    assert done.returncode == 0, done.stdout
    assert "violat" not in done.stdout.lower()
    return done.stdout


@pytest.fixture(scope="module")
def image(running: Deployment) -> str:
    return running.pushed_image("catalogue")


def test_a_scheduler_runs_once_in_a_cluster_and_a_vpc_that_exist(running: Deployment, image: str) -> None:
    running.client("ecs").create_cluster(
        clusterName="shared",
        settings=[{"name": "containerInsights", "value": "enabled"}],
        capacityProviders=["FARGATE", "FARGATE_SPOT"],
    )
    vpc, subnet = running.network()
    up(
        running,
        "scheduler",
        {"clusterName": "shared", "vpcId": vpc, "privateSubnetIds[0]": subnet, "image": image},
    )
    service = running.service("billing-scheduler-nightly", "shared")
    assert (service["status"], service["desiredCount"], service["runningCount"]) == ("ACTIVE", 1, 1)
    placed = service["networkConfiguration"]["awsvpcConfiguration"]
    assert placed["subnets"] == [subnet]
    assert placed["assignPublicIp"] == "DISABLED"


def test_another_team_starts_its_own_project_from_this_repository(
    running: Deployment, tmp_path: Path
) -> None:
    (tmp_path / "repository").mkdir()
    repository = Deployment.copy(tmp_path / "repository").root
    made = tmp_path / "shop"
    done = running.sourced(
        f"pulumi new {repository} --generate-only --yes --name shop --description 'Our shop' --dir {made}"
    )
    assert done.returncode == 0, done.stdout
    settings = yaml.safe_load((made / "Pulumi.yaml").read_text())
    here = yaml.safe_load((repository / "Pulumi.yaml").read_text())
    # The CLI notes in the settings which template it was.
    noted = {key: value for key, value in settings["config"].items() if key.startswith("pulumi:")}
    del here["template"]
    assert settings == {
        **here,
        "name": "shop",
        "description": "Our shop",
        "config": {**here["config"], **noted},
    }
    assert (made / "policies/PulumiPolicy.yaml").is_file()


def test_a_web_api_comes_up_by_the_commands_of_the_examples_readme(running: Deployment) -> None:
    running.pushed_image("fileflow", tag="web-api-1.0.0")
    readme = (running.root / "examples/README.md").read_text()
    commands = readme.partition("```bash\n")[2].partition("```")[0]
    up = "pulumi up --policy-pack ../../policies"
    assert up in commands
    unattended = commands.replace(up, f"{up} --yes --skip-preview --non-interactive")
    done = running.sourced(f"set -e\n{unattended}", running.root / "examples/web-api")
    assert done.returncode == 0, done.stdout
    assert "violat" not in done.stdout.lower()
    assert "https://catalogue-" in done.stdout
    service = running.service("catalogue-api", "catalogue")
    assert (service["status"], service["desiredCount"], service["runningCount"]) == ("ACTIVE", 2, 2)
    assert len(service["loadBalancers"]) == 1
