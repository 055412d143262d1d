"""The private names of ministack that the completions know, and what for.

Owns the list: a name outside it is neither read, called, wrapped nor replaced in `local/emulator`, which
`tests/local/emulator/test_private_names.py` sees to. For another version of ministack this is what to go
through. Deliberately imports nothing of ministack.
"""

from __future__ import annotations

from typing import NamedTuple


class Gap(NamedTuple):
    """What ministack lacks, and the names of one of its modules by which that is completed."""

    module: str
    names: tuple[str, ...]
    gap: str


GAPS: tuple[Gap, ...] = (
    Gap("app", ("_collect_scripts",), "apps completion"),
    Gap("services.acm", ("_certificates",), "acms completion"),
    Gap(
        "services.alb",
        (
            "_forward_to_tg",
            "_lb_attrs",
            "_listener_attrs",
            "_listeners",
            "_rules",
            "_targets",
            "_tg_attrs",
            "_tgs",
        ),
        "albs completion",
    ),
    Gap("services.cloudwatch", ("_alarms", "_dispatch_alarm_actions"), "cloudwatchs completion"),
    Gap(
        "services.cloudwatch_logs",
        ("_compile_filter_pattern", "_log_groups", "_put_log_events"),
        "cloudwatch_logss completion",
    ),
    Gap(
        "services.ecr", ("_images", "_manifest_blobs", "_repositories", "_v2_put_manifest"), "ecrs completion"
    ),
    Gap(
        "services.ecs",
        (
            "_ACTION_MAP",
            "_ECS_DEPLOYMENT_STEADY_DELAY",
            "_ImagePullError",
            "_SecretResolutionError",
            "_awslogs_config",
            "_build_run_kwargs",
            "_bump_task_version",
            "_circuit_breaker_threshold",
            "_cleanup_task_resources",
            "_cluster_name_from_arn",
            "_clusters",
            "_complete_service_deployment",
            "_container_ip",
            "_create_service",
            "_delete_cluster",
            "_deployment_for_task",
            "_describe_services",
            "_fail_task_start",
            "_get_docker",
            "_iso",
            "_make_deployment",
            "_mark_task_pending",
            "_mark_task_running",
            "_mark_task_stopped",
            "_maybe_mark_stopped",
            "_primary_deployment",
            "_put_cluster",
            "_reconcile_service_tasks",
            "_record_service_task_failure",
            "_record_service_task_healthy",
            "_record_task_ip",
            "_recount_cluster",
            "_refresh_service_state",
            "_register_task_definition",
            "_remove_docker_container",
            "_resolve_cluster_name",
            "_resolve_container_secrets",
            "_resolve_service_ref",
            "_resolve_task",
            "_resolve_td_key",
            "_run_docker_container",
            "_run_task",
            "_sanitize",
            "_schedule_service_deployment_completion",
            "_services",
            "_start_task_worker",
            "_stop_task",
            "_sync_service_targets",
            "_tags",
            "_task_defs",
            "_task_ip",
            "_task_is_active",
            "_tasks",
            "_ts_to_epoch",
            "_update_service",
        ),
        "ecss completion",
    ),
    Gap("services.eventbridge", ("_dispatch_to_sns", "_put_events"), "eventbridges completion"),
)
