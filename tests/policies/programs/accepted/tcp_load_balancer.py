"""A network load balancer for a worker that speaks TCP."""

import pulumi_aws as aws

from tests.policies.programs import fleet

balancer = aws.lb.LoadBalancer(
    "balancer",
    load_balancer_type="network",
    internal=True,
    subnets=fleet.SUBNETS,
    enable_deletion_protection=True,
    access_logs={"bucket": "logs-of-the-account", "enabled": True},
)
targets = fleet.target_group("targets", port=7000, protocol="TCP", health_check={"protocol": "TCP"})
aws.lb.Listener(
    "tcp",
    load_balancer_arn=balancer.arn,
    port=7000,
    protocol="TCP",
    default_actions=[{"type": "forward", "target_group_arn": targets.arn}],
)
fleet.service(
    "ingest",
    port=7000,
    load_balancers=[{"target_group_arn": targets.arn, "container_name": "ingest", "container_port": 7000}],
)
