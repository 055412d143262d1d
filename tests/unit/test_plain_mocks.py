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
from components.web_api_service import WebApiService, WebApiServiceArgs
from components.web_options import LoadBalancing

shared = dict(
    cluster_arn="arn:aws:ecs:eu-west-1:111122223333:cluster/jobs",
    image="x@sha256:" + "d" * 64,
    port=9191,
    placement=Placement(vpc_id="vpc-0aa", cidr_block="10.9.0.0/16", private_subnet_ids=["subnet-0aa"]),
)

def both(team):
    parent = pulumi.ComponentResource(f"app:index:{team.title()}", team)
    args = SchedulerServiceArgs(
        **shared, service_name=f"{team}-nightly", family=f"{team}-nightly", log_group_name=f"/ecs/{team}"
    )
    opts = pulumi.ResourceOptions(parent=parent)
    web = WebApiServiceArgs(
        **shared,
        service_name=f"{team}-api",
        family=f"{team}-api",
        log_group_name=f"/ecs/{team}-api",
        load_balancing=LoadBalancing(
            name=f"{team}-alb",
            target_group_name=f"{team}-tg",
            public_subnet_ids=["subnet-0bb", "subnet-0bc"],
            plain_http=True,
        ),
    )
    return [SchedulerService("nightly", args, opts), WebApiService("api", web, opts)]

@pulumi.runtime.test
def test():
    services = [each for team in ("billing", "shop") for each in both(team)]
    return pulumi.Output.all(*(each.service_name for each in services)).apply(print)

test()
"""


def test_services_run_under_the_sdks_own_mocks_and_two_may_have_one_name() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PLAIN],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    made = "['billing-nightly', 'billing-api', 'shop-nightly', 'shop-api']"
    assert (done.returncode, done.stdout.strip()) == (0, made), done.stderr
