"""Arguments that are complete and valid, for tests to change one thing of.

Each builder takes the changes as keywords; everything else stays as below.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Final

import pulumi

from components.lease import Lease
from components.options import Placement
from components.pause import Pause
from components.scheduler_service import SchedulerService, SchedulerServiceArgs
from components.web_api_service import WebApiService, WebApiServiceArgs
from components.web_options import LoadBalancing
from tests.unit.providers import ACCOUNT, DIGEST, REGION
from tests.unit.recorder import Recorder, Recording, record

CLUSTER_ARN: Final = f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/fileflow-prod"
REPOSITORY_URL: Final = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/fileflow"
IMAGE: Final = f"{REPOSITORY_URL}@{DIGEST}"
TOPIC_ARN: Final = f"arn:aws:sns:{REGION}:{ACCOUNT}:fileflow-prod-alarms"
CERTIFICATE_ARN: Final = f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/11111111-2222-3333-4444-555555555555"
SECRET_ARN: Final = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:fileflow/database-a1b2c3"
KEY_ARN: Final = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
NAMESPACE_ARN: Final = f"arn:aws:servicediscovery:{REGION}:{ACCOUNT}:namespace/ns-a1b2c3"
POLICY_ARN: Final = f"arn:aws:iam::{ACCOUNT}:policy/queues"
WEB_ACL_ARN: Final = f"arn:aws:wafv2:{REGION}:{ACCOUNT}:regional/webacl/files/a1b2c3"
PRIVATE_SUBNETS: Final = ("subnet-private-1", "subnet-private-2")
PUBLIC_SUBNETS: Final = ("subnet-public-1", "subnet-public-2")
TAGS: Final = {"Environment": "prod", "Project": "fileflow"}

PLACEMENT: Final = Placement(
    vpc_id="vpc-0a", cidr_block="10.20.0.0/16", private_subnet_ids=list(PRIVATE_SUBNETS)
)

LEASE: Final = Lease(table_name="fileflow-prod-leases", key="fileflow-db/download", guard_image=IMAGE)


PAUSE: Final = Pause(since="2026-11-30T09:00Z", until="2026-11-30T13:00Z", reason="database migration")


def scheduler_args(**changes: Any) -> SchedulerServiceArgs:
    """The download scheduler of the guide."""
    base = SchedulerServiceArgs(
        cluster_arn=CLUSTER_ARN,
        service_name="fileflow-scheduler-download",
        family="fileflow-scheduler-download-prod",
        image=IMAGE,
        port=9091,
        placement=PLACEMENT,
        log_group_name="/aws/ecs/fileflow-scheduler-download",
        tags=TAGS,
    )
    return dataclasses.replace(base, **changes)


def load_balancing(**changes: Any) -> LoadBalancing:
    """A plain HTTP load balancer with the guide's name."""
    base = LoadBalancing(
        name="fileflow-prod-alb",
        public_subnet_ids=list(PUBLIC_SUBNETS),
        target_group_name="fileflow-prod-web-api",
        plain_http=True,
    )
    return dataclasses.replace(base, **changes)


def web_args(**changes: Any) -> WebApiServiceArgs:
    """The web API of the guide, behind plain HTTP."""
    base = WebApiServiceArgs(
        cluster_arn=CLUSTER_ARN,
        service_name="fileflow-web-api",
        family="fileflow-web-api-prod",
        container_name="fileflow",
        image=IMAGE,
        port=8083,
        placement=PLACEMENT,
        load_balancing=load_balancing(),
        log_group_name="/aws/ecs/fileflow",
        tags=TAGS,
    )
    return dataclasses.replace(base, **changes)


def record_scheduler(
    *,
    name: str = "download",
    opts: pulumi.ResourceOptions | None = None,
    preview: bool = False,
    recorder: Recorder | None = None,
    **changes: Any,
) -> Recording:
    """A run that has one scheduler, by default the guide's download scheduler."""
    return record(
        lambda: SchedulerService(name, scheduler_args(**changes), opts), preview=preview, recorder=recorder
    )


def record_web(
    *, name: str = "web", opts: pulumi.ResourceOptions | None = None, preview: bool = False, **changes: Any
) -> Recording:
    """A run that has one web API, by default the guide's."""
    return record(lambda: WebApiService(name, web_args(**changes), opts), preview=preview)


def unknown() -> pulumi.Output[Any]:
    """A value that a preview can't know; made inside a program."""
    return pulumi.Output.from_input(pulumi.UNKNOWN)
