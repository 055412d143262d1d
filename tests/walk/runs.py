"""What the walk changes on a running stack: each setting to each other kind of value that it can take.

Owns the two stacks that it starts from and the values. Doesn't own the list of settings: it comes from
their types, and `coverage` compares.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, Final

from tests.unit.stacks import stack_values
from tests.walk.change import HTTPS, LEFT_OUT, PLAIN, Change, Run, of_each_service, one

AGENT: Final = "public.ecr.aws/datadog/agent@sha256:" + "a" * 64
STATEMENT: Final = {"actions": ["s3:GetObject"], "resources": ["arn:aws:s3:::files/*"]}
HEALTH_CHECK: Final = {"command": ["CMD", "/fileflow", "health"], "interval_seconds": 10}
BOTH: Final = (PLAIN, HTTPS)
PIPELINE: Final = {"name": "pipeline", "port": 9092}
DOWNLOAD: Final = {"name": "download", "port": 9091, "health_check": HEALTH_CHECK}
SCHEDULE: Final = {
    "name": "morning",
    "schedule": "cron(0 8 * * ? *)",
    "minimum_count": 1,
    "maximum_count": 5,
}
BALANCER: Final = "web_api.load_balancer"
SCALING: Final = "web_api.autoscaling"
EXISTING_VPC: Final = {
    "vpc_id": "$vpc",
    "private_subnet_ids": ["$private_a", "$private_b"],
    "public_subnet_ids": ["$public_a", "$public_b"],
}
REPLACES_BALANCER: Final = "the load balancer is replaced"
NO_BUILD: Final = {"images.context": LEFT_OUT, "images.dockerfile": LEFT_OUT}

RUNS: Final[Sequence[Run]] = (
    # What the stack as a whole has, with what else touches other resources.
    one("version", {"version": "1.1.0"}, bases=BOTH),
    one("environment", {"environment": "other"}, previewed=True),
    one("tags", {"tags": {"CostCenter": "4711"}}, bases=BOTH),
    one("audited", {"audited": True}, previewed=True),
    Run(
        name="logs, repository, insights, autoscaling",
        changes=[
            Change(values={"logging.retention_days": 14}, touches="logGroup"),
            Change(values={"repository.kept_versions": 10}, touches="lifecyclePolicy"),
            Change(values={"repository.force_delete": False}, touches="ecr/repository:"),
            Change(values={"container_insights": "enhanced"}, touches="ecs/cluster:"),
            Change(values={"alarms.emails": ["on-call@example.com"]}, touches="topicSubscription"),
            Change(values={f"{SCALING}.minimum_count": 2}, touches="appautoscaling/target:"),
            Change(values={f"{SCALING}.cpu_percent": 50}, touches="appautoscaling/policy:.*-cpu"),
            Change(values={f"{SCALING}.memory_percent": None}, touches="appautoscaling/policy:.*-memory"),
            Change(
                values={f"{SCALING}.requests_per_target": None}, touches="appautoscaling/policy:.*-requests"
            ),
            Change(
                values={
                    f"{SCALING}.scheduled.schedule": "cron(0 7 * * ? *)",
                    f"{SCALING}.scheduled.timezone": "Asia/Seoul",
                    f"{SCALING}.scheduled.minimum_count": 2,
                    f"{SCALING}.scheduled.maximum_count": 6,
                },
                touches="scheduledAction",
            ),
            Change(
                values={f"{BALANCER}.source_cidr_blocks": ["203.0.113.0/24", "198.51.100.0/24"]},
                touches="securityGroup",
            ),
            Change(values={f"{BALANCER}.idle_timeout_seconds": 90}, touches="loadBalancer:"),
            Change(
                values={
                    f"{BALANCER}.deregistration_delay_seconds": 20,
                    f"{BALANCER}.health_check.path": "/actuator/health/readiness",
                    f"{BALANCER}.health_check.matcher": "200-299",
                    f"{BALANCER}.health_check.interval_seconds": 20,
                    f"{BALANCER}.health_check.timeout_seconds": 6,
                    f"{BALANCER}.health_check.healthy_threshold": 3,
                    f"{BALANCER}.health_check.unhealthy_threshold": 4,
                },
                touches="targetGroup:",
            ),
            Change(values={f"{BALANCER}.access_logs.retention_days": 14}, touches="Lifecycle"),
            Change(values={f"{BALANCER}.access_logs.force_destroy": False}, touches="s3/bucket:"),
        ],
    ),
    Run(
        name="key, https endpoint, autoscaling, no access logs",
        changes=[
            Change(values={"logging.kms_key_arn": "$key"}, touches="logGroup"),
            Change(
                values={"alarms.https_endpoints": ["https://on-call.example.com/"]},
                touches="topicSubscription",
            ),
            Change(values={f"{SCALING}.maximum_count": 6}, touches="appautoscaling/target:"),
            Change(values={f"{SCALING}.cpu_percent": None}, touches="appautoscaling/policy:.*-cpu"),
            Change(values={f"{SCALING}.memory_percent": 75}, touches="appautoscaling/policy:.*-memory"),
            Change(
                values={f"{SCALING}.requests_per_target": 500}, touches="appautoscaling/policy:.*-requests"
            ),
            Change(values={f"{SCALING}.scheduled.name": "dawn"}, touches="scheduledAction"),
            Change(values={f"{BALANCER}.access_logs": None}, touches="loadBalancer:|aws:s3/"),
        ],
    ),
    Run(
        name="logs stay, other topic, cooldowns, no schedule, access logs elsewhere",
        changes=[
            Change(values={"logging.retain_on_delete": True}, touches="logGroup"),
            Change(values={"alarms.topic_arns": ["$topic"]}, touches="metricAlarm"),
            Change(
                values={
                    f"{SCALING}.scale_out_cooldown_seconds": 30,
                    f"{SCALING}.scale_in_cooldown_seconds": 120,
                },
                touches="appautoscaling/policy:",
            ),
            Change(values={f"{SCALING}.scheduled": []}, touches="scheduledAction"),
            Change(
                values={f"{BALANCER}.access_logs.bucket": "$bucket", f"{BALANCER}.access_logs.prefix": "web"},
                touches="loadBalancer:|aws:s3/",
            ),
        ],
    ),
    one("a key of its own", {"encryption.create": True}),
    one(
        "a key that goes",
        {"encryption.create": True, "encryption.retain_on_delete": False},
        deletes_keys=True,
    ),
    one("an existing key", {"encryption.kms_key_arn": "$key"}),
    one(
        "an existing key for its own",
        {"encryption.create": LEFT_OUT, "encryption.kms_key_arn": "$key"},
        bases=(HTTPS,),
    ),
    one("no key", {"encryption.create": LEFT_OUT}, bases=(HTTPS,)),
    one("insights off", {"container_insights": "disabled"}, previewed=True),
    one("insights off without schedulers", {"container_insights": "disabled", "schedulers": []}),
    # The network.
    one("third zone", {"network.create.number_of_availability_zones": 3}),
    one("another range", {"network.create.cidr_block": "10.30.0.0/16"}, previewed=True),
    one("another cut of the range", {"network.create.availability_zone_cidr_mask": 18}, previewed=True),
    one(
        "a NAT gateway a zone",
        {"network.create.nat_gateway_strategy": "ONE_PER_AZ", "network.create.vpc_endpoints": False},
    ),
    one("endpoints", {"network.create.vpc_endpoints": True}),
    one(
        "flow logs of what is rejected",
        {
            "network.create.flow_logs.traffic_type": "REJECT",
            "network.create.flow_logs.retention_days": 14,
        },
    ),
    one("flow logs of what is accepted", {"network.create.flow_logs.traffic_type": "ACCEPT"}),
    one("no flow logs", {"network.create.flow_logs": LEFT_OUT}),
    one("no NAT gateway", {"network.create.nat_gateway_strategy": "NONE"}),
    one(
        "an existing VPC",
        {"network.create": LEFT_OUT, "network.use": EXISTING_VPC},
        interrupts=REPLACES_BALANCER,
    ),
    one(
        "a VPC of its own",
        {"network.use": LEFT_OUT, "network.create": {"cidr_block": "10.40.0.0/16"}},
        interrupts=REPLACES_BALANCER,
        bases=(HTTPS,),
    ),
    one(
        "other private subnets",
        {"network.use.private_subnet_ids": ["$private_a", "$private_c"]},
        bases=(HTTPS,),
    ),
    one(
        "other public subnets", {"network.use.public_subnet_ids": ["$public_a", "$public_c"]}, bases=(HTTPS,)
    ),
    one(
        "the same VPC by tags",
        {
            "network.use.vpc_id": LEFT_OUT,
            "network.use.vpc_tags": {"Name": "shared"},
            "network.use.private_subnet_ids": LEFT_OUT,
            "network.use.private_subnet_tags": {"Tier": "private"},
            "network.use.public_subnet_ids": LEFT_OUT,
            "network.use.public_subnet_tags": {"Tier": "public"},
        },
        bases=(HTTPS,),
    ),
    # Images.
    one("images from the registry", {"images.source": "registry", "images.kind": "buildpack", **NO_BUILD}),
    # A tag stays what it was pushed as, so that another image needs another version.
    one(
        "images from the engine",
        {"images.source": "local", "images.kind": "buildpack", "version": "1.3.0", **NO_BUILD},
    ),
    one(
        "another build",
        {
            "version": "1.4.0",
            "images.kind": "dockerfile",
            "images.context": "staged",
            "images.dockerfile": "staged/Dockerfile",
            "images.target": "slim",
            "images.build_args": {"REVISION": "abc"},
        },
    ),
    # What each service has.
    of_each_service(
        "size, version, variables",
        {
            "size.cpu": 1024,
            "size.memory_mib": 2048,
            "size.ephemeral_storage_gib": 30,
            "size.cpu_architecture": "ARM64",
            "version": "1.2.0",
            "environment": {"LOG_LEVEL": "debug"},
            "user": "1001:1001",
            "stop_timeout_seconds": 90,
        },
    ),
    of_each_service(
        "secrets, ECS Exec, no health check, no writable path",
        {
            "secrets": {"DB_PASSWORD": "$secret:password::", "REDIS_URL": "$parameter"},
            "secrets_kms_key_arns": ["$key"],
            "execute_command": True,
            "health_check": LEFT_OUT,
            "writable_paths": [],
        },
    ),
    of_each_service(
        "health check, tmpfs",
        {
            "health_check.command": ["CMD", "/fileflow", "health", "--now"],
            "health_check.interval_seconds": 20,
            "health_check.timeout_seconds": 4,
            "health_check.retries": 5,
            "health_check.start_period_seconds": 60,
            "writable_paths.path": "/work",
            "writable_paths.kind": "tmpfs",
            "writable_paths.size_mib": 128,
        },
    ),
    of_each_service(
        "rights, private registry, sidecar",
        {
            "repository_credentials": "$registry",
            "policy_arns": ["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"],
            "permissions_boundary_arn": "arn:aws:iam::aws:policy/PowerUserAccess",
            "statements.sid": "Files",
            "statements.effect": "Deny",
            "statements.actions": ["s3:PutObject"],
            "statements.resources": ["arn:aws:s3:::files/kept/*"],
            "statements.conditions": {"Bool": {"aws:SecureTransport": "false"}},
            "sidecars.name": "helper",
            "sidecars.image": AGENT.replace("aa", "bb"),
            "sidecars.essential": True,
            "sidecars.environment": {"LOG_LEVEL": "debug"},
            "sidecars.secrets": {"REDIS_URL": "$parameter"},
            "sidecars.repository_credentials": "$registry",
            "sidecars.command": ["run"],
            "sidecars.user": "1001:1001",
            "sidecars.writable_paths.path": "/work",
            "sidecars.writable_paths.kind": "tmpfs",
            "sidecars.writable_paths.size_mib": 32,
            "sidecars.health_check.command": ["CMD", "/agent", "health", "--now"],
            "sidecars.health_check.interval_seconds": 20,
            "sidecars.health_check.timeout_seconds": 4,
            "sidecars.health_check.retries": 5,
            "sidecars.health_check.start_period_seconds": 60,
            "sidecars.main_waits_for": "START",
            "sidecars.port": 4317,
            "sidecars.memory_mib": 96,
            "sidecars.memory_reservation_mib": 64,
        },
    ),
    of_each_service(
        "sidecar to wait for",
        {
            "sidecars.main_waits_for": "HEALTHY",
            "sidecars.health_check": {"command": ["CMD", "/agent", "health"]},
            "sidecars.writable_paths": [],
            "statements": [],
        },
    ),
    of_each_service("no sidecar", {"sidecars": []}),
    of_each_service(
        "a version that fails", {"environment": {"FILEFLOW_SIMULATE_FAILURE": "database"}}, fails=True
    ),
    Run(
        name="ports",
        changes=[Change(values={"web_api.port": 8443}), Change(values={"schedulers.port": 9191})],
        bases=BOTH,
    ),
    Run(
        name="Spot",
        changes=[
            Change(values={"web_api.capacity.spot_weight": 1, "web_api.grace_period_seconds": 60}),
            Change(values={"schedulers.spot_opt_in": True}),
        ],
    ),
    one(
        "Spot alone",
        {
            "web_api.capacity.fargate_weight": 0,
            "web_api.capacity.spot_weight": 2,
            "web_api.capacity.base": 0,
        },
    ),
    one(
        "paused",
        {
            "schedulers.paused.since": "$now",
            "schedulers.paused.until": "$in_two_weeks",
            "schedulers.paused.reason": "walked",
        },
    ),
    one(
        "a pause that is over",
        {"schedulers.paused": {"since": "$two_weeks_ago", "until": "$an_hour_ago", "reason": "forgotten"}},
        previewed=True,
    ),
    Run(
        name="a scheduler renamed",
        changes=[
            Change(
                values={
                    "schedulers.name": "archive",
                    "schedulers.renamed_from": "download",
                    # Its lease keeps its key.
                    "schedulers.lease.key": "download",
                },
                touches="download|archive",
            )
        ],
        renames={"archive": "download"},
    ),
    one(
        "one scheduler for another",
        {"schedulers": [PIPELINE, {"name": "thumbnails", "port": 9093}]},
        previewed=True,
    ),
    one("one scheduler less", {"schedulers": [PIPELINE]}),
    one("one scheduler more", {"schedulers": [DOWNLOAD, PIPELINE, {"name": "archive", "port": 9093}]}),
    one("no scheduler", {"schedulers": []}),
    # Leases: the schedulers of the one stack have one, those of the other haven't.
    one("a lease", {"schedulers.lease": {}}, bases=(HTTPS,)),
    one("no lease", {"schedulers.lease": LEFT_OUT}),
    Run(
        name="another lease, a guard of one's own",
        changes=[
            Change(
                values={
                    "schedulers.lease.key": "files/download",
                    "schedulers.lease.entry_point": ["/fileflow", "run"],
                    "schedulers.lease.duration_seconds": 30,
                }
            ),
            Change(
                values={"leases.context": "guard", "leases.dockerfile": "guard/Dockerfile"},
                touches="ServiceImage lease-guard|docker.*lease-guard",
            ),
            Change(values={"leases.point_in_time_recovery": True}, touches="dynamodb/table:"),
        ],
    ),
    one(
        "a lease in a table of several stacks",
        {"schedulers.lease.table_name": "$lease_table", "schedulers.lease.key": "files/download"},
    ),
    Run(
        name="a protected table of leases",
        changes=[Change(values={"leases.deletion_protection": True}, touches="dynamodb/table:")],
    ),
    # The load balancer.
    one(
        "HTTPS",
        {f"{BALANCER}.plain_http": LEFT_OUT, f"{BALANCER}.certificate_arn": "$certificate"},
    ),
    one(
        "HTTPS with a certificate that isn't issued",
        {f"{BALANCER}.plain_http": LEFT_OUT, f"{BALANCER}.certificate_arn": "$pending_certificate"},
        previewed=True,
    ),
    one(
        "plain HTTP",
        {f"{BALANCER}.certificate_arn": LEFT_OUT, f"{BALANCER}.plain_http": True},
        bases=(HTTPS,),
    ),
    one(
        "another TLS policy",
        {f"{BALANCER}.ssl_policy": "ELBSecurityPolicy-TLS13-1-3-2021-06"},
        bases=(HTTPS,),
    ),
    one("a web ACL", {f"{BALANCER}.web_acl_arn": "$web_acl"}),
    one("former access logs for a week", {f"{BALANCER}.access_logs.version_retention_days": 7}),
    one("a web ACL of its own", {f"{BALANCER}.web_acl": {}}),
    one(
        "a web ACL that blocks",
        {f"{BALANCER}.web_acl.action": "block", f"{BALANCER}.web_acl.requests_per_five_minutes": 1000},
        bases=(HTTPS,),
    ),
    one("no web ACL", {f"{BALANCER}.web_acl": LEFT_OUT}, bases=(HTTPS,)),
    one(
        "a web ACL of others for its own",
        {f"{BALANCER}.web_acl": LEFT_OUT, f"{BALANCER}.web_acl_arn": "$web_acl"},
        bases=(HTTPS,),
    ),
    one("another certificate", {f"{BALANCER}.certificate_arn": "$other_certificate"}, bases=(HTTPS,)),
    one(
        "a certificate for a host name",
        {
            f"{BALANCER}.certificate_arn": LEFT_OUT,
            f"{BALANCER}.host_name": "api.example.com",
            f"{BALANCER}.hosted_zone_id": "$zone",
        },
        bases=(HTTPS,),
    ),
    one("internal", {f"{BALANCER}.internal": True}, interrupts=REPLACES_BALANCER),
    one("deletion protection", {f"{BALANCER}.deletion_protection": True}),
    one("no callers", {f"{BALANCER}.source_cidr_blocks": []}, previewed=True),
)

TOUR: Final = (
    ("third zone", "Spot"),
    ("ports", "a scheduler renamed"),
    ("HTTPS", "size, version, variables", "deletion protection"),
)
"""Runs that go in one after the other in `make test`; they once jammed a stack, or took the API down."""
TOUR_REFUSES: Final = ("internal", "one scheduler for another", "another cut of the range", "an existing VPC")
"""Runs that have to be refused there."""


def base_values(base: str) -> dict[str, Any]:
    """The file that the walk starts from: stack `local` with every optional section given.

    The second one lies behind HTTPS and a web ACL and in a VPC that exists already, has a key of its own, and
    no leases.
    """
    values = stack_values("local")
    values["schedulers"] = [copy.deepcopy(DOWNLOAD), copy.deepcopy(PIPELINE)]
    web = values["web_api"]
    for each in (web, values["schedulers"][0]):
        each["writable_paths"] = [{"path": "/tmp"}]
        each["statements"] = [copy.deepcopy(STATEMENT)]
        each["sidecars"] = [{"name": "agent", "image": AGENT, "writable_paths": [{"path": "/tmp"}]}]
    values["network"]["create"]["flow_logs"] = {"traffic_type": "ALL", "retention_days": 7}
    web["health_check"] = copy.deepcopy(HEALTH_CHECK)
    web["autoscaling"] = {"minimum_count": 1, "maximum_count": 4, "scheduled": [copy.deepcopy(SCHEDULE)]}
    values["leases"] = {"deletion_protection": False}
    if base == PLAIN:
        for each in values["schedulers"]:
            each["lease"] = {}
    if base == HTTPS:
        del values["images"]["kind"]
        web["load_balancer"].pop("plain_http")
        web["load_balancer"]["certificate_arn"] = "$certificate"
        web["load_balancer"]["web_acl"] = {}
        values["encryption"] = {"create": True}
        values["network"] = {"use": copy.deepcopy(EXISTING_VPC)}
    return values
