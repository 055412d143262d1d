"""FileFlow on ECS: reads the settings, puts the components together, exports the guide's outputs."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from components.alarm_topic import AlarmTopic
from components.cluster import Cluster
from components.dashboard import create_dashboard
from components.former_schedulers import checked_cluster
from components.image_repository import ImageRepository
from components.names import Names
from components.network import Network
from components.scheduler_service import SchedulerService
from components.service_image import ServiceImage
from components.stack_protection import MadeResources, StackProtection
from components.web_api_service import WebApiService
from composition import (
    Platform,
    cluster_args,
    image_args,
    network_args,
    repository_args,
    scheduler_args,
    scheduler_options,
    scheduler_services,
    service_outputs,
    topic_args,
    web_api_args,
)
from encryption import encryption_key_arn
from leases import create_leases
from settings import read_settings

made, settings = MadeResources(), read_settings()
names = Names(environment=settings.environment)
key_arn = encryption_key_arn(settings, names)
network = Network(names.base, network_args(settings, key_arn))
cluster = Cluster(names.base, cluster_args(settings, names, key_arn))
repository = ImageRepository(names.repository, repository_args(settings, names, key_arn))
topic = AlarmTopic(names.alarm_topic, topic_args(settings, names, cluster.cluster_arn, key_arn))
platform = Platform(
    settings=settings,
    placement=network.placement,
    public_subnet_ids=network.public_subnet_ids,
    cluster_arn=checked_cluster(cluster, names.scheduler_prefix, scheduler_services(settings, names)),
    topic_arn=topic.topic_arn,
    session_key_arn=cluster.session_key_arn,
    key_arn=key_arn,
    guard_images=create_leases(settings, names, repository),
)
web = names.web_api
web_image = ServiceImage(web.service, image_args(settings, settings.web_api, web, repository))
web_api = WebApiService(web.service, web_api_args(platform, names, web_image.reference))
schedulers: dict[str, SchedulerService] = {}
for scheduler in settings.schedulers:
    its = names.scheduler(scheduler.name)
    image = ServiceImage(its.service, image_args(settings, scheduler, its, repository))
    schedulers[scheduler.name] = SchedulerService(
        its.service,
        scheduler_args(platform, scheduler, its, image.reference),
        scheduler_options(names, scheduler),
    )
for key, output in service_outputs(names, web_api, schedulers).items():
    pulumi.export(key, output)
region = aws.get_region_output().region
create_dashboard(
    names.base,
    region=region,
    cluster_name=cluster.cluster_name,
    services=[web.service, *(names.scheduler(name).service for name in schedulers)],
    load_balancer_arn_suffix=web_api.load_balancer_arn_suffix,
    target_group_arn_suffix=web_api.target_group_arn_suffix,
)
StackProtection(names.base, made, protect=settings.is_protected)
