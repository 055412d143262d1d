"""A getting-started page's web service: Fargate, behind a load balancer that is open to the world."""

# rejected: ecs-container-logging on app
# rejected: ecs-deployment-rolls-back on app
# rejected: ecs-image-by-digest on app
# rejected: ecs-no-public-ip on app
# rejected: ecs-non-root-user on app
# rejected: ecs-read-only-root-filesystem on app
# rejected: ecs-service-role on app
# rejected: elbv2-access-logs on app
# rejected: elbv2-deletion-protection on app
# rejected: elbv2-drops-invalid-headers on app
# rejected: elbv2-redirects-to-https on web
# rejected: elbv2-target-health-check on app
# rejected: iam-trust-source-account on task
# rejected: security-group-descriptions on web

import json

import pulumi
import pulumi_aws as aws

cluster = aws.ecs.Cluster("cluster")
group = aws.ec2.SecurityGroup(
    "web",
    vpc_id="vpc-1",
    ingress=[{"protocol": "tcp", "from_port": 80, "to_port": 80, "cidr_blocks": ["0.0.0.0/0"]}],
    egress=[{"protocol": "-1", "from_port": 0, "to_port": 0, "cidr_blocks": ["0.0.0.0/0"]}],
)
balancer = aws.lb.LoadBalancer("app", security_groups=[group.id], subnets=["subnet-1", "subnet-2"])
target = aws.lb.TargetGroup("app", port=80, protocol="HTTP", target_type="ip", vpc_id="vpc-1")
listener = aws.lb.Listener(
    "web",
    load_balancer_arn=balancer.arn,
    port=80,
    default_actions=[{"type": "forward", "target_group_arn": target.arn}],
)
role = aws.iam.Role(
    "task",
    assume_role_policy=json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "ecs-tasks.amazonaws.com"},
                    "Action": "sts:AssumeRole",
                }
            ],
        }
    ),
)
aws.iam.RolePolicyAttachment(
    "task",
    role=role.name,
    policy_arn="arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy",
)
definition = aws.ecs.TaskDefinition(
    "app",
    family="fargate-task-definition",
    cpu="256",
    memory="512",
    network_mode="awsvpc",
    requires_compatibilities=["FARGATE"],
    execution_role_arn=role.arn,
    container_definitions=json.dumps(
        [{"name": "my-app", "image": "nginx", "portMappings": [{"containerPort": 80, "protocol": "tcp"}]}]
    ),
)
aws.ecs.Service(
    "app",
    cluster=cluster.arn,
    desired_count=3,
    launch_type="FARGATE",
    task_definition=definition.arn,
    network_configuration={
        "assign_public_ip": True,
        "subnets": ["subnet-1", "subnet-2"],
        "security_groups": [group.id],
    },
    load_balancers=[{"target_group_arn": target.arn, "container_name": "my-app", "container_port": 80}],
    opts=pulumi.ResourceOptions(depends_on=[listener]),
)
