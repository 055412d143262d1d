"""A web API behind a load balancer, with what a load balancer needs."""

import pulumi_aws as aws

from tests.policies.programs import fleet

security_group = aws.ec2.SecurityGroup(
    "balancer-group",
    description="Load balancer",
    vpc_id="vpc-1",
    ingress=[
        {
            "description": "HTTPS",
            "protocol": "tcp",
            "from_port": 443,
            "to_port": 443,
            "cidr_blocks": ["0.0.0.0/0"],
        }
    ],
)
balancer = aws.lb.LoadBalancer(
    "balancer",
    subnets=fleet.SUBNETS,
    security_groups=[security_group.id],
    drop_invalid_header_fields=True,
    enable_deletion_protection=True,
    access_logs={"bucket": "logs-of-the-account", "enabled": True},
)
targets = fleet.target_group("targets")
aws.lb.Listener(
    "http",
    load_balancer_arn=balancer.arn,
    port=80,
    protocol="HTTP",
    default_actions=[
        {"type": "redirect", "redirect": {"protocol": "HTTPS", "port": "443", "status_code": "HTTP_301"}}
    ],
)
aws.lb.Listener(
    "https",
    load_balancer_arn=balancer.arn,
    port=443,
    protocol="HTTPS",
    ssl_policy="ELBSecurityPolicy-TLS13-1-2-2021-06",
    certificate_arn="arn:aws:acm:r:1:certificate/1",
    default_actions=[{"type": "forward", "target_group_arn": targets.arn}],
)
fleet.service(
    "fileflow-web-api",
    port=8083,
    role="web-api",
    load_balancers=[
        {"target_group_arn": targets.arn, "container_name": "fileflow-web-api", "container_port": 8083}
    ],
)
