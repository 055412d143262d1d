"""How an image was built, and how ECS asks a container made of it whether it is well.

ECS's circuit breaker counts tasks that don't start, and after that only failed health checks: without one a
version that never gets well is a successful rollout. A background service has no load balancer to ask it, so
its container is asked. Owns the commands that the kinds of images have for that. Doesn't own what the images
contain (`images/spring-boot.Dockerfile`, Paketo's buildpacks), nor who is asked.
Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from components.options import ContainerHealthCheck, ContainerOptions

ImageKind = Literal["buildpack", "dockerfile", "other"]

LIVENESS_PATH = "/actuator/health/liveness"
"""Whether the process is well. `/actuator/health` also fails while the database does, which no restart mends.

Source: https://docs.spring.io/spring-boot/reference/actuator/endpoints.html#actuator.endpoints.kubernetes-probes
"""

HEALTH_PROBES = {"MANAGEMENT_ENDPOINT_HEALTH_PROBES_ENABLED": "true"}
"""Spring Boot has the liveness group outside Kubernetes only when it is asked for (the page above)."""

_TIMEOUT_SECONDS = 10
"""Longer than a JVM takes to start on a quarter of a vCPU that the application uses too."""


def with_health_check(container: ContainerOptions, kind: ImageKind, port: int) -> ContainerOptions:
    """`container` with the health check of its kind of image, unless it has one of its own.

    `buildpack`: the program of Paketo's health checker, since an image of `bootBuildImage` has neither a
    shell nor curl. `dockerfile`: the class in images/spring-boot.Dockerfile. `other`: none.
    Source: https://github.com/paketo-buildpacks/health-checker, https://github.com/dmikusa/tiny-health-checker
    """
    if container.health_check is not None or kind == "other":
        return container
    environment = HEALTH_PROBES
    if kind == "buildpack":
        environment = {**HEALTH_PROBES, "THC_PATH": LIVENESS_PATH, "THC_PORT": str(port)}
        command = ["CMD", "/workspace/health-check"]
    else:
        flags = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx16m"]
        command = ["CMD", "java", *flags, "-cp", "/health-check", "HealthCheck", str(port), LIVENESS_PATH]
    return replace(
        container,
        environment={**environment, **container.environment},
        health_check=ContainerHealthCheck(command=command, timeout_seconds=_TIMEOUT_SECONDS),
    )
