"""A small program on the stand-in, run by the real engine: made, left alone, drifted, changed, destroyed.

What a whole stack goes through is asked of this repository's own program, in `tests/engine`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.local.clone import Clone

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("shop")]

PROGRAM = """
import pulumi
import pulumi_aws as aws

prefix, token = pulumi.Config().get("prefix") or "shop", pulumi.Output.secret("canary-7d21")
metric = {"name": "Errors", "namespace": "Shop", "value": "1"}
allow = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ecs-tasks.amazonaws.com"}}
logs = aws.cloudwatch.LogGroup("logs", name=f"/ecs/{prefix}", retention_in_days=30)
aws.cloudwatch.LogMetricFilter(
    "errors", log_group_name=logs.name, pattern="ERROR", metric_transformation=metric
)
# The trust as an object, on purpose: the provider makes text of it.
aws.iam.Role(
    "work", name=f"{prefix}-work", assume_role_policy={"Version": "2012-10-17", "Statement": [allow]}
)
aws.cloudwatch.Dashboard("shop", dashboard_name="shop", dashboard_body='{"widgets": []}')
aws.sns.Topic("alerts", display_name=token, tags={"token": token})
pulumi.export("token", token)
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clone]:
    """The shop, deployed. The tests of this module go on from each other's last state."""
    clone = Clone.make(tmp_path_factory.mktemp("shop") / "clone")
    (clone.root / "__main__.py").write_text(PROGRAM)
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
    aws(shop, "logs put-retention-policy --log-group-name /ecs/shop --retention-in-days 7")
    aws(shop, "cloudwatch delete-dashboards --dashboard-names shop")

    assert done(shop, "refresh") == {"update": 1, "delete": 1}
    assert done(shop, "up") == {"update": 1, "create": 1}
    groups = aws(shop, "logs describe-log-groups --log-group-name-prefix /ecs/shop")["logGroups"]
    assert groups[0]["retentionInDays"] == 30
    assert planned(shop, "--refresh") == {}


def test_a_changed_fixed_name_replaces_what_carries_it(shop: Clone) -> None:
    pulumi(shop, "config set prefix store")
    assert planned(shop) == {"replace": 3}
    assert done(shop, "up") == {"replace": 3}
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
    assert done(shop, "destroy") == {"delete": 6}
    assert done(shop, "destroy") == {}
    assert aws(shop, "logs describe-log-groups")["logGroups"] == []
    assert aws(shop, "iam list-roles --path-prefix /")["Roles"] == []
