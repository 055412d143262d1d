"""The Prometheus scrape configuration for the Actuators of FileFlow's services.

Pure. Prometheus finds the tasks by its own ECS discovery (Prometheus 3.8 or later), so that no
scheduler needs a service registry, which has been seen to let two tasks overlap.
Source: https://prometheus.io/docs/prometheus/latest/configuration/configuration/#aws_sd_config
"""

from __future__ import annotations

import json
from collections.abc import Mapping

METRICS_PATH = "/actuator/prometheus"


def scrape_configuration(region: str, cluster_arn: str, ports: Mapping[str, int]) -> str:
    """A `scrape_configs` section as YAML, usable as it is in a Prometheus inside the VPC.

    It is a comment and one line of JSON, which is YAML too. `ports` maps a service's name to its Actuator's
    port; each service is a job, since each has its own port.
    """
    jobs = [_job(region, cluster_arn, service, ports[service]) for service in sorted(ports)]
    return f"# For Prometheus 3.8 or later, inside the VPC\n{json.dumps({'scrape_configs': jobs})}\n"


def _job(region: str, cluster_arn: str, service: str, port: int) -> dict[str, object]:
    return {
        "job_name": service,
        "metrics_path": METRICS_PATH,
        "aws_sd_configs": [
            {
                "role": "ecs",
                "region": region,
                "clusters": [cluster_arn],
                "port": port,
                "refresh_interval": "30s",
            }
        ],
        "relabel_configs": [
            {"source_labels": ["__meta_ecs_service"], "regex": service, "action": "keep"},
            {"source_labels": ["__meta_ecs_last_status"], "regex": "RUNNING", "action": "keep"},
            {
                "source_labels": ["__meta_ecs_ip_address"],
                "target_label": "__address__",
                "replacement": f"$1:{port}",
            },
            {"source_labels": ["__meta_ecs_service"], "target_label": "service"},
            {"source_labels": ["__meta_ecs_task_arn"], "target_label": "task_arn"},
        ],
    }
