"""A protected stack isn't destroyed, and the README's way to end one, re-create it and move it works."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.engine.deployment import CHECKOUT, Deployment
from tests.engine.existing import IN_A_CLUSTER, existing

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
    with Deployment.started(tmp_path) as deployment:
        nothing = existing(deployment, *IN_A_CLUSTER)
        stack_file = deployment.root / "Pulumi.local.yaml"
        text = stack_file.read_text()
        for now, guarded in GUARDED.items():
            assert now in text
            text = text.replace(now, guarded)
        stack_file.write_text(text)
        up = deployment.up()
        assert up.returncode == 0, up.stdout
        before = existing(deployment)
        assert all(before.values())
        (bucket,) = before["buckets"]
        deployment.aws(f"s3api put-object --bucket {bucket} --key AWSLogs/line")

        for options in ("", "--skip-preview", "--skip-preview --continue-on-error"):
            refused = deployment.sourced(f"pulumi destroy --yes {options}")
            assert refused.returncode != 0, refused.stdout
            assert "protect" in refused.stdout
            assert existing(deployment) == before

        ended = deployment.sourced(f"set -e\n{ending(deployment.root / 'README.md')}")
        assert ended.returncode == 0, ended.stdout
        kept = existing(deployment, *IN_A_CLUSTER)
        assert kept == {
            **nothing,
            "keys": before["keys"],
            "log groups": [
                "/aws/ecs/fileflow",
                "/aws/ecs/fileflow-prod/exec",
                "/aws/ecs/fileflow-scheduler-download",
                "/aws/ecs/fileflow-scheduler-pipeline",
                "/aws/vpc/fileflow-prod/flow-logs",
                "aws-waf-logs-fileflow-prod",
            ],
        }
        assert len(kept["keys"]) == 1

        moved = deployment.sourced(f"pulumi config set aws:region {region}")
        assert moved.returncode == 0, moved.stdout
        again = deployment.up()
        assert again.returncode == 0, again.stdout
        services = "ecs list-services --cluster fileflow-prod --query serviceArns"
        assert len(deployment.aws(f"{services} --region {region}")) == 3
        # What was kept can be read: its key is taken over with it, and makes no second one.
        assert existing(deployment, *IN_A_CLUSTER)["keys"] == before["keys"]
