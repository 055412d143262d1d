"""What an auditor's checks find, each wrong once, in a program that AWS takes: the pack is what refuses it.

`WRONG` names for each check the resource that it is wrong on. `by_hand` does what no
resource of the program does. Doesn't own the checks (tools/audit/checks.yaml).
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import pulumi
import pulumi_aws as aws

WRONG: Final[Mapping[str, str]] = {
    "cloudwatch_alarm_actions_alarm_state_configured": "MetricAlarm tells-nobody",
    "cloudwatch_alarm_actions_enabled": "MetricAlarm silenced",
    "cloudwatch_log_group_kms_encryption_enabled": "LogGroup logs",
    "cloudwatch_log_group_no_secrets_in_logs": "LogGroup logs",
    "cloudwatch_log_group_not_publicly_accessible": "LogGroup logs",
    "cloudwatch_log_group_retention_policy_specific_days_enabled": "LogGroup logs",
    "ec2_elastic_ip_unassigned": "Eip spare",
    "ec2_securitygroup_allow_ingress_from_internet_to_all_ports": "SecurityGroup all-ports",
    "ec2_securitygroup_allow_ingress_from_internet_to_any_port": "SecurityGroup ports",
    "ec2_securitygroup_allow_ingress_from_internet_to_high_risk_tcp_ports": "SecurityGroup ports",
    "ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_22": "SecurityGroup ports",
    "ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_3389": "SecurityGroup ports",
    "ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_cassandra_7199_9160_8888": (
        "SecurityGroup ports"
    ),
    "ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_elasticsearch_kibana_9200_9300_5601": (
        "SecurityGroup ports"
    ),
    "ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_ftp_20_21": "SecurityGroup ports",
    "ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_kafka_9092": "SecurityGroup ports",
    "ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_memcached_11211": "SecurityGroup ports",
    "ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_mongodb_27017_27018": "SecurityGroup ports",
    "ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_mysql_3306": "SecurityGroup ports",
    "ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_oracle_1521_2483": "SecurityGroup ports",
    "ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_postgres_5432": "SecurityGroup ports",
    "ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_redis_6379": "SecurityGroup ports",
    "ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_sql_server_1433_1434": "SecurityGroup ports",
    "ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_telnet_23": "SecurityGroup ports",
    "ec2_securitygroup_allow_wide_open_public_ipv4": "SecurityGroup wide",
    "ec2_securitygroup_default_restrict_traffic": "DefaultSecurityGroup default",
    "ec2_securitygroup_from_launch_wizard": "SecurityGroup wizard",
    "ec2_securitygroup_not_used": "SecurityGroup wizard",
    "ec2_securitygroup_with_many_ingress_egress_rules": "SecurityGroup wide",
    "ecr_repositories_lifecycle_policy_enabled": "Repository images",
    "ecr_repositories_not_publicly_accessible": "Repository images",
    "ecs_cluster_container_insights_enabled": "Cluster cluster",
    "ecs_service_no_assign_public_ip": "Service worker",
    "ecs_task_definitions_containers_readonly_access": "TaskDefinition host",
    "ecs_task_definitions_host_namespace_not_shared": "TaskDefinition host",
    "ecs_task_definitions_host_networking_mode_users": "TaskDefinition host",
    "ecs_task_definitions_logging_block_mode": "TaskDefinition blocking",
    "ecs_task_definitions_logging_enabled": "TaskDefinition host",
    "ecs_task_definitions_no_environment_secrets": "TaskDefinition host",
    "ecs_task_definitions_no_privileged_containers": "TaskDefinition blocking",
    "elbv2_deletion_protection": "LoadBalancer web",
    "elbv2_desync_mitigation_mode": "LoadBalancer web",
    "elbv2_insecure_ssl_ciphers": "LoadBalancer web",
    "elbv2_internet_facing": "LoadBalancer web",
    "elbv2_is_in_multiple_az": "LoadBalancer one-zone",
    "elbv2_listener_pqc_tls_enabled": "LoadBalancer web",
    "elbv2_listeners_underneath": "LoadBalancer bare",
    "elbv2_logging_enabled": "LoadBalancer web",
    "elbv2_ssl_listeners": "LoadBalancer web",
    "elbv2_waf_acl_attached": "LoadBalancer web",
    "fileflow_security_group_no_open_port": "SecurityGroup ports",
    "fileflow_topic_key_lets_alarms_in": "Topic alarms",
    "iam_inline_policy_allows_privilege_escalation": "Role anybodys",
    "iam_inline_policy_no_administrative_privileges": "Role anybodys",
    "iam_inline_policy_no_full_access_to_cloudtrail": "Role anybodys",
    "iam_inline_policy_no_full_access_to_kms": "Role anybodys",
    "iam_inline_policy_no_wildcard_marketplace_subscribe": "Role anybodys",
    "iam_role_cross_service_confused_deputy_prevention": "Role anybodys",
    "kms_cmk_are_used": "Key disabled",
    "kms_cmk_not_deleted_unintentionally": "Key going",
    "kms_cmk_rotation_enabled": "Key public",
    "kms_key_not_publicly_accessible": "Key public",
    "s3_bucket_acl_prohibited": "Bucket bucket",
    "networkfirewall_in_all_vpc": "Vpc network",
    "s3_bucket_cross_account_access": "Bucket bucket",
    "s3_bucket_cross_region_replication": "Bucket bucket",
    "s3_bucket_event_notifications_enabled": "Bucket bucket",
    "s3_bucket_kms_encryption": "Bucket bucket",
    "s3_bucket_level_public_access_block": "Bucket bucket",
    "s3_bucket_lifecycle_enabled": "Bucket bucket",
    "s3_bucket_no_mfa_delete": "Bucket bucket",
    "s3_bucket_object_lock": "Bucket bucket",
    "s3_bucket_object_versioning": "Bucket bucket",
    "s3_bucket_policy_public_write_access": "Bucket bucket",
    "s3_bucket_public_access": "Bucket bucket",
    "s3_bucket_public_list_acl": "Bucket bucket",
    "s3_bucket_public_write_acl": "Bucket bucket",
    "s3_bucket_secure_transport_policy": "Bucket bucket",
    "s3_bucket_server_access_logging_enabled": "Bucket bucket",
    "sns_topics_kms_encryption_at_rest_enabled": "Topic open",
    "sns_topics_not_publicly_accessible": "Topic open",
    "vpc_endpoint_for_ec2_enabled": "Vpc network",
    "vpc_flow_logs_enabled": "Vpc network",
    "vpc_subnet_different_az": "Vpc network",
    "vpc_subnet_no_public_ip_by_default": "Subnet public",
    "vpc_subnet_separate_private_public": "Vpc network",
    "wafv2_webacl_logging_enabled": "WebAcl empty",
    "wafv2_webacl_managed_rule_groups_enabled": "WebAcl unmeasured",
    "wafv2_webacl_rule_logging_enabled": "WebAcl unmeasured",
    "wafv2_webacl_with_rules": "WebAcl empty",
}
"""The type without its module and the logical name, as the audit shows a resource."""
PACK_NAMES: Final = {
    "elbv2_insecure_ssl_ciphers": "https",
    "elbv2_ssl_listeners": "http",
    "iam_inline_policy_allows_privilege_escalation": "escalates",
    "iam_inline_policy_no_administrative_privileges": "everything",
    "iam_inline_policy_no_full_access_to_cloudtrail": "services",
    "iam_inline_policy_no_full_access_to_kms": "services",
    "iam_inline_policy_no_wildcard_marketplace_subscribe": "services",
}
"""Where the pack names a part of what Prowler names."""
NOT_POSSIBLE: Final = {
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/default-bucket-encryption.html
    "s3_bucket_default_encryption": "S3 encrypts every bucket since 2023",
}
"""Checks that nothing fails, by AWS itself."""
NOT_DEPLOYED: Final = {
    # https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html
    "elbv2_is_in_multiple_az": "AWS makes no application load balancer in one zone",
    "cloudwatch_log_group_no_secrets_in_logs": "the scanner knows real credentials by their shape",
    "ecs_task_definitions_no_environment_secrets": "the scanner knows real credentials by their shape",
}
"""Wrongs that Prowler isn't asked about where the program is deployed."""

PORTS: Final = (20, 22, 23, 445, 1433, 1521, 3306, 3389, 5432, 6379, 7199, 9091, 9092, 9200, 11211, 27017)
ZONES: Final = ("ap-northeast-2a", "ap-northeast-2c")
EVERYWHERE: Final = "0.0.0.0/0"


def document(*statements: Mapping[str, Any]) -> str:
    """A policy's text."""
    return json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **each} for each in statements]}
    )


def rule(first: int, last: int, *ranges: str, protocol: str = "tcp") -> Any:
    """A security group's rule."""
    return aws.ec2.SecurityGroupIngressArgs(
        protocol=protocol, from_port=first, to_port=last, cidr_blocks=list(ranges)
    )


def program(*, deployed: bool = False) -> None:
    """Registers all of it, or what AWS takes where it is to be `deployed`.

    `IMAGE` and `CERTIFICATE` in the environment name an image and a certificate that are there.
    """
    logs_and_alarms()
    roles()
    keys_and_bucket()
    web_acls()
    network = aws.ec2.Vpc("network", cidr_block="10.60.0.0/16")
    aws.ec2.DefaultSecurityGroup(
        "default",
        vpc_id=network.id,
        ingress=[
            aws.ec2.DefaultSecurityGroupIngressArgs(
                protocol="-1", from_port=0, to_port=0, cidr_blocks=[EVERYWHERE]
            )
        ],
    )
    public = aws.ec2.Subnet(
        "public",
        vpc_id=network.id,
        cidr_block="10.60.0.0/24",
        availability_zone=ZONES[0],
        map_public_ip_on_launch=True,
    )
    aws.ec2.Eip("spare", domain="vpc")
    service([public.id], groups(network.id))
    load_balancer()
    if not deployed:
        aws.lb.LoadBalancer("one-zone", subnets=[public.id])


def by_hand(client_of: Callable[[str], Any], ids: Mapping[str, str]) -> None:
    """Opens the bucket by its list, deletes a key that is in use, and has the network in use.

    `ids` are those of the resources, by their types and names. Prowler looks at networks in use alone.
    """
    client_of("s3").put_bucket_acl(Bucket=ids["aws:s3/bucket:Bucket::bucket"], ACL="public-read-write")
    client_of("kms").schedule_key_deletion(KeyId=ids["aws:kms/key:Key::going"], PendingWindowInDays=7)
    groups = [ids[f"aws:ec2/securityGroup:SecurityGroup::{name}"] for name in ("ports", "all-ports", "wide")]
    for each in (groups, [ids["aws:ec2/defaultSecurityGroup:DefaultSecurityGroup::default"]]):
        client_of("ec2").create_network_interface(SubnetId=ids["aws:ec2/subnet:Subnet::public"], Groups=each)


def groups(vpc_id: Any) -> Sequence[Any]:
    """Security groups that are in use, and one that isn't."""
    aws.ec2.SecurityGroup(
        "wizard", name="launch-wizard-1", description="launch-wizard-1 created by hand", vpc_id=vpc_id
    )
    made = {
        "ports": [rule(each, each, EVERYWHERE) for each in PORTS],
        "all-ports": [rule(0, 0, EVERYWHERE, protocol="-1")],
        "wide": [
            rule(9091, 9091, "8.0.0.0/8"),
            *(rule(each, each, "10.0.0.0/8") for each in range(8000, 8055)),
        ],
    }
    return [
        aws.ec2.SecurityGroup(name, description=name, vpc_id=vpc_id, ingress=rules).id
        for name, rules in made.items()
    ]


def service(subnets: Sequence[Any], groups: Sequence[Any]) -> None:
    """Services in a cluster that counts nothing, one with a public address, and tasks that may do all."""
    cluster = aws.ecs.Cluster("cluster", settings=[{"name": "containerInsights", "value": "disabled"}])
    image = os.environ.get("IMAGE", "646886795421.dkr.ecr.ap-northeast-2.amazonaws.com/trial:1")
    aws.ecs.TaskDefinition(
        "host",
        family="host",
        network_mode="host",
        pid_mode="host",
        container_definitions=json.dumps(
            [
                {
                    "name": "main",
                    "image": image,
                    "memory": 128,
                    "environment": [{"name": "DB_PASSWORD", "value": "hunter2-of-the-tests"}],
                }
            ]
        ),
    )
    aws.ecs.TaskDefinition(
        "blocking",
        family="blocking",
        container_definitions=json.dumps(
            [
                {
                    "name": "main",
                    "image": image,
                    "memory": 128,
                    "privileged": True,
                    "logConfiguration": {
                        "logDriver": "awslogs",
                        "options": {
                            "awslogs-group": "logs",
                            "awslogs-region": "ap-northeast-2",
                            "awslogs-stream-prefix": "main",
                        },
                    },
                }
            ]
        ),
    )
    fargate = aws.ecs.TaskDefinition(
        "task",
        family="task",
        network_mode="awsvpc",
        requires_compatibilities=["FARGATE"],
        cpu="256",
        memory="512",
        execution_role_arn=aws.iam.Role(
            "execution",
            assume_role_policy=document(
                {"Action": "sts:AssumeRole", "Principal": {"Service": "ecs-tasks.amazonaws.com"}}
            ),
        ).arn,
        container_definitions=json.dumps([{"name": "main", "image": image}]),
    )
    # Only where a scheduler rests on Container Insights the pack insists on them.
    for name, role in (("worker", "worker"), ("scheduler", "scheduler")):
        aws.ecs.Service(
            name,
            cluster=cluster.arn,
            task_definition=fargate.arn,
            desired_count=1,
            launch_type="FARGATE",
            network_configuration=aws.ecs.ServiceNetworkConfigurationArgs(
                subnets=list(subnets), security_groups=list(groups), assign_public_ip=role == "worker"
            ),
            tags={"fileflow:role": role},
        )
    images = aws.ecr.Repository("images")
    aws.ecr.RepositoryPolicy(
        "images", repository=images.name, policy=document({"Action": "ecr:*", "Principal": "*", "Sid": "all"})
    )


def load_balancer() -> None:
    """A load balancer on the Internet that lets everything through, and notes nothing."""
    vpc = aws.ec2.Vpc("web", cidr_block="10.61.0.0/16")
    gateway = aws.ec2.InternetGateway("web", vpc_id=vpc.id)
    subnets = [
        aws.ec2.Subnet(f"web-{zone}", vpc_id=vpc.id, cidr_block=f"10.61.{index}.0/24", availability_zone=zone)
        for index, zone in enumerate(ZONES)
    ]
    table = aws.ec2.RouteTable("web", vpc_id=vpc.id)
    aws.ec2.Route("web", route_table_id=table.id, destination_cidr_block=EVERYWHERE, gateway_id=gateway.id)
    for zone, subnet in zip(ZONES, subnets, strict=True):
        aws.ec2.RouteTableAssociation(f"web-{zone}", route_table_id=table.id, subnet_id=subnet.id)
    group = aws.ec2.SecurityGroup(
        "web",
        description="web",
        vpc_id=vpc.id,
        ingress=[rule(0, 0, EVERYWHERE, protocol="-1")],
    )
    balancer = aws.lb.LoadBalancer(
        "web",
        subnets=[each.id for each in subnets],
        security_groups=[group.id],
        desync_mitigation_mode="monitor",
        enable_deletion_protection=False,
    )
    aws.lb.LoadBalancer("bare", subnets=[each.id for each in subnets], security_groups=[group.id])
    answer = aws.lb.ListenerDefaultActionArgs(
        type="fixed-response",
        fixed_response=aws.lb.ListenerDefaultActionFixedResponseArgs(
            content_type="text/plain", status_code="200"
        ),
    )
    aws.lb.Listener(
        "http", load_balancer_arn=balancer.arn, port=80, protocol="HTTP", default_actions=[answer]
    )
    aws.lb.Listener(
        "https",
        load_balancer_arn=balancer.arn,
        port=443,
        protocol="HTTPS",
        ssl_policy="ELBSecurityPolicy-2016-08",
        certificate_arn=os.environ.get(
            "CERTIFICATE", "arn:aws:acm:ap-northeast-2:646886795421:certificate/1"
        ),
        default_actions=[answer],
    )


def logs_and_alarms() -> None:
    """Logs that nobody keeps, and alarms that nobody hears."""
    logs = aws.cloudwatch.LogGroup("logs", name="logs", retention_in_days=7)
    aws.cloudwatch.LogResourcePolicy(
        "logs",
        policy_name="logs",
        policy_document=logs.arn.apply(
            lambda arn: document({"Action": "logs:*", "Principal": "*", "Resource": f"{arn}:*"})
        ),
    )
    topic = aws.sns.Topic("alarms", kms_master_key_id="alias/aws/sns")
    anybodys = aws.sns.Topic("open")
    aws.sns.TopicPolicy(
        "open",
        arn=anybodys.arn,
        policy=anybodys.arn.apply(
            lambda arn: document({"Action": "sns:Publish", "Principal": "*", "Resource": arn})
        ),
    )
    for name, actions, enabled in (("tells-nobody", [], True), ("silenced", [topic.arn], False)):
        aws.cloudwatch.MetricAlarm(
            name,
            comparison_operator="GreaterThanThreshold",
            evaluation_periods=1,
            metric_name="CPUUtilization",
            namespace="AWS/ECS",
            period=60,
            statistic="Average",
            threshold=80,
            alarm_actions=actions,
            actions_enabled=enabled,
        )


def roles() -> None:
    """Roles that may do too much, and that anybody's service may take."""
    role = aws.iam.Role(
        "anybodys",
        assume_role_policy=document(
            {"Action": "sts:AssumeRole", "Principal": {"Service": "ecs-tasks.amazonaws.com"}}
        ),
    )
    statements: Mapping[str, Mapping[str, Any]] = {
        "escalates": {"Action": ["iam:PassRole", "ec2:RunInstances"], "Resource": "*"},
        "everything": {"Action": "*", "Resource": "*"},
        "services": {"Action": ["cloudtrail:*", "kms:*", "aws-marketplace:*"], "Resource": "*"},
    }
    for name, statement in statements.items():
        aws.iam.RolePolicy(name, role=role.name, policy=document(statement))


def keys_and_bucket() -> None:
    """Keys of everybody, and a bucket of everybody."""
    aws.kms.Key("disabled", is_enabled=False)
    aws.kms.Key("going", enable_key_rotation=True)
    aws.kms.Key("public", policy=document({"Action": "kms:*", "Principal": "*", "Resource": "*"}))
    bucket = aws.s3.Bucket("bucket")
    aws.s3.BucketOwnershipControls(
        "bucket",
        bucket=bucket.id,
        rule=aws.s3.BucketOwnershipControlsRuleArgs(object_ownership="ObjectWriter"),
    )
    opened = aws.s3.BucketPublicAccessBlock(
        "bucket",
        bucket=bucket.id,
        block_public_acls=False,
        block_public_policy=False,
        ignore_public_acls=False,
        restrict_public_buckets=False,
    )
    aws.s3.BucketPolicy(
        "bucket",
        bucket=bucket.id,
        policy=bucket.arn.apply(
            lambda arn: document({"Action": "s3:*", "Principal": "*", "Resource": [arn, f"{arn}/*"]})
        ),
        opts=pulumi.ResourceOptions(depends_on=[opened]),
    )


def web_acls() -> None:
    """One without rules, and one whose rule nobody can see at work."""
    seen = aws.wafv2.WebAclVisibilityConfigArgs(
        cloudwatch_metrics_enabled=False, metric_name="acl", sampled_requests_enabled=False
    )
    allow = aws.wafv2.WebAclDefaultActionArgs(allow=aws.wafv2.WebAclDefaultActionAllowArgs())
    aws.wafv2.WebAcl("empty", scope="REGIONAL", default_action=allow, visibility_config=seen)
    aws.wafv2.WebAcl(
        "unmeasured",
        scope="REGIONAL",
        default_action=allow,
        visibility_config=seen,
        rules=[
            aws.wafv2.WebAclRuleArgs(
                name="rate",
                priority=0,
                action=aws.wafv2.WebAclRuleActionArgs(count=aws.wafv2.WebAclRuleActionCountArgs()),
                statement=aws.wafv2.WebAclRuleStatementArgs(
                    rate_based_statement=aws.wafv2.WebAclRuleStatementRateBasedStatementArgs(
                        aggregate_key_type="IP", limit=2000
                    )
                ),
                visibility_config=aws.wafv2.WebAclRuleVisibilityConfigArgs(
                    cloudwatch_metrics_enabled=False, metric_name="rate", sampled_requests_enabled=False
                ),
            )
        ],
    )
