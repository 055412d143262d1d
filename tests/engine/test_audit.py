"""The audit, with Prowler itself, of a program in which everything is wrong, deployed without the pack.

Nightly: Prowler comes from PyPI into an environment of its own, and takes minutes.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.deployment import CHECKOUT, Deployment
from tests.engine.programs.wrong import NOT_DEPLOYED, WRONG, by_hand
from tests.walk import facts

pytestmark = [pytest.mark.engine, pytest.mark.nightly, pytest.mark.xdist_group("audit")]

ACCEPTANCE = {
    "check": "s3_bucket_object_lock",
    "resource": "aws:s3/bucket:Bucket",
    "name": "gone",
    "stacks": ["trial"],
    "reason": "Its bucket was deleted long ago.",
    "instead": "Nothing, since nothing is there.",
    "decides": "nobody",
}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """An emulated AWS, and beside it a folder with the program and a stack of it."""
    with Deployment.started(tmp_path_factory.mktemp("audited")) as deployment:
        deployment.trial("from tests.engine.programs.wrong import program\n\nprogram(deployed=True)\n")
        yield deployment


def test_whatever_is_wrong_fails_the_audit_by_name(running: Deployment, tmp_path: Path) -> None:
    certificate = facts.make(running.client)["certificate"]
    folder = running.root / "trial"
    up = running.sourced(
        f"export IMAGE={running.pushed_image('trial')} CERTIFICATE={certificate} PYTHONPATH={CHECKOUT}\n"
        "pulumi up --yes --skip-preview --non-interactive --config aws:region=ap-northeast-2",
        folder,
    )
    assert up.returncode == 0, up.stdout
    exported = running.sourced("pulumi stack export", folder)
    ids = {
        each["urn"].partition("::trial::")[2]: each.get("id")
        for each in json.loads(exported.stdout)["deployment"]["resources"]
    }
    by_hand(running.client, ids)
    entries = tmp_path / "accepted.yaml"
    entries.write_text(json.dumps([ACCEPTANCE]), encoding="utf-8")

    audited = running.sourced(
        f"PYTHONPATH={running.root} {running.root}/.venv/bin/python -m tools.audit --stack trial"
        f" --output {tmp_path} --accepted {entries}",
        folder,
    )

    assert audited.returncode == 1, audited.stdout
    with (tmp_path / "audit-trial.csv").open(encoding="utf-8", newline="") as file:
        rows = {(row["check"], row["resource"], row["state"]) for row in csv.DictReader(file)}
    found = {check: name for check, name in WRONG.items() if check not in NOT_DEPLOYED}
    missed = {(check, name, "open") for check, name in found.items()} - rows
    assert missed == set(), sorted(rows)
    assert ("s3_bucket_object_lock", "Bucket gone", "stale") in rows
    assert (tmp_path / "prowler.log").read_text(encoding="utf-8").count("InvalidAction") == 0
