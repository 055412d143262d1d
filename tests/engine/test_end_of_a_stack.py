"""A protected stack isn't destroyed, and the README's way to end one, re-create it and move it works."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.engine.deployment import CHECKOUT, Deployment

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("end")]

GUARDED = {
    "  fileflow:repository:\n    force_delete: true\n": "  fileflow:encryption: {create: true}\n",
    "nat_gateway_strategy: SINGLE\n": "nat_gateway_strategy: SINGLE\n      flow_logs: {}\n",
    "plain_http: true\n": "plain_http: true\n      web_acl: {}\n",
    "    retention_days: 7\n": "    retention_days: 7\n    retain_on_delete: true\n",
    "deletion_protection: false": "deletion_protection: true",
    "access_logs: {retention_days: 7, force_destroy: true}": "access_logs: {retention_days: 7}",
}
"""What makes the local stack as guarded as one in production."""
STANDING = (
    "ecs list-services --cluster fileflow-prod --query serviceArns",
    "elbv2 describe-load-balancers --query LoadBalancers[].LoadBalancerName",
    "elbv2 describe-target-groups --query TargetGroups[].TargetGroupName",
    "cloudwatch describe-alarms --query MetricAlarms[].AlarmName",
    "ecr describe-repositories --query repositories[].repositoryName",
    "s3api list-buckets --query Buckets[].Name",
    "ec2 describe-nat-gateways --filter Name=state,Values=available --query NatGateways[].NatGatewayId",
    "iam list-roles --query Roles[].RoleName",
    "sns list-topics --query Topics[].TopicArn",
    "dynamodb list-tables --query TableNames",
)
"""What a destroyed stack has none of."""
KEYS = "kms list-keys --query Keys[].KeyId"
GROUPS = "logs describe-log-groups --query logGroups[].logGroupName"


def ending(readme: Path) -> str:
    """The commands by which the README ends a stack, as they run without anybody to ask."""
    section = re.search(
        r"## (?:End, re-create or move|스택 끝내기).*?```bash\n(.*?)```", readme.read_text(), re.S
    )
    assert section is not None
    return re.sub(r"^(pulumi (?:up|destroy))\b", r"\1 --yes", section[1], flags=re.M)


def test_both_readmes_end_a_stack_by_the_same_commands() -> None:
    both = [ending(CHECKOUT / name) for name in ("README.md", "README.ko.md")]
    assert len({re.sub(r"\s*#.*", "", each) for each in both}) == 1


@pytest.mark.parametrize(
    "region", ["ap-northeast-2", pytest.param("ap-northeast-1", marks=pytest.mark.nightly)]
)
def test_a_guarded_stack_stays_until_the_readmes_commands_end_it_and_comes_back(
    tmp_path: Path, region: str
) -> None:
    deployment = Deployment.copy(tmp_path)
    stack_file = deployment.root / "Pulumi.local.yaml"
    text = stack_file.read_text()
    for now, guarded in GUARDED.items():
        assert now in text
        text = text.replace(now, guarded)
    stack_file.write_text(text)
    try:
        up = deployment.make("up")
        assert up.returncode == 0, up.stdout
        before = [deployment.aws(command) for command in STANDING]
        assert all(before)
        (bucket,) = deployment.aws("s3api list-buckets --query Buckets[].Name")
        deployment.aws(f"s3api put-object --bucket {bucket} --key AWSLogs/line")

        for options in ("", "--skip-preview", "--skip-preview --continue-on-error"):
            refused = deployment.sourced(f"pulumi destroy --yes {options}")
            assert refused.returncode != 0, refused.stdout
            assert "protect" in refused.stdout
            assert [deployment.aws(command) for command in STANDING] == before

        ended = deployment.sourced(f"set -e\n{ending(deployment.root / 'README.md')}")
        assert ended.returncode == 0, ended.stdout
        assert [deployment.aws(command) for command in STANDING[1:]] == [[]] * len(STANDING[1:])
        assert sorted(deployment.aws(GROUPS)) == [
            "/aws/ecs/fileflow",
            "/aws/ecs/fileflow-prod/exec",
            "/aws/ecs/fileflow-scheduler-download",
            "/aws/ecs/fileflow-scheduler-pipeline",
            "/aws/vpc/fileflow-prod/flow-logs",
            "aws-waf-logs-fileflow-prod",
        ]
        kept = deployment.aws(KEYS)
        assert len(kept) == 1

        moved = deployment.sourced(f"pulumi config set aws:region {region}")
        assert moved.returncode == 0, moved.stdout
        again = deployment.make("up")
        assert again.returncode == 0, again.stdout
        assert len(deployment.aws(f"{STANDING[0]} --region {region}")) == 3
        # What was kept can be read: its key is taken over with it, and makes no second one.
        assert deployment.aws(KEYS) == kept
    finally:
        deployment.down()
