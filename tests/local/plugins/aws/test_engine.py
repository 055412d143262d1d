"""A whole program on the stand-in, run by the real engine: made, left alone, drifted, changed, destroyed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.local.clone import Clone

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("shop")]

PROGRAM = Path(__file__).parent / "shop" / "__main__.py"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clone]:
    """The shop, deployed. The tests of this module go on from each other's last state."""
    clone = Clone.make(tmp_path_factory.mktemp("shop") / "clone")
    shutil.copyfile(PROGRAM, clone.root / "__main__.py")
    started = clone.run("start")
    try:
        assert started.returncode == 0, started.stdout
        stack = clone.root / "Pulumi.local.yaml"
        stack.write_text(stack.read_text().replace('small:topics: "3"', "aws:region: ap-northeast-2"))
        up = clone.run("up")
        assert up.returncode == 0, up.stdout
        yield clone
    finally:
        clone.down()


def pulumi(shop: Clone, command: str) -> str:
    """What a Pulumi command says; a failing one fails the test."""
    done = shop.shell(f"pulumi {command} --non-interactive 2>&1")
    assert done.returncode == 0, done.stdout
    return done.stdout


def planned(shop: Clone, options: str = "") -> dict[str, int]:
    """How many resources an update would touch, by kind of step, without the ones that stay."""
    preview = pulumi(shop, f"preview --json {options}")
    return _touched(json.loads(preview[preview.index("{") :])["changeSummary"])


def done(shop: Clone, command: str) -> dict[str, int]:
    """How many resources an update, a refresh or a destruction touched, by kind of step."""
    lines = pulumi(shop, f"{command} --yes --skip-preview --json").splitlines()
    events = [json.loads(line) for line in lines if line.startswith("{")]
    return _touched(next(e["summaryEvent"] for e in events if "summaryEvent" in e)["resourceChanges"])


def _touched(changes: dict[str, int]) -> dict[str, int]:
    return {kind: count for kind, count in changes.items() if kind != "same"}


def resources(shop: Clone) -> list[dict[str, Any]]:
    exported = json.loads(pulumi(shop, "stack export"))
    return [r for r in exported["deployment"]["resources"] if r["type"].startswith("aws:")]


def resource(shop: Clone, token: str, name: str) -> dict[str, Any]:
    return next(r for r in resources(shop) if r["type"] == token and r["urn"].endswith(f"::{name}"))


def aws(shop: Clone, command: str) -> Any:
    """What the AWS CLI answers: the hand of someone else."""
    answer = shop.shell(f"aws {command} --output json")
    assert answer.returncode == 0, answer.stdout
    return json.loads(answer.stdout) if answer.stdout.strip() else None


def test_an_unchanged_program_changes_nothing(shop: Clone) -> None:
    assert planned(shop) == {}
    assert done(shop, "refresh") == {}


def test_a_secret_is_nowhere_plain_in_the_state(shop: Clone) -> None:
    assert "canary-7d21" not in pulumi(shop, "stack export")
    assert "canary-7d21" in pulumi(shop, "stack output token --show-secrets")


def test_what_someone_else_changes_shows_at_refresh_and_is_put_back(shop: Clone) -> None:
    cluster = resource(shop, "aws:ecs/cluster:Cluster", "cluster")["outputs"]["name"]
    topic = resource(shop, "aws:sns/topic:Topic", "alerts")["id"]
    aws(shop, f"ecs update-service --cluster {cluster} --service shop-worker --desired-count 2")
    aws(shop, "logs put-retention-policy --log-group-name /ecs/shop --retention-in-days 7")
    aws(
        shop, f"sns set-topic-attributes --topic-arn {topic} --attribute-name DisplayName --attribute-value X"
    )
    aws(shop, "cloudwatch delete-dashboards --dashboard-names shop")

    assert done(shop, "refresh") == {"update": 3, "delete": 1}
    assert resource(shop, "aws:ecs/service:Service", "worker")["inputs"]["desiredCount"] == 2

    assert done(shop, "up") == {"update": 3, "create": 1}
    service = aws(shop, f"ecs describe-services --cluster {cluster} --services shop-worker")["services"][0]
    assert service["desiredCount"] == 1
    groups = aws(shop, "logs describe-log-groups --log-group-name-prefix /ecs/shop")["logGroups"]
    assert groups[0]["retentionInDays"] == 30
    assert planned(shop, "--refresh") == {}


def test_a_changed_task_definition_is_replaced_and_its_service_updated(shop: Clone) -> None:
    pulumi(shop, "config set cpu 512")
    pulumi(shop, "config set desired 2")
    assert done(shop, "up") == {"replace": 1, "update": 1}
    assert planned(shop) == {}
    worker = resource(shop, "aws:ecs/service:Service", "worker")["outputs"]
    definition = resource(shop, "aws:ecs/taskDefinition:TaskDefinition", "worker")["outputs"]
    assert (definition["revision"], definition["cpu"]) == (2, "512")
    assert (worker["taskDefinition"], worker["desiredCount"]) == (definition["arn"], 2)
    assert aws(shop, "ecs list-task-definitions --family-prefix shop-worker")["taskDefinitionArns"] == [
        definition["arn"]
    ]


def test_a_changed_fixed_name_replaces_what_carries_it(shop: Clone) -> None:
    pulumi(shop, "config set prefix store")
    changes = planned(shop)
    assert changes["replace"] == 6
    assert done(shop, "up")["replace"] == changes["replace"]
    assert planned(shop) == {}
    assert aws(shop, "logs describe-log-groups --log-group-name-prefix /ecs/shop")["logGroups"] == []


def test_an_existing_resource_is_imported_without_a_difference(shop: Clone) -> None:
    aws(shop, "sns create-topic --name by-hand --tags Key=team,Value=shop")
    account = aws(shop, "sts get-caller-identity")["Account"]
    program = shop.root / "__main__.py"
    before = program.read_text()
    arn = f"arn:aws:sns:ap-northeast-2:{account}:by-hand"
    program.write_text(
        before
        + f"""
aws.sns.Topic(
    "by-hand", name="by-hand", tags={{"team": "shop"}}, opts=pulumi.ResourceOptions(import_="{arn}")
)
"""
    )
    assert done(shop, "up") == {"import": 1}
    program.write_text(before)
    assert done(shop, "up") == {"delete": 1}


def test_destroying_leaves_nothing_and_destroying_again_is_no_error(shop: Clone) -> None:
    count = len(resources(shop))
    assert done(shop, "destroy")["delete"] == count + 1
    assert done(shop, "destroy") == {}
    assert aws(shop, "ecs list-clusters")["clusterArns"] == []
    assert aws(shop, "logs describe-log-groups")["logGroups"] == []
    vpcs = aws(shop, "ec2 describe-vpcs --filters Name=cidr,Values=10.30.0.0/16")["Vpcs"]
    assert vpcs == []
