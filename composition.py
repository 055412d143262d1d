"""Turns settings into the arguments of components, and services into the stack's outputs.

Pure: the only place that knows both the words of the configuration and those of the components.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pulumi

from components.alarm_topic import AlarmTopicArgs
from components.cluster import ClusterArgs
from components.encryption_key import EncryptionKeyArgs
from components.image_kind import with_health_check
from components.image_repository import ImageRepository, ImageRepositoryArgs
from components.lease import Lease
from components.lease_table import LeaseTableArgs
from components.local_images import DOCKER_ARCHITECTURES
from components.names import GUARD_TAG_PREFIX, Names, ServiceNames
from components.network import NetworkArgs
from components.options import Alarms, Logging, Placement
from components.scheduler_service import SchedulerService, SchedulerServiceArgs
from components.service_image import Build, ImageSource, LocalImage, RegistryTag, ServiceImageArgs
from components.web_api_service import WebApiService, WebApiServiceArgs
from components.web_options import LoadBalancing
from settings import ImageSettings, LoadBalancerSettings, SchedulerSettings, ServiceSettings, Settings


@dataclass(frozen=True, kw_only=True)
class Platform:
    """What all services of an environment stand on."""

    settings: Settings
    placement: Placement
    public_subnet_ids: pulumi.Input[Sequence[pulumi.Input[str]]]
    cluster_arn: pulumi.Input[str]
    topic_arn: pulumi.Input[str]
    session_key_arn: pulumi.Input[str] | None
    key_arn: pulumi.Input[str] | None = None
    """The key of logs; None where the settings name none for all."""
    guard_images: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    """The guard's image for each architecture of a scheduler that has a lease."""

    @property
    def alarms(self) -> Alarms:
        """The environment's own topic is told first, then those that the settings name."""
        return Alarms(topic_arns=[self.topic_arn, *self.settings.alarms.topic_arns])


def encryption_key_args(settings: Settings, names: Names) -> EncryptionKeyArgs:
    """The key of the stack's own."""
    return EncryptionKeyArgs(
        name=names.base,
        topic_name=names.alarm_topic,
        log_group_names=names.log_groups,
        retain_on_delete=settings.encryption.retain_on_delete,
        kept_log_group_name=names.web_api.log_group if settings.logging.retain_on_delete else None,
        tags=settings.all_tags,
    )


def network_args(settings: Settings, key_arn: pulumi.Input[str] | None) -> NetworkArgs:
    """The network, and how its flow logs are kept."""
    return NetworkArgs(
        vpc=settings.network.value(),
        logging=logging(settings, key_arn),
        tags=settings.all_tags,
    )


def logging(settings: Settings, key_arn: pulumi.Input[str] | None) -> Logging:
    """How logs are kept: under their own key where the settings name one, else under the stack's."""
    own = settings.logging.value()
    return own if own.kms_key_arn is not None else replace(own, kms_key_arn=key_arn)


def cluster_args(settings: Settings, names: Names, key_arn: pulumi.Input[str] | None = None) -> ClusterArgs:
    """The cluster of the environment."""
    return ClusterArgs(
        cluster_name=names.base,
        container_insights=settings.container_insights,
        execute_command=any(each.execute_command for each in (settings.web_api, *settings.schedulers)),
        retain_session_key_on_delete=settings.encryption.retain_on_delete,
        logging=logging(settings, key_arn),
        tags=settings.all_tags,
    )


def repository_args(
    settings: Settings, names: Names, key_arn: pulumi.Input[str] | None = None
) -> ImageRepositoryArgs:
    """The repository that the images of all services share."""
    encryption = settings.encryption
    services = [names.web_api, *(names.scheduler(each.name) for each in settings.schedulers)]
    return ImageRepositoryArgs(
        repository_name=names.repository,
        tag_prefixes=[
            *(service.image_tag_prefix for service in services),
            *(guard_tag_prefix(architecture) for architecture in guard_architectures(settings)),
        ],
        kept_versions=settings.repository.kept_versions,
        force_delete=settings.repository.force_delete,
        # ECR never changes a repository's key, and no task starts from images whose key has gone.
        kms_key_arn=key_arn if not encryption.create or encryption.retain_on_delete else None,
        tags=settings.all_tags,
    )


def topic_args(
    settings: Settings,
    names: Names,
    cluster_arn: pulumi.Input[str],
    key_arn: pulumi.Input[str] | None = None,
) -> AlarmTopicArgs:
    """Who hears of alarms."""
    return AlarmTopicArgs(
        topic_name=names.alarm_topic,
        kms_key_arn=key_arn,
        cluster_arn=cluster_arn,
        emails=settings.alarms.emails,
        https_endpoints=settings.alarms.https_endpoints,
        tags=settings.all_tags,
    )


def image_args(
    settings: Settings, service: ServiceSettings, names: ServiceNames, repository: ImageRepository
) -> ServiceImageArgs:
    """The image of one service: its own version where it has one, else the stack's."""
    version = service.version or settings.version
    return ServiceImageArgs(
        repository=repository,
        source=image_source(settings.images, names, version),
        tag=names.image_tag_prefix + version,
        latest_tag=names.latest_tag,
        platform=f"linux/{DOCKER_ARCHITECTURES[service.size.cpu_architecture]}",
    )


def image_source(images: ImageSettings, names: ServiceNames, version: str) -> ImageSource:
    """Where an image comes from; a build is told which Gradle module and which version it is for."""
    if images.source == "build" and images.context and images.dockerfile:
        return Build(
            context=images.context,
            dockerfile=images.dockerfile,
            target=images.target,
            build_args={**images.build_args, "MODULE": names.gradle_module, "VERSION": version},
        )
    if images.source == "local":
        return LocalImage(name=names.source_image)
    return RegistryTag()


def guard_architectures(settings: Settings) -> list[str]:
    """What the guard is needed for: the architectures of the schedulers that have a lease."""
    return sorted({each.size.cpu_architecture for each in settings.schedulers if each.lease is not None})


def guard_tag_prefix(architecture: str) -> str:
    """What the tags of the guard's image for an architecture begin with."""
    return f"{GUARD_TAG_PREFIX}{DOCKER_ARCHITECTURES[architecture]}-"


def guard_image_args(settings: Settings, repository: ImageRepository, architecture: str) -> ServiceImageArgs:
    """The guard's image, from where the schedulers' images come too."""
    docker_architecture = DOCKER_ARCHITECTURES[architecture]
    source: ImageSource = RegistryTag()
    if settings.images.source == "build":
        source = Build(
            context=settings.leases.context or "guard",
            dockerfile=settings.leases.dockerfile or "guard/Dockerfile",
        )
    elif settings.images.source == "local":
        source = LocalImage(name=f"fileflow-lease-guard:{docker_architecture}")
    return ServiceImageArgs(
        repository=repository,
        source=source,
        tag=guard_tag_prefix(architecture) + settings.version,
        latest_tag=f"{guard_tag_prefix(architecture)}latest",
        platform=f"linux/{docker_architecture}",
    )


def lease_table_args(settings: Settings, names: Names) -> LeaseTableArgs:
    """The stack's own table of leases."""
    return LeaseTableArgs(
        table_name=names.lease_table,
        deletion_protection=settings.leases.deletion_protection,
        point_in_time_recovery=settings.leases.point_in_time_recovery,
        tags=settings.all_tags,
    )


def scheduler_lease(platform: Platform, scheduler: SchedulerSettings) -> Lease | None:
    """The lease of a scheduler, where it has one."""
    if scheduler.lease is None:
        return None
    return Lease(
        table_name=platform.settings.lease_table_of(scheduler.lease),
        key=scheduler.lease_key,
        guard_image=platform.guard_images[scheduler.size.cpu_architecture],
        entry_point=platform.settings.lease_entry_point_of(scheduler.lease),
        duration_seconds=scheduler.lease.duration_seconds,
    )


def load_balancing(
    balancer: LoadBalancerSettings,
    names: Names,
    public_subnet_ids: pulumi.Input[Sequence[pulumi.Input[str]]],
    logs: Logging,
) -> LoadBalancing:
    """The load balancer of the web API."""
    return balancer.value(
        name=names.load_balancer,
        target_group_name=names.target_group,
        public_subnet_ids=public_subnet_ids,
        web_acl_log_group_name=names.web_acl_log_group,
        logging=logs,
    )


def web_api_args(platform: Platform, names: Names, image: pulumi.Input[str]) -> WebApiServiceArgs:
    """The web API's arguments."""
    settings = platform.settings
    web = settings.web_api
    logs = logging(settings, platform.key_arn)
    return WebApiServiceArgs(
        cluster_arn=platform.cluster_arn,
        service_name=names.web_api.service,
        family=names.web_api.family,
        container_name=names.web_api.container,
        image=image,
        port=web.port,
        placement=platform.placement,
        size=web.size,
        container=web.container(),
        sidecars=[each.value() for each in web.sidecars],
        access=web.access(platform.session_key_arn),
        log_group_name=names.web_api.log_group,
        logging=logs,
        autoscaling=web.autoscaling,
        capacity=web.capacity,
        stop_timeout_seconds=web.stop_timeout_seconds,
        grace_period_seconds=web.grace_period_seconds,
        load_balancing=load_balancing(web.load_balancer, names, platform.public_subnet_ids, logs),
        alarms=platform.alarms,
        tags=settings.all_tags,
    )


def scheduler_services(settings: Settings, names: Names) -> dict[str, str | None]:
    """The service of each scheduler, with the one that it was renamed from."""
    return {
        names.scheduler(each.name).service: (
            None if each.renamed_from is None else names.scheduler(each.renamed_from).service
        )
        for each in settings.schedulers
    }


def scheduler_options(names: Names, scheduler: SchedulerSettings) -> pulumi.ResourceOptions:
    """A renamed scheduler is known to the engine by its old name too, so that it's replaced, not doubled."""
    if scheduler.renamed_from is None:
        return pulumi.ResourceOptions()
    old = names.scheduler(scheduler.renamed_from).service
    return pulumi.ResourceOptions(aliases=[pulumi.Alias(name=old)])


def scheduler_args(
    platform: Platform, scheduler: SchedulerSettings, names: ServiceNames, image: pulumi.Input[str]
) -> SchedulerServiceArgs:
    """A scheduler's arguments."""
    settings = platform.settings
    return SchedulerServiceArgs(
        cluster_arn=platform.cluster_arn,
        service_name=names.service,
        family=names.family,
        container_name=names.container,
        image=image,
        port=scheduler.port,
        placement=platform.placement,
        size=scheduler.size,
        container=with_health_check(scheduler.container(), settings.images.built(), scheduler.port),
        sidecars=[each.value() for each in scheduler.sidecars],
        access=scheduler.access(platform.session_key_arn),
        stop_timeout_seconds=scheduler.stop_timeout_seconds,
        spot_opt_in=scheduler.spot_opt_in,
        lease=scheduler_lease(platform, scheduler),
        paused=scheduler.paused,
        log_group_name=names.log_group,
        logging=logging(settings, platform.key_arn),
        alarms=platform.alarms,
        tags=settings.all_tags,
    )


def service_outputs(
    names: Names, web_api: WebApiService, schedulers: Mapping[str, SchedulerService]
) -> dict[str, pulumi.Input[object]]:
    """The guide's outputs, and by each service's name what other programs let in or give rights to."""
    services: dict[str, WebApiService | SchedulerService] = {names.web_api.service: web_api}
    outputs: dict[str, pulumi.Input[object]] = {
        "ecs_service_name": web_api.service_name,
        "alb_dns_name": web_api.load_balancer_dns_name,
        "cloudwatch_log_group_name": web_api.log_group_name,
    }
    for name, scheduler in schedulers.items():
        outputs[f"{name}_scheduler_service_name"] = scheduler.service_name
        outputs[f"{name}_scheduler_log_group_name"] = scheduler.log_group_name
        services[names.scheduler(name).service] = scheduler
    return outputs | {
        "security_group_ids": {name: each.security_group_id for name, each in services.items()},
        "task_role_arns": {name: each.task_role_arn for name, each in services.items()},
        "execution_role_arns": {name: each.execution_role_arn for name, each in services.items()},
    }
