"""Each environment's stack previews cleanly on the emulated AWS, with the policy pack."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.engine.deployment import Deployment

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("stacks")]


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    deployment = Deployment.copy(tmp_path_factory.mktemp("stacks"))
    try:
        yield deployment
    finally:
        deployment.down()


@pytest.mark.parametrize("stack", ["prod", "staging", "dev"])
def test_a_stack_previews_with_the_pack_and_without_a_warning_comes_up_and_then_shows_no_change(
    copied: Deployment, stack: str
) -> None:
    before = (copied.root / f"Pulumi.{stack}.yaml").read_bytes()
    up = copied.make("up", f"STACK={stack}")
    assert up.returncode == 0, up.stdout
    preview, update = up.stdout.split(f"Updating ({stack}):")
    for part in (preview, update):
        assert "✅ fileflow-policies" in part
    for word in ("warning", "advisory", "violation", "error:"):
        assert word not in up.stdout.lower(), up.stdout
    assert "aws:ecs:Service fileflow-scheduler-download-service create" in preview
    assert (copied.root / f"Pulumi.{stack}.yaml").read_bytes() == before
    again = copied.make("up", f"STACK={stack}")
    assert again.returncode == 0, again.stdout
    counted = re.findall(r"^Resources:\n((?:    .+\n)+)", again.stdout, re.MULTILINE)
    assert len(counted) == 2
    assert all(re.fullmatch(r" +\d+ unchanged\n", each) for each in counted), again.stdout


def test_named_secrets_and_encrypted_sessions_reach_ecs(copied: Deployment) -> None:
    stack_file = copied.root / "Pulumi.dev.yaml"
    asked = (
        "      port: 9091\n      execute_command: true\n"
        '      secrets: {DB_PASSWORD: "secretsmanager:fileflow/database:password::", REDIS_URL: "ssm:/redis"}'
    )
    stack_file.write_text(stack_file.read_text().replace("      port: 9091", asked))

    refused = copied.make("preview", "STACK=dev")
    assert refused.returncode != 0, refused.stdout
    assert "fileflow/database" in refused.stdout, refused.stdout

    assert copied.local("start", "--stack", "dev").returncode == 0
    secret = copied.aws(
        'secretsmanager create-secret --name fileflow/database --secret-string \'{"password": "none"}\''
    )["ARN"]
    copied.aws("ssm put-parameter --name /redis --type SecureString --value none")
    parameter = copied.aws("ssm get-parameter --name /redis")["Parameter"]["ARN"]
    up = copied.up("dev")
    assert up.returncode == 0, up.stdout
    assert "violation" not in up.stdout, up.stdout

    [service] = copied.aws(
        "ecs describe-services --cluster fileflow-dev --services fileflow-scheduler-download"
    )["services"]
    assert service["enableExecuteCommand"] is True
    definition = copied.aws("ecs describe-task-definition --task-definition fileflow-scheduler-download-dev")
    [container] = definition["taskDefinition"]["containerDefinitions"]
    assert [each["valueFrom"] for each in container["secrets"]] == [f"{secret}:password::", parameter]
    [cluster] = copied.aws("ecs describe-clusters --clusters fileflow-dev --include CONFIGURATIONS")[
        "clusters"
    ]
    sessions = cluster["configuration"]["executeCommandConfiguration"]
    assert sessions["logConfiguration"]["cloudWatchEncryptionEnabled"] is True
    key = copied.aws(f"kms describe-key --key-id {sessions['kmsKeyId']}")["KeyMetadata"]
    assert key["Arn"] == sessions["kmsKeyId"]

    again = copied.up("dev")
    assert again.returncode == 0, again.stdout
    assert "updated" not in again.stdout, again.stdout
