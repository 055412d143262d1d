"""The names of the deployment guide, and how another environment's names differ.

Owns every name that people type. Doesn't own names that AWS or Pulumi generate: roles and security
groups are found by tag, never typed.

The environment `prod` has the guide's names to the letter. Any other environment carries its own
name wherever two environments in one account and region would meet: the log groups and the
repository do; the services don't, because each environment has its own cluster.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

PROJECT = "fileflow"
PRODUCTION = "prod"
GUARD_TAG_PREFIX = "lease-guard-"
"""What the tags of the guard's images begin with, in the repository of the services' images."""
GUARD_FOLDER = "/lease"
GUARD = f"{GUARD_FOLDER}/guard"
"""Where the guard lies in a scheduler's container."""
LEASE_KEY = "LeaseKey"
"""The partition key of a table of leases, which the guard knows by this name."""


def session_log_group(cluster_name: str) -> str:
    """The log group of ECS Exec's sessions in a cluster."""
    return f"/aws/ecs/{cluster_name}/exec"


def flow_log_group(vpc_name: str) -> str:
    """The log group of a VPC's flow logs."""
    return f"/aws/vpc/{vpc_name}/flow-logs"


@dataclass(frozen=True, kw_only=True)
class ServiceNames:
    """The names of one service.

    `image_tag_prefix` begins its tags in the repository, `source_image` is what the Gradle image
    task leaves in the Docker engine, and `gradle_module` is the module that it builds.
    """

    service: str
    family: str
    container: str
    log_group: str
    image_tag_prefix: str
    latest_tag: str
    source_image: str
    gradle_module: str


@dataclass(frozen=True, kw_only=True)
class Names:
    """The names of one environment (the guide's sections "배포 구조" and "ECR 이미지 태그 전략")."""

    environment: str

    @property
    def base(self) -> str:
        """Also the cluster's name."""
        return f"{PROJECT}-{self.environment}"

    @property
    def load_balancer(self) -> str:
        return shorten(f"{self.base}-alb", 32)

    @property
    def target_group(self) -> str:
        return shorten(f"{self.base}-web-api", 32)

    @property
    def repository(self) -> str:
        return PROJECT if self.environment == PRODUCTION else self.base

    @property
    def alarm_topic(self) -> str:
        return f"{self.base}-alarms"

    @property
    def log_groups(self) -> tuple[str, ...]:
        """Every log group of the environment; `*` stands for the name of any scheduler, former ones too."""
        return (
            self.web_api.log_group,
            self.scheduler("*").log_group,
            session_log_group(self.base),
            flow_log_group(self.base),
            self.web_acl_log_group,
        )

    @property
    def web_acl_log_group(self) -> str:
        """WAF logs to groups of this beginning alone.

        Source: https://docs.aws.amazon.com/waf/latest/developerguide/logging-cw-logs.html
        """
        return f"aws-waf-logs-{self.base}"

    @property
    def lease_table(self) -> str:
        return f"{self.base}-leases"

    @property
    def web_api(self) -> ServiceNames:
        return ServiceNames(
            service=f"{PROJECT}-web-api",
            family=f"{PROJECT}-web-api-{self.environment}",
            container=PROJECT,
            log_group=f"/aws/ecs/{self._folder}{PROJECT}",
            image_tag_prefix="web-api-",
            latest_tag="latest",
            source_image=f"{PROJECT}-web-api:latest",
            gradle_module=":bootstrap:bootstrap-web-api",
        )

    @property
    def scheduler_prefix(self) -> str:
        """What the services of all schedulers begin with."""
        return f"{PROJECT}-scheduler-"

    def scheduler(self, name: str) -> ServiceNames:
        """The names of the scheduler `name`, for example `download`."""
        service = self.scheduler_prefix + name
        return ServiceNames(
            service=service,
            family=f"{service}-{self.environment}",
            container=service,
            log_group=f"/aws/ecs/{self._folder}{service}",
            image_tag_prefix=f"{name}-scheduler-",
            latest_tag=f"{name}-scheduler-latest",
            source_image=f"{service}:latest",
            gradle_module=f":bootstrap:bootstrap-scheduler-{name}",
        )

    @property
    def _folder(self) -> str:
        """A folder of its own: as an ending, `dev` would meet production's scheduler `download-dev`."""
        return "" if self.environment == PRODUCTION else f"{self.environment}/"


def shorten(name: str, limit: int) -> str:
    """`name` cut to `limit` characters; a digest of the whole keeps two long names apart."""
    if len(name) <= limit:
        return name
    return f"{name[: limit - 7].rstrip('-')}-{digest(name)[:6]}"


def digest(text: str) -> str:
    """Eight characters that stand for `text` in a name."""
    return hashlib.sha256(text.encode()).hexdigest()[:8]
