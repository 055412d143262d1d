"""The picture of a stack says of each service what a reader has to know."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from unittest import mock
from xml.etree import ElementTree

import pytest

from operate import stack as stack_module
from operate.stack import stack_of
from tools.diagram import main, svg

ARN = "arn:aws:ecs:eu-west-1:111122223333"


def resource(type_: str, **outputs: Any) -> dict[str, Any]:
    urn = f"urn:pulumi:trial::shop::{type_}::{outputs.get('name', 'it')}"
    return {"urn": urn, "type": type_, "outputs": outputs}


def service(name: str, role: str, port: int, **more: Any) -> list[dict[str, Any]]:
    definition = f"{ARN}:task-definition/{name}:1"
    containers = json.dumps([{"name": name, "portMappings": [{"containerPort": port}]}])
    return [
        resource(
            "aws:ecs/taskDefinition:TaskDefinition",
            arn=definition,
            family=name,
            containerDefinitions=containers,
        ),
        resource(
            "aws:ecs/service:Service",
            name=name,
            arn=f"{ARN}:service/main/{name}",
            cluster=f"{ARN}:cluster/main",
            taskDefinition=definition,
            desiredCount=2,
            tags={"fileflow:role": role},
            **more,
        ),
    ]


def texts(*resources: dict[str, Any]) -> list[str]:
    root = ElementTree.fromstring(svg(stack_of(Path(), resources)))
    return [each.text or "" for each in root.iter("{http://www.w3.org/2000/svg}text")]


def test_a_scheduler_is_shown_as_exactly_one_and_a_web_api_by_its_limits() -> None:
    shown = texts(
        *service("api", "web-api", 8083, loadBalancers=[{"targetGroupArn": "group"}]),
        *service("a<b", "scheduler", 9091),
        resource(
            "aws:appautoscaling/target:Target", resourceId="service/main/api", minCapacity=2, maxCapacity=8
        ),
        resource("aws:lb/loadBalancer:LoadBalancer", name="alb", internal=False),
        resource("aws:lb/listener:Listener", port=443),
        resource("aws:lb/listener:Listener", port=80),
    )
    assert "2 to 8 tasks · port 8083" in shown
    assert "a<b" in shown
    assert "exactly 1 task · port 9091 · from inside the VPC only" in shown
    assert "ports 80, 443 · public subnets" in shown
    assert "Internet" in shown


def test_what_a_stack_does_not_have_is_not_drawn() -> None:
    shown = texts(*service("worker", "worker", 80))
    assert "2 tasks · port 80" in shown
    assert not [text for text in shown if text.startswith(("Load", "DynamoDB", "SNS", "ECR", "Internet"))]


def test_a_stack_without_services_is_named_and_nothing_is_drawn(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    picture = tmp_path / "picture.svg"
    monkeypatch.setattr("sys.argv", ["diagram", "--stack", "dev", "--output", str(picture)])
    monkeypatch.setattr(stack_module, "pulumi", mock.Mock(return_value="{}"))

    with pytest.raises(SystemExit, match="Stack dev has no ECS service: nothing is deployed"):
        main()

    assert not picture.exists()
