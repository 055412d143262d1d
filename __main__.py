"""FileFlow on ECS: reads the settings, puts the components together, exports the guide's outputs."""

from __future__ import annotations

import pulumi

from components.cluster import Cluster, ClusterArgs
from components.image_repository import ImageRepository, ImageRepositoryArgs
from components.names import Names
from components.network import Network, NetworkArgs
from components.scheduler_service import SchedulerService
from components.service_image import ServiceImage
from components.web_api_service import WebApiService
from composition import image_args, scheduler_args, web_api_args
from settings import read_settings

settings = read_settings()
names = Names(environment=settings.environment)
tags = settings.all_tags
services = [names.web_api, *(names.scheduler(each.name) for each in settings.schedulers)]

network = Network(names.base, NetworkArgs(vpc=settings.network.value(), tags=tags))
cluster = Cluster(
    names.base,
    ClusterArgs(
        cluster_name=names.base,
        container_insights=settings.container_insights,
        logging=settings.logging.value(),
        tags=tags,
    ),
)
repository = ImageRepository(
    names.repository,
    ImageRepositoryArgs(
        repository_name=names.repository,
        tag_prefixes=[service.image_tag_prefix for service in services],
        kept_versions=settings.repository.kept_versions,
        force_delete=settings.repository.force_delete,
        tags=tags,
    ),
)

web_image = ServiceImage(
    names.web_api.service, image_args(settings, settings.web_api, names.web_api, repository)
)
web_api = WebApiService(
    names.web_api.service,
    web_api_args(settings, names, network, cluster.cluster_arn, web_image.reference),
)
pulumi.export("ecs_service_name", web_api.service_name)
pulumi.export("alb_dns_name", web_api.load_balancer_dns_name)
pulumi.export("cloudwatch_log_group_name", web_api.log_group_name)

for scheduler in settings.schedulers:
    scheduler_names = names.scheduler(scheduler.name)
    image = ServiceImage(
        scheduler_names.service, image_args(settings, scheduler, scheduler_names, repository)
    )
    service = SchedulerService(
        scheduler_names.service,
        scheduler_args(settings, scheduler, scheduler_names, network, cluster.cluster_arn, image.reference),
    )
    pulumi.export(f"{scheduler.name}_scheduler_service_name", service.service_name)
    pulumi.export(f"{scheduler.name}_scheduler_log_group_name", service.log_group_name)
