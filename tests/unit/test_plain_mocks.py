"""The components in other people's programs: under the SDK's own mocks, and two of one name."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

PLAIN = """
import pulumi

class Cloud(pulumi.runtime.Mocks):
    def new_resource(self, args):
        return args.name + "-id", {**args.inputs, "arn": "arn:aws:x:eu-west-1:111122223333:" + args.name}

    def call(self, args):
        return {"accountId": "111122223333", "region": "eu-west-1", "partition": "aws", "id": "x"}

pulumi.runtime.set_mocks(Cloud())

from components.options import Placement
from components.scheduler_service import SchedulerService, SchedulerServiceArgs

shared = dict(
    cluster_arn="arn:aws:ecs:eu-west-1:111122223333:cluster/jobs",
    image="x@sha256:" + "d" * 64,
    port=9191,
    placement=Placement(vpc_id="vpc-0aa", cidr_block="10.9.0.0/16", private_subnet_ids=["subnet-0aa"]),
)

def scheduler(team):
    parent = pulumi.ComponentResource(f"app:index:{team.title()}", team)
    args = SchedulerServiceArgs(
        **shared, service_name=f"{team}-nightly", family=f"{team}-nightly", log_group_name=f"/ecs/{team}"
    )
    return SchedulerService("nightly", args, pulumi.ResourceOptions(parent=parent))

@pulumi.runtime.test
def test():
    return pulumi.Output.all(*(scheduler(team).service_name for team in ("billing", "shop"))).apply(print)

test()
"""


def test_schedulers_run_under_the_sdks_own_mocks_and_two_may_have_one_name() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PLAIN],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout.strip()) == (0, "['billing-nightly', 'shop-nightly']"), done.stderr
