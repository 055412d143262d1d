"""What a stack's life asks of AWS is what `tests/golden/deployer-actions.json` says, and no more.

A recorder stands between the providers and the emulated AWS; what it hears is read as IAM's actions. The file
holds them by who asked; FILEFLOW_RECORD_ACTIONS=NAME writes those that NAME alone asks for. The Terraform
provider's life had more changes in place and no pause, which that version doesn't know. Owns the life.
Whether the policies allow it, `tests/unit` says.
"""

from __future__ import annotations

import os
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from local.environment import account_id
from tests.aws_actions import action_of
from tests.engine.deployment import Deployment
from tests.engine.test_life import write
from tests.golden.recordings import record, recorded
from tests.torture.faults import Way
from tests.torture.provider_faults import opened
from tests.walk import facts
from tests.walk.change import LEFT_OUT, with_facts
from tests.walk.watcher import client

RECORD: Final = "FILEFLOW_RECORD_ACTIONS"
RECORDED: Final = "deployer-actions"
STAND_IN: Final = "local/plugins"
STACK: Final = "prod"

pytestmark = [pytest.mark.engine, pytest.mark.nightly, pytest.mark.xdist_group("deployer")]

BALANCER: Final = "web_api.load_balancer"
PAUSED: Final = {"since": "$now", "until": "$in_two_weeks", "reason": "recorded"}
MORNING: Final = {
    "name": "morning",
    "schedule": "cron(0 8 * * ? *)",
    "minimum_count": 2,
    "maximum_count": 5,
}
LIFE: Final[Mapping[str, Mapping[str, Any]]] = {
    "as the file stands": {},
    "a version, and what the file doesn't use": {
        "version": "1.1.0",
        "audited": LEFT_OUT,
        "tags": {"CostCenter": "4711"},
        "alarms.https_endpoints": ["https://on-call.example.com/"],
        "network.create.vpc_endpoints": True,
        "leases": {"deletion_protection": False},
        "schedulers.lease": {},
        "schedulers.paused": PAUSED,
        "schedulers.spot_opt_in": True,
        "web_api.secrets": {"DB_PASSWORD": "$secret:password::", "REDIS_URL": "$parameter"},
        "web_api.secrets_kms_key_arns": ["$key"],
        "web_api.execute_command": True,
        "web_api.policy_arns": ["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"],
        "web_api.autoscaling.scheduled": [MORNING],
        f"{BALANCER}.certificate_arn": LEFT_OUT,
        f"{BALANCER}.host_name": "api.example.com",
        f"{BALANCER}.hosted_zone_id": "$zone",
        f"{BALANCER}.deletion_protection": False,
        f"{BALANCER}.access_logs": {"force_destroy": True},
        "repository.force_delete": True,
    },
    "most of it gone": {
        "tags": LEFT_OUT,
        "alarms.https_endpoints": LEFT_OUT,
        "alarms.emails": ["on-call@example.com"],
        "container_insights": "enhanced",
        "network.create.flow_logs": LEFT_OUT,
        "network.create.vpc_endpoints": LEFT_OUT,
        "logging": {"retention_days": 30},
        "encryption": {"create": True, "retain_on_delete": False},
        "schedulers.lease": LEFT_OUT,
        "schedulers.paused": LEFT_OUT,
        "web_api.policy_arns": LEFT_OUT,
        "web_api.port": 8443,
        "web_api.autoscaling.scheduled": LEFT_OUT,
        f"{BALANCER}.certificate_arn": "$certificate",
        f"{BALANCER}.host_name": LEFT_OUT,
        f"{BALANCER}.hosted_zone_id": LEFT_OUT,
        f"{BALANCER}.web_acl": {"action": "block"},
    },
    "the key and the web ACL gone": {"encryption": LEFT_OUT, f"{BALANCER}.web_acl": LEFT_OUT},
}
"""What each `pulumi up` finds changed in the stack's file, before `operate verify`, a refresh and the end."""
PLAIN: Final = "--yes --skip-preview --non-interactive"
AFTERWARDS: Final = (
    f".venv/bin/python -m operate verify --stack {STACK}",
    f"pulumi refresh {PLAIN}",
    f"pulumi destroy {PLAIN}",
)


def lived(folder: Path) -> set[str]:
    """The actions that a stack's life needs, from nothing to nothing."""
    heard: list[bytes] = []
    deployment = Deployment.copy(folder)
    try:
        started = deployment.local("start", "--stack", STACK)
        assert started.returncode == 0, started.stdout
        endpoint = deployment.endpoint
        known = facts.make(lambda service: client(service, endpoint, account_id(STACK)))
        way = Way(endpoint, random.Random(), late_seconds=0, on_request=heard.append)
        with opened(way) as port:
            for step, values in LIFE.items():
                write(deployment.root / f"Pulumi.{STACK}.yaml", with_facts(values, known))
                run(deployment, f"pulumi up {PLAIN}", port, step)
            for command in AFTERWARDS:
                run(deployment, command, port, command)
    finally:
        deployment.down()
    return {action_of(request) for request in heard}


def run(deployment: Deployment, command: str, port: int, step: str) -> None:
    """Runs one command, whose way to AWS is the recorder."""
    done = deployment.sourced(f"export AWS_ENDPOINT_URL=http://127.0.0.1:{port}\n{command}")
    assert done.returncode == 0, f"{step}: {done.stdout}"


def test_a_stacks_life_asks_aws_for_the_recorded_actions_alone(tmp_path: Path) -> None:
    actions = lived(tmp_path)
    known: dict[str, list[str]] = recorded(RECORDED)
    provider = os.environ.get(RECORD, STAND_IN)
    actions -= {action for asking, asked in known.items() if asking != provider for action in asked}
    if RECORD in os.environ:
        record(RECORDED, {**known, provider: sorted(actions)})
    else:
        assert sorted(actions - {*known[provider]}) == []
