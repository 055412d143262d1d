"""A web API of another application, with a cluster and a VPC of its own."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from components.cluster import Cluster, ClusterArgs
from components.network import Network, NetworkArgs, NewVpc
from components.options import Alarms
from components.web_api_service import WebApiService, WebApiServiceArgs
from components.web_options import AccessLogs, Autoscaling, Https, LoadBalancing

config = pulumi.Config()
tags = {"Project": "catalogue"}
network = Network("catalogue", NetworkArgs(vpc=NewVpc(cidr_block="10.40.0.0/16"), tags=tags))
cluster = Cluster("catalogue", ClusterArgs(cluster_name="catalogue", tags=tags))
topic = aws.sns.Topic("catalogue-alarms", tags=tags)

api = WebApiService(
    "catalogue-api",
    WebApiServiceArgs(
        cluster_arn=cluster.cluster_arn,
        service_name="catalogue-api",
        family="catalogue-api",
        image=config.require("image"),
        port=8080,
        log_group_name="/aws/ecs/catalogue-api",
        placement=network.placement,
        autoscaling=Autoscaling(minimum_count=2, maximum_count=6),
        load_balancing=LoadBalancing(
            name="catalogue",
            target_group_name="catalogue-api",
            public_subnet_ids=network.public_subnet_ids,
            https=Https(certificate_arn=config.require("certificateArn")),
            access_logs=AccessLogs(force_destroy=True),
        ),
        alarms=Alarms(topic_arns=[topic.arn]),
        tags=tags,
    ),
)

pulumi.export("url", pulumi.Output.format("https://{0}", api.load_balancer_dns_name))
