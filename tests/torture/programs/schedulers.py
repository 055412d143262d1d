"""FileFlow's schedulers with their leases, as the program makes them, in a network of two resources.

A whole run takes seconds: no web API, load balancer, gateways. Settings, components and composition are the
program's own.
"""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from components.alarm_topic import AlarmTopic
from components.cluster import Cluster
from components.image_repository import ImageRepository
from components.names import Names
from components.options import Placement
from components.scheduler_service import SchedulerService
from components.service_image import ServiceImage
from composition import (
    Platform,
    cluster_args,
    image_args,
    repository_args,
    scheduler_args,
    scheduler_options,
    topic_args,
)
from leases import create_leases
from settings import read_settings

CIDR_BLOCK = "10.90.0.0/16"

settings = read_settings()
names = Names(environment=settings.environment)

vpc = aws.ec2.Vpc("vpc", cidr_block=CIDR_BLOCK, tags=settings.all_tags)
subnet = aws.ec2.Subnet("private", vpc_id=vpc.id, cidr_block="10.90.1.0/24", tags=settings.all_tags)
cluster = Cluster(names.base, cluster_args(settings, names))
repository = ImageRepository(names.repository, repository_args(settings, names))
topic = AlarmTopic(f"{names.base}-alarms", topic_args(settings, names, cluster.cluster_arn))
platform = Platform(
    settings=settings,
    placement=Placement(vpc_id=vpc.id, cidr_block=CIDR_BLOCK, private_subnet_ids=[subnet.id]),
    public_subnet_ids=[subnet.id],
    cluster_arn=cluster.cluster_arn,
    topic_arn=topic.topic_arn,
    session_key_arn=cluster.session_key_arn,
    guard_images=create_leases(settings, names, repository),
)
for scheduler in settings.schedulers:
    its = names.scheduler(scheduler.name)
    image = ServiceImage(its.service, image_args(settings, scheduler, its, repository))
    service = SchedulerService(
        its.service,
        scheduler_args(platform, scheduler, its, image.reference),
        scheduler_options(names, scheduler),
    )
    pulumi.export(f"{scheduler.name}_service_name", service.service_name)
