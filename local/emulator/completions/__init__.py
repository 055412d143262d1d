"""What ministack's services lack for this project, one module per AWS service.

ministack is imported as it is and completed in memory; its version is pinned, because the completions know
the names of its functions and the shape of its stores. A completion that doesn't find what it completes
fails at start.
"""

from __future__ import annotations

from importlib import import_module

COMPLETIONS = (
    "acm",
    "cloudwatch",
    "ec2_flow_logs",
    "ec2_interfaces",
    "ec2_security_groups",
    "ec2_subnets",
    "ecr",
    "elbv2",
    "eventbridge",
    "logs",
    "sns",
    "wafv2",
    "ecs_containers",
    "ecs_surroundings",
    "ecs_permissions",
    "ecs_tasks",
    "ecs_stopping",
    "ecs_health",
    "ecs_clusters",
    "ecs_task_definitions",
    "ecs_deployments",
    "ecs_services",
    "ecs_registration",
    "ecs_restarts",
    "application_autoscaling",
    "account",
)
"""The modules with an `install()`, in this order: what wraps a function of ministack is called before what
wrapped it earlier."""


def install() -> None:
    """Installs every completion; called once, before the first request."""
    # All first, because some of them remember what ministack had before anything was put before it.
    modules = [import_module(f"{__name__}.{name}") for name in COMPLETIONS]
    for completion in modules:
        completion.install()
