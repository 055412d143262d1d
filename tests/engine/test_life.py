"""A stack's whole life does to each resource what it did with the real Terraform AWS provider.

`tests/golden/life.json` is a recording of that: FILEFLOW_RECORD_LIFE=1 writes it, where the cache has real
plugins. It leaves out what every provider does: the first `up` makes all that the program has, `destroy`
leaves nothing. Owns the steps.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.engine.deployment import Deployment
from tests.golden.recordings import record, recorded
from tests.unit.stacks import PREFIX
from tests.walk import facts
from tests.walk.change import LEFT_OUT, Change, changed, with_facts
from tests.walk.stack import read_events
from tests.walk.walking import COMPONENTS

RECORD: Final = "FILEFLOW_RECORD_LIFE"
RECORDED: Final = "life"

pytestmark = [pytest.mark.engine, pytest.mark.nightly, pytest.mark.xdist_group("life")]

Operations = dict[str, list[str]]

BALANCER: Final = "web_api.load_balancer"
FLOW_LOGS: Final = {"network.create.flow_logs": {"traffic_type": "REJECT", "retention_days": 7}}
EVERY: Final[Mapping[str, Mapping[str, Any]]] = {"unchanged": {}, "refreshed": {}}

LIVES: Final[Mapping[str, Mapping[str, Mapping[str, Any]]]] = {
    "local": {
        "up": {},
        **EVERY,
        "version": {"version": "1.1.0"},
        "size": {"web_api.size": {"cpu": 1024, "memory_mib": 3072}},
        "scheduler renamed": {
            "schedulers.name": "archive",
            "schedulers.renamed_from": "download",
            "schedulers.lease.key": "download",
        },
        "Spot on": {"web_api.capacity": {"spot_weight": 1}, "schedulers.spot_opt_in": True},
        "Spot off": {"web_api.capacity": {"spot_weight": 0}, "schedulers.spot_opt_in": False},
        "port": {"web_api.port": 8443},
    },
    "what an auditor asks for": {
        "up": {
            "alarms.https_endpoints": ["https://on-call.example.com/"],
            "encryption.create": True,
            f"{BALANCER}.plain_http": LEFT_OUT,
            f"{BALANCER}.certificate_arn": "$certificate",
            f"{BALANCER}.web_acl": {"action": "count"},
            **FLOW_LOGS,
        },
        **EVERY,
        "key off": {"encryption": LEFT_OUT},
        "key on": {"encryption.create": True},
        "flow logs off": {"network.create.flow_logs": LEFT_OUT},
        "flow logs on": FLOW_LOGS,
        "web ACL off": {f"{BALANCER}.web_acl": LEFT_OUT},
        "web ACL that blocks": {f"{BALANCER}.web_acl": {"action": "block"}},
        "former TLS policy": {f"{BALANCER}.ssl_policy": "ELBSecurityPolicy-TLS13-1-2-2021-06"},
    },
}
"""What each step writes into the stack's file, before the end of it."""


def life(deployment: Deployment, steps: Mapping[str, Mapping[str, Any]]) -> dict[str, Operations]:
    """What the engine did to the resources in each step of a stack's life."""
    file = deployment.root / "Pulumi.local.yaml"
    started = deployment.local("start")
    assert started.returncode == 0, started.stdout
    known = facts.make(deployment.client)
    told = {}
    for step, values in steps.items():
        if step == "refreshed":
            refreshed = deployment.sourced("pulumi refresh --yes --skip-preview --non-interactive")
            assert refreshed.returncode == 0, refreshed.stdout
        write(file, with_facts(values, known))
        print(step, end=" ")
        told[step] = run(deployment, "up")
    return {**told, "destroy": run(deployment, "destroy")}


def write(file: Path, values: Mapping[str, Any]) -> None:
    """Changes the settings in a stack's file."""
    text = yaml.safe_load(file.read_text())
    before = {key.removeprefix(PREFIX): value for key, value in text["config"].items()}
    after = changed(before, [Change(values=values)])
    text["config"] = {key if ":" in key else f"{PREFIX}{key}": value for key, value in after.items()}
    file.write_text(yaml.safe_dump(text, sort_keys=False))


def run(deployment: Deployment, verb: str) -> Operations:
    """Runs `pulumi up` or `destroy`, and returns what it did: by operation, the types and names."""
    log = deployment.root / "events.json"
    log.unlink(missing_ok=True)
    command = f"pulumi {verb} --yes --skip-preview --non-interactive --event-log {log}"
    done = deployment.sourced(f"PULUMI_DEBUG_COMMANDS=true {command}")
    assert done.returncode == 0, done.stdout
    operations, _ = read_events(log)
    print(f"{verb}: {len(operations)} operations", flush=True)
    told: Operations = {}
    for each in operations:
        if each.kind in ("create", "update", "replace", "delete") and not each.type.startswith(COMPONENTS):
            told.setdefault(each.kind, []).append(f"{each.type} {each.name}")
    return {kind: sorted(told[kind]) for kind in sorted(told)}


@pytest.mark.parametrize("name", LIVES)
def test_each_step_of_a_stacks_life_does_what_it_did_with_the_real_provider(
    tmp_path: Path, name: str
) -> None:
    deployment = Deployment.copy(tmp_path)
    try:
        told = life(deployment, LIVES[name])
    finally:
        deployment.down()
    made, destroyed = told.pop("up"), told.pop("destroy")
    assert [*made, *destroyed] == ["create", "delete"]
    assert len(destroyed["delete"]) == len(made["create"]) + grown(told.values())
    known: dict[str, dict[str, Operations]] = recorded(RECORDED)
    if os.environ.get(RECORD):
        record(RECORDED, {**known, name: told})
    else:
        assert told == known[name]


def grown(steps: Iterable[Operations]) -> int:
    """How many more resources there are after the steps."""
    return sum(len(step.get("create", ())) - len(step.get("delete", ())) for step in steps)
