"""A stack's whole life does to each resource what it did with the real Terraform AWS provider.

`tests/golden/life.json` is a recording of that: FILEFLOW_RECORD_LIFE=1 writes it, where the cache has real
plugins. Owns the steps.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.engine.deployment import CHECKOUT, Deployment
from tests.unit.stacks import PREFIX
from tests.walk.change import Change, changed
from tests.walk.stack import read_events
from tests.walk.walking import COMPONENTS

RECORD: Final = "FILEFLOW_RECORD_LIFE"
RECORDED: Final = CHECKOUT / "tests/golden/life.json"

pytestmark = [pytest.mark.engine, pytest.mark.nightly, pytest.mark.xdist_group("life")]

Operations = dict[str, list[str]]

CHANGES: Final[Mapping[str, Mapping[str, Any]]] = {
    "unchanged": {},
    "refreshed": {},
    "version": {"version": "1.1.0"},
    "size": {"web_api.size": {"cpu": 1024, "memory_mib": 3072}},
    "scheduler renamed": {
        "schedulers.name": "archive",
        "schedulers.renamed_from": "download",
        "schedulers.lease.key": "download",
    },
    "Spot on": {
        "web_api.capacity": {"spot_weight": 1},
        "schedulers.spot_opt_in": True,
    },
    "Spot off": {"web_api.capacity": {"spot_weight": 0}, "schedulers.spot_opt_in": False},
    "port": {"web_api.port": 8443},
}
"""What each step writes into the stack's file, after the first `up` and before the end of it."""


def life(deployment: Deployment) -> dict[str, Operations]:
    """What the engine did to the resources in each step of a stack's life."""
    file = deployment.root / "Pulumi.local.yaml"
    started = deployment.local("start")
    assert started.returncode == 0, started.stdout
    told = {"up": run(deployment, "up")}
    for step, values in CHANGES.items():
        if step == "refreshed":
            refreshed = deployment.sourced("pulumi refresh --yes --skip-preview --non-interactive")
            assert refreshed.returncode == 0, refreshed.stdout
        write(file, values)
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


def test_each_step_of_a_stacks_life_does_what_it_did_with_the_real_provider(tmp_path: Path) -> None:
    deployment = Deployment.copy(tmp_path)
    try:
        told = life(deployment)
    finally:
        deployment.down()
    if os.environ.get(RECORD):
        RECORDED.write_text(json.dumps(told, indent=1) + "\n")
        return
    assert told == json.loads(RECORDED.read_text())
