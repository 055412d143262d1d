"""The private names of ministack that the completions know, and what for.

Owns the list: a name outside it is neither read, called, wrapped nor replaced in `local/emulator`, which
`tests/local/emulator/test_private_names.py` sees to. For another version of ministack this is what to go
through: a gap is closed when the tests of its completion pass without it, and the AWS pages stand in the
completion. Deliberately imports nothing of ministack.
"""

from __future__ import annotations

from typing import NamedTuple


class Gap(NamedTuple):
    """What ministack lacks, and the names of one of its modules by which that is completed."""

    module: str
    names: tuple[str, ...]
    gap: str


GAPS: tuple[Gap, ...] = (
    Gap(
        "app",
        ("_collect_scripts",),
        "runs whatever start scripts lie in two folders of this machine",
    ),
    Gap(
        "services.alb",
        ("_forward_to_tg",),
        "tries for long to reach a simulated container, which listens nowhere",
    ),
    Gap(
        "services.cloudwatch",
        ("_dispatch_alarm_actions",),
        "tells whatever a topic's policy and key say, and knows no mute rules",
    ),
    Gap(
        "services.cloudwatch_logs",
        ("_put_log_events",),
        "a metric filter counts nothing, neither in what is put nor in what a container says",
    ),
    Gap(
        "services.ecs",
        ("_ACTION_MAP",),
        "loses arguments of clusters, services and task definitions, and keeps no service deployments",
    ),
    Gap(
        "services.ecs",
        ("_services", "_tasks"),
        "its stores, which the completions of a service's and a task's life read",
    ),
    Gap(
        "services.ecs",
        ("_sanitize", "_ts_to_epoch"),
        "times are answered in whole seconds, which hide who came first; a record that grows can't be shown",
    ),
    Gap(
        "services.ecs",
        (
            "_complete_service_deployment",
            "_reconcile_service_tasks",
            "_refresh_service_state",
            "_schedule_service_deployment_completion",
        ),
        "a rollback doesn't bring back network and capacity, and what never ran keeps a successor out",
    ),
    Gap(
        "services.ecs",
        ("_record_service_task_failure", "_run_task"),
        "starts a task that fails again without a pause; a task has no network interface",
    ),
    Gap(
        "services.ecs",
        ("_mark_task_stopped", "_start_task_worker"),
        "tells EventBridge nothing of tasks, starts one whatever its execution role may and all its "
        "containers at once, and names other reasons for a stop than ECS",
    ),
    Gap(
        "services.ecs",
        ("_cleanup_task_resources", "_stop_task"),
        "a task is gone the moment that it is told to stop",
    ),
    Gap(
        "services.ecs",
        ("_maybe_mark_stopped", "_record_service_task_healthy"),
        "every task that has started is healthy",
    ),
    Gap(
        "services.ecs",
        ("_sync_service_targets",),
        "registers all tasks at the service's present port, and has one address for all of them",
    ),
    Gap(
        "services.ecs",
        (
            "_ECS_DEPLOYMENT_STEADY_DELAY",
            "_get_docker",
            "_remove_docker_container",
            "_run_docker_container",
        ),
        "runs containers without limits, users, volumes or entry points, and on a Docker engine alone",
    ),
    Gap(
        "services.eventbridge",
        ("_dispatch_to_sns", "_put_events"),
        "ECS's events reach no rule, and a topic's policy lets everybody publish",
    ),
)
