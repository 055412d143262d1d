"""All rules of the pack, one module per concern."""

from __future__ import annotations

from typing import Final

from ..rule import Rule
from . import (
    cloudwatch,
    ecr,
    ecs_services,
    ecs_tasks,
    elbv2,
    iam,
    scheduler_alarms,
    scheduler_capacity,
    scheduler_copies,
    scheduler_count,
    scheduler_deployment,
    scheduler_identity,
    scheduler_launchers,
    scheduler_traffic,
    secrets_manager,
    security_groups,
)

ALL_RULES: Final[tuple[Rule, ...]] = tuple(
    rule
    for module in (
        scheduler_count,
        scheduler_traffic,
        scheduler_capacity,
        scheduler_deployment,
        scheduler_launchers,
        scheduler_copies,
        scheduler_identity,
        scheduler_alarms,
        ecs_services,
        ecs_tasks,
        ecr,
        elbv2,
        cloudwatch,
        iam,
        security_groups,
        secrets_manager,
    )
    for rule in module.catalogue.rules
)
