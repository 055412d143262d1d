"""The parts that the services are put together from, each as a program of its own.

An option of one part is looked at where nothing else is made. That both services hand their arguments
on to the parts is held in test_arguments.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Final

import pulumi

from components.autoscaling import ScaledService, scale
from components.aws_environment import AwsEnvironment
from components.image_repository import ImageRepository, ImageRepositoryArgs
from components.load_balancer import create_load_balancer
from components.options import Alarms, ContainerOptions, Logging, TaskAccess, TaskSize
from components.roles import TaskRoles
from components.scheduler_service import SchedulerServiceArgs
from components.secret_references import with_secret_arns
from components.service_image import ImageSource, ServiceImage, ServiceImageArgs
from components.task import create_task
from components.web_options import Autoscaling, LoadBalancing
from tests.unit.builders import CLUSTER_ARN, IMAGE, PLACEMENT, TAGS, load_balancing
from tests.unit.recorder import Recorder, Recording, record

TASK_OPTIONS: Final = SchedulerServiceArgs(
    cluster_arn=CLUSTER_ARN,
    service_name="app",
    family="family",
    container_name="app",
    image=IMAGE,
    port=9091,
    size=TaskSize(),
    container=ContainerOptions(),
    sidecars=(),
    stop_timeout_seconds=120,
    access=TaskAccess(),
    log_group_name="/aws/ecs/app",
    logging=Logging(),
    placement=PLACEMENT,
    alarms=Alarms(),
    tags=TAGS,
)


def task(**changes: Any) -> None:
    """A service's task, with its roles, log group and security group."""
    create_task("app", dataclasses.replace(TASK_OPTIONS, **changes), _parent())


def roles(*, name: str = "app", **changes: Any) -> None:
    """The two roles of a task."""
    parent = _parent()
    environment = AwsEnvironment.of(parent)
    options = with_secret_arns(dataclasses.replace(TASK_OPTIONS, **changes), environment, parent)
    TaskRoles.create(name, options, environment, parent)


def balancer(options: LoadBalancing) -> None:
    """A web API's load balancer."""
    create_load_balancer("web", options, 8083, "vpc-0a", TAGS, _parent())


def scaling(autoscaling: Autoscaling) -> None:
    """A web API's autoscaling."""
    scaled = ScaledService(
        cluster_arn=CLUSTER_ARN,
        service_name="fileflow-web-api",
        load_balancer_arn_suffix="app/a/1",
        target_group_arn_suffix="targetgroup/b/2",
    )
    scale("web", scaled, autoscaling, _parent())


def image(source: ImageSource, *, repository_name: str = "fileflow", **changes: Any) -> None:
    """A service's image, and the repository that it is in."""
    repository = ImageRepository(
        "fileflow", ImageRepositoryArgs(repository_name=repository_name, tag_prefixes=["web-api-"])
    )
    args = {"tag": "web-api-1.4.0", "latest_tag": "latest", **changes}
    ServiceImage("web-api", ServiceImageArgs(repository=repository, source=source, **args))


def record_task(*, preview: bool = False, **changes: Any) -> Recording:
    """A run that has one task."""
    return record(lambda: task(**changes), preview=preview)


def record_roles(*, recorder: Recorder | None = None, **changes: Any) -> Recording:
    """A run that has the two roles of a task."""
    return record(lambda: roles(**changes), recorder=recorder)


def record_balancer(**changes: Any) -> Recording:
    """A run that has one load balancer, by default for plain HTTP."""
    return record(lambda: balancer(load_balancing(**changes)))


def record_scaling(**changes: Any) -> Recording:
    """A run that has the autoscaling of one web API."""
    return record(lambda: scaling(Autoscaling(**changes)))


def _parent() -> pulumi.ComponentResource:
    return pulumi.ComponentResource("example:index:Service", "parent")
