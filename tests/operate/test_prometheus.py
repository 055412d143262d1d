"""What Prometheus is told of the services."""

from __future__ import annotations

import yaml

from operate.prometheus import scrape_configuration

REGION = "ap-northeast-2"
CLUSTER_ARN = "arn:aws:ecs:ap-northeast-2:646886795421:cluster/fileflow-prod"
PORTS = {"fileflow-web-api": 8083, "fileflow-scheduler-download": 9091}


def test_prometheus_finds_each_services_running_tasks_at_their_actuator() -> None:
    jobs = yaml.safe_load(scrape_configuration(REGION, CLUSTER_ARN, PORTS))["scrape_configs"]

    assert [each["job_name"] for each in jobs] == sorted(PORTS)
    first = jobs[0]
    assert first["metrics_path"] == "/actuator/prometheus"
    assert first["aws_sd_configs"] == [
        {
            "clusters": [CLUSTER_ARN],
            "port": 9091,
            "refresh_interval": "30s",
            "region": REGION,
            "role": "ecs",
        }
    ]
    kept = [rule for rule in first["relabel_configs"] if rule.get("action") == "keep"]
    assert [(rule["source_labels"], rule["regex"]) for rule in kept] == [
        (["__meta_ecs_service"], "fileflow-scheduler-download"),
        (["__meta_ecs_last_status"], "RUNNING"),
    ]
    [address] = [rule for rule in first["relabel_configs"] if rule.get("target_label") == "__address__"]
    assert address["replacement"] == "$1:9091"


def test_the_order_of_services_is_no_change_of_the_scrape_configuration() -> None:
    backwards = dict(reversed(PORTS.items()))

    assert scrape_configuration(REGION, CLUSTER_ARN, PORTS) == scrape_configuration(
        REGION, CLUSTER_ARN, backwards
    )
