"""The six cases of every baseline rule."""

from __future__ import annotations

import json
from typing import Any

from tests.policies.compliant_stack import ACCOUNT
from tests.policies.harness import secret, unknown
from tests.policies.rule_cases import (
    SCHEDULER,
    WEB,
    WORKER,
    WORKER_TASK,
    Case,
    Change,
    add,
    allow,
    both,
    cases,
    conceal,
    conceal_containers,
    depend,
    document,
    drop,
    hide,
    hide_containers,
    in_container,
    nothing,
    put,
    remove,
)

POLICY = "aws:iam/policy:Policy"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
ROLE = "aws:iam/role:Role"
ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
SECURITY_GROUP = "aws:ec2/securityGroup:SecurityGroup"
DEFAULT_GROUP = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"


def container_cases(
    rule: str, member: str, *, good: Any, bad: Any, omitted_breaks: bool, secret_value: Any = None
) -> list[Case]:
    """The six cases of a rule on one member of a container."""
    readable = ("ecs-task-definition-readable", WORKER_TASK, "advisory")
    return cases(
        rule,
        WORKER_TASK,
        compliant=in_container(WORKER_TASK, **{member: good}),
        violating=in_container(WORKER_TASK, **{member: bad}),
        omitted=in_container(WORKER_TASK, **{member: None}),
        unknown=hide_containers(WORKER_TASK),
        secret=conceal_containers(WORKER_TASK, **{member: bad if secret_value is None else secret_value}),
        not_applicable=put("logs", "containerDefinitions", json.dumps([{member: bad}])),
        clean=["unknown"] if omitted_breaks else ["unknown", "omitted"],
        also={"unknown": [readable]},
    )


ECS_CASES: list[Case] = [
    *cases(
        "ecs-no-public-ip",
        WORKER,
        violating=put(WORKER, "networkConfiguration.assignPublicIp", True),
        omitted=drop(WORKER, "networkConfiguration.assignPublicIp"),
        unknown=hide(WORKER, "networkConfiguration"),
        secret=conceal(WORKER, "networkConfiguration", {"assignPublicIp": "true"}),
        not_applicable=put("cluster", "networkConfiguration", {"assignPublicIp": True}),
        clean=["omitted"],
    ),
    *cases(
        "ecs-deployment-rolls-back",
        WEB,
        compliant=both(
            put(WEB, "deploymentConfiguration", {"strategy": "BLUE_GREEN"}),
            drop(WEB, "deploymentCircuitBreaker"),
        ),
        violating=put(WEB, "deploymentCircuitBreaker.rollback", False),
        omitted=drop(WEB, "deploymentCircuitBreaker"),
        unknown=hide(WEB, "deploymentCircuitBreaker.enable"),
        secret=conceal(WEB, "deploymentCircuitBreaker", {"enable": False, "rollback": True}),
        not_applicable=put("cluster", "deploymentCircuitBreaker", {"enable": False}),
    ),
    *cases(
        "ecs-platform-version",
        WORKER,
        violating=put(WORKER, "platformVersion", "1.3.0"),
        omitted=nothing,
        unknown=hide(WORKER, "platformVersion"),
        secret=conceal(WORKER, "platformVersion", "1.3.0"),
        not_applicable=put("cluster", "platformVersion", "1.3.0"),
        clean=["omitted"],
    ),
    *cases(
        "ecs-tags",
        WORKER_TASK,
        compliant=put(WORKER_TASK, "tags", {"owner": "files"}),
        violating=put(WORKER_TASK, "tags", {}),
        omitted=drop(WORKER_TASK, "tags"),
        unknown=hide(WORKER_TASK, "tags"),
        secret=conceal(WORKER_TASK, "tags", {"aws:createdBy": "x"}),
        not_applicable=put("logs", "tags", {}),
        clean=["unknown"],
        advice=["violating", "omitted", "secret"],
    ),
    *cases(
        "ecs-container-insights",
        "cluster",
        compliant=put("cluster", "settings.0.value", "enhanced"),
        violating=put("cluster", "settings.0.value", "disabled"),
        omitted=drop("cluster", "settings"),
        unknown=hide("cluster", "settings"),
        secret=conceal("cluster", "settings.0.value", "disabled"),
        not_applicable=put("repository", "settings", []),
    ),
    *cases(
        "ecs-exec-logging",
        "cluster",
        compliant=drop("cluster", "configuration"),
        violating=put("cluster", "configuration.executeCommandConfiguration.logging", "NONE"),
        omitted=drop("cluster", "configuration.executeCommandConfiguration.logConfiguration"),
        unknown=hide("cluster", "configuration"),
        secret=conceal("cluster", "configuration.executeCommandConfiguration.logging", "NONE"),
        not_applicable=put(
            "repository", "configuration", {"executeCommandConfiguration": {"logging": "NONE"}}
        ),
    ),
    *cases(
        "ecs-task-network-mode",
        WORKER_TASK,
        violating=put(WORKER_TASK, "networkMode", "host"),
        omitted=drop(WORKER_TASK, "networkMode"),
        unknown=hide(WORKER_TASK, "networkMode"),
        secret=conceal(WORKER_TASK, "networkMode", "bridge"),
        not_applicable=put("logs", "networkMode", "host"),
    ),
    *cases(
        "ecs-no-host-namespaces",
        WORKER_TASK,
        compliant=put(WORKER_TASK, "pidMode", "task"),
        violating=put(WORKER_TASK, "pidMode", "host"),
        omitted=nothing,
        unknown=hide(WORKER_TASK, "ipcMode"),
        secret=conceal(WORKER_TASK, "ipcMode", "host"),
        not_applicable=put("logs", "pidMode", "host"),
        clean=["omitted"],
    ),
    *container_cases("ecs-no-privileged-container", "privileged", good=False, bad=True, omitted_breaks=False),
    *container_cases(
        "ecs-read-only-root-filesystem", "readonlyRootFilesystem", good=True, bad=False, omitted_breaks=True
    ),
    *container_cases(
        "ecs-no-secrets-in-environment",
        "environment",
        good=[{"name": "DB_PASSWORD_FILE", "value": "/run/x"}, {"name": "API_KEY", "value": ""}],
        bad=[{"name": "Db_Password", "value": "x"}],
        omitted_breaks=False,
    ),
    *container_cases(
        "ecs-container-logging",
        "logConfiguration",
        good={"logDriver": "awsfirelens"},
        bad={"logDriver": "none"},
        omitted_breaks=True,
        secret_value={"options": {}},
    ),
    *container_cases(
        "ecs-non-root-user", "user", good=1000, bad="0:1000", omitted_breaks=True, secret_value=0
    ),
    *cases(
        "ecs-task-memory-limit",
        WORKER_TASK,
        compliant=both(drop(WORKER_TASK, "memory"), in_container(WORKER_TASK, memory=512)),
        violating=put(WORKER_TASK, "memory", ""),
        omitted=drop(WORKER_TASK, "memory"),
        unknown=hide(WORKER_TASK, "memory"),
        secret=conceal(WORKER_TASK, "memory", " "),
        not_applicable=put("logs", "memory", ""),
    ),
    *cases(
        "ecs-separate-roles",
        WORKER_TASK,
        compliant=both(
            put(WORKER_TASK, "taskRoleArn", "arn:a"), put(WORKER_TASK, "executionRoleArn", "arn:b")
        ),
        violating=both(
            put(WORKER_TASK, "taskRoleArn", "arn:a"), put(WORKER_TASK, "executionRoleArn", "arn:a")
        ),
        omitted=both(drop(WORKER_TASK, "taskRoleArn"), drop(WORKER_TASK, "executionRoleArn")),
        unknown=both(hide(WORKER_TASK, "taskRoleArn"), hide(WORKER_TASK, "executionRoleArn")),
        secret=both(
            conceal(WORKER_TASK, "taskRoleArn", "arn:a"), conceal(WORKER_TASK, "executionRoleArn", "arn:a")
        ),
        not_applicable=both(put("logs", "taskRoleArn", "arn:a"), put("logs", "executionRoleArn", "arn:a")),
        # Two ARNs that nobody knows yet are judged at the update.
        clean=["omitted", "unknown"],
    ),
    *container_cases(
        "ecs-image-by-digest",
        "image",
        good=f"public.ecr.aws/x/y:1@sha256:{'0' * 64}",
        bad="public.ecr.aws/x/y:latest",
        omitted_breaks=True,
    ),
    *container_cases(
        "ecs-no-added-capabilities",
        "linuxParameters",
        good={"capabilities": {"add": [], "drop": ["ALL"]}},
        bad={"capabilities": {"add": ["SYS_ADMIN"]}},
        omitted_breaks=False,
    ),
    *cases(
        "ecs-no-host-volumes",
        WORKER_TASK,
        violating=put(WORKER_TASK, "volumes", [{"name": "docker", "hostPath": "/var/run/docker.sock"}]),
        omitted=drop(WORKER_TASK, "volumes"),
        unknown=put(WORKER_TASK, "volumes", [{"name": "docker", "hostPath": unknown()}]),
        secret=conceal(WORKER_TASK, "volumes", [{"name": "docker", "hostPath": "/"}]),
        not_applicable=put("logs", "volumes", [{"name": "docker", "hostPath": "/"}]),
        clean=["omitted"],
    ),
    *cases(
        "ecs-efs-in-transit",
        WORKER_TASK,
        compliant=put(
            WORKER_TASK,
            "volumes",
            [{"name": "f", "efsVolumeConfiguration": {"transitEncryption": "ENABLED"}}],
        ),
        violating=put(
            WORKER_TASK,
            "volumes",
            [{"name": "f", "efsVolumeConfiguration": {"transitEncryption": "DISABLED"}}],
        ),
        omitted=put(
            WORKER_TASK, "volumes", [{"name": "f", "efsVolumeConfiguration": {"fileSystemId": "fs-1"}}]
        ),
        unknown=put(WORKER_TASK, "volumes", [{"name": "f", "efsVolumeConfiguration": unknown()}]),
        secret=conceal(
            WORKER_TASK, "volumes", [{"name": "f", "efsVolumeConfiguration": {"rootDirectory": "/"}}]
        ),
        not_applicable=put("logs", "volumes", [{"name": "f", "efsVolumeConfiguration": {}}]),
    ),
]

ECR_CASES: list[Case] = [
    *cases(
        "ecr-scan-on-push",
        "repository",
        violating=put("repository", "imageScanningConfiguration.scanOnPush", False),
        omitted=drop("repository", "imageScanningConfiguration"),
        unknown=hide("repository", "imageScanningConfiguration"),
        secret=conceal("repository", "imageScanningConfiguration.scanOnPush", False),
        not_applicable=put("logs", "imageScanningConfiguration", {"scanOnPush": False}),
    ),
    *cases(
        "ecr-immutable-tags",
        "repository",
        compliant=put("repository", "imageTagMutability", "IMMUTABLE"),
        violating=put("repository", "imageTagMutability", "MUTABLE"),
        omitted=drop("repository", "imageTagMutability"),
        unknown=hide("repository", "imageTagMutabilityExclusionFilters"),
        secret=conceal("repository", "imageTagMutabilityExclusionFilters", [{"filter": "*"}]),
        not_applicable=put("logs", "imageTagMutability", "MUTABLE"),
    ),
    *cases(
        "ecr-no-force-delete",
        "repository",
        compliant=put("repository", "forceDelete", False),
        violating=put("repository", "forceDelete", True),
        omitted=nothing,
        unknown=hide("repository", "forceDelete"),
        secret=conceal("repository", "forceDelete", True),
        not_applicable=put("logs", "forceDelete", True),
        clean=["omitted"],
    ),
    *cases(
        "ecr-no-public-policy",
        "pull",
        violating=put("pull", "policy", document(allow("ecr:BatchGetImage", Principal="*"))),
        omitted=put("pull", "policy", json.dumps({"Version": "2012-10-17"})),
        unknown=hide("pull", "policy"),
        secret=conceal("pull", "policy", document(allow("ecr:*", Principal={"AWS": ["*"]}))),
        not_applicable=put("logs", "policy", document(allow("ecr:*", Principal="*"))),
        clean=["unknown"],
    ),
    *cases(
        "ecr-lifecycle-policy",
        "repository",
        compliant=both(put("lifecycle", "repository", "fileflow"), depend("lifecycle", "repository")),
        violating=both(put("lifecycle", "repository", "another"), depend("lifecycle", "repository")),
        omitted=remove("lifecycle"),
        unknown=both(hide("lifecycle", "repository"), depend("lifecycle", "repository")),
        secret=both(conceal("lifecycle", "repository", "another"), depend("lifecycle", "repository")),
        not_applicable=remove("pull"),
        advice=[],
    ),
]

ELB_CASES: list[Case] = [
    *cases(
        "elbv2-redirects-to-https",
        "http",
        violating=put("http", "defaultActions", [{"type": "forward", "targetGroupArn": "arn"}]),
        omitted=drop("http", "defaultActions"),
        unknown=hide("http", "defaultActions"),
        secret=conceal("http", "defaultActions.0.redirect.protocol", "HTTP"),
        not_applicable=put("https", "defaultActions", []),
    ),
    *cases(
        "elbv2-tls-policy",
        "https",
        compliant=put("https", "sslPolicy", "ELBSecurityPolicy-TLS13-1-3-2021-06"),
        violating=put("https", "sslPolicy", "ELBSecurityPolicy-2016-08"),
        omitted=drop("https", "sslPolicy"),
        unknown=hide("https", "sslPolicy"),
        secret=conceal("https", "sslPolicy", "ELBSecurityPolicy-2016-08"),
        not_applicable=put("http", "sslPolicy", "ELBSecurityPolicy-2016-08"),
    ),
    *cases(
        "elbv2-drops-invalid-headers",
        "balancer",
        violating=put("balancer", "dropInvalidHeaderFields", False),
        omitted=drop("balancer", "dropInvalidHeaderFields"),
        unknown=hide("balancer", "dropInvalidHeaderFields"),
        secret=conceal("balancer", "dropInvalidHeaderFields", False),
        not_applicable=both(
            put("balancer", "loadBalancerType", "network"), drop("balancer", "dropInvalidHeaderFields")
        ),
    ),
    *cases(
        "elbv2-deletion-protection",
        "balancer",
        violating=put("balancer", "enableDeletionProtection", False),
        omitted=drop("balancer", "enableDeletionProtection"),
        unknown=hide("balancer", "enableDeletionProtection"),
        secret=conceal("balancer", "enableDeletionProtection", False),
        not_applicable=put("targets", "enableDeletionProtection", False),
    ),
    *cases(
        "elbv2-desync-mitigation",
        "balancer",
        compliant=put("balancer", "desyncMitigationMode", "strictest"),
        violating=put("balancer", "desyncMitigationMode", "monitor"),
        omitted=drop("balancer", "desyncMitigationMode"),
        unknown=hide("balancer", "desyncMitigationMode"),
        secret=conceal("balancer", "desyncMitigationMode", "monitor"),
        not_applicable=put("targets", "desyncMitigationMode", "monitor"),
        clean=["omitted"],
    ),
    *cases(
        "elbv2-two-zones",
        "balancer",
        compliant=both(
            drop("balancer", "subnets"),
            put("balancer", "subnetMappings", [{"subnetId": unknown()}, {"subnetId": unknown()}]),
        ),
        violating=put("balancer", "subnets", ["subnet-1"]),
        omitted=drop("balancer", "subnets"),
        unknown=hide("balancer", "subnets"),
        secret=conceal("balancer", "subnets", ["subnet-1"]),
        not_applicable=put("targets", "subnets", ["subnet-1"]),
        # A list of subnets that another stack gives is known, and judged, at the update.
        clean=["unknown"],
    ),
    *cases(
        "elbv2-target-health-check",
        "targets",
        violating=put("targets", "healthCheck.enabled", False),
        omitted=drop("targets", "healthCheck"),
        unknown=hide("targets", "healthCheck.path"),
        secret=conceal("targets", "healthCheck", {"enabled": False}),
        not_applicable=both(
            put("targets", "protocol", "TCP"), put("targets", "healthCheck", {"protocol": "TCP"})
        ),
    ),
]

CLOUDWATCH_CASES: list[Case] = [
    *cases(
        "cloudwatch-log-retention",
        "logs",
        compliant=put("logs", "retentionInDays", 7),
        violating=put("logs", "retentionInDays", 0),
        omitted=drop("logs", "retentionInDays"),
        unknown=hide("logs", "retentionInDays"),
        secret=conceal("logs", "retentionInDays", 3),
        not_applicable=put("repository", "retentionInDays", 0),
    ),
    *cases(
        "cloudwatch-alarm-actions-enabled",
        "two-running",
        compliant=put("two-running", "actionsEnabled", True),
        violating=put("two-running", "actionsEnabled", False),
        omitted=nothing,
        unknown=hide("two-running", "actionsEnabled"),
        secret=conceal("two-running", "actionsEnabled", False),
        not_applicable=put("logs", "actionsEnabled", False),
        clean=["omitted"],
        also={
            "violating": [("scheduler-heartbeat-alarms", SCHEDULER)],
            "secret": [("scheduler-heartbeat-alarms", SCHEDULER)],
        },
    ),
]


def policy(content: Any, type_: str = POLICY) -> Change:
    return add(type_, "extra", {"policy": content})


def statement_cases(
    rule: str, bad: dict[str, Any], good: dict[str, Any], missing: dict[str, Any]
) -> list[Case]:
    """The six cases of a rule on a policy's statements; `missing` lacks a member and breaks the rule."""
    return cases(
        rule,
        "extra",
        compliant=policy(document(good, {**bad, "Effect": "Deny"})),
        violating=policy(document(bad), ROLE_POLICY),
        omitted=policy(document(missing)),
        unknown=policy(unknown()),
        secret=policy(secret(document(bad))),
        not_applicable=add("aws:sqs/queuePolicy:QueuePolicy", "extra", {"policy": document(bad)}),
        # A document that isn't known yet is judged at the update, before it is made.
        clean=["unknown"],
    )


def trust_of(**statement: Any) -> str:
    return document({"Effect": "Allow", "Action": "sts:AssumeRole", **statement})


def role(trust: Any, **inputs: Any) -> Change:
    return add(ROLE, "extra", {"assumeRolePolicy": trust, **inputs})


OWN_ACCOUNT = {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
ECS_TASKS = {"Service": "ecs-tasks.amazonaws.com"}

IAM_CASES: list[Case] = [
    *cases(
        "iam-policy-readable",
        "extra",
        compliant=policy(document(allow("s3:GetObject"))),
        violating=policy("{"),
        omitted=policy("{}"),
        unknown=policy(unknown()),
        secret=policy(secret("[]")),
        not_applicable=add("aws:sqs/queuePolicy:QueuePolicy", "extra", {"policy": "{"}),
        clean=["unknown"],
    ),
    *statement_cases(
        "iam-no-admin-actions",
        bad=allow("*"),
        good=allow("s3:GetObject"),
        missing={"Effect": "Allow", "Action": ["*:*"]},
    ),
    *statement_cases(
        "iam-no-service-wildcard",
        bad=allow(["s3:GetObject", "s3:*"]),
        good=allow("s3:Get*"),
        missing={"Action": "s3:*", "Resource": "arn:aws:s3:::files"},
    ),
    *statement_cases(
        "iam-no-wildcard-resource",
        bad=allow("s3:GetObject", "*"),
        good=allow(["ecr:GetAuthorizationToken", "ec2:DescribeSubnets"], "*"),
        missing={"Action": "s3:GetObject", "Resource": ["arn:aws:s3:::files/*", "*"]},
    ),
    *statement_cases(
        "iam-pass-role-scoped",
        bad=allow("iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/task"),
        good=allow(
            "iam:PassRole",
            f"arn:aws:iam::{ACCOUNT}:role/task",
            Condition={"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
        ),
        missing={"Action": ["iam:passrole"], "Resource": f"arn:aws:iam::{ACCOUNT}:role/task"},
    ),
    *statement_cases(
        "iam-no-not-action",
        bad={"Effect": "Allow", "NotAction": "iam:*", "Resource": "arn:aws:s3:::files/*"},
        good=allow("s3:GetObject"),
        missing={"Effect": "Allow", "Action": "s3:GetObject", "NotResource": "arn:aws:s3:::secrets/*"},
    ),
    *cases(
        "iam-no-public-trust",
        "extra",
        compliant=role(
            trust_of(Principal={"AWS": "*"}, Condition={"StringEquals": {"aws:PrincipalOrgID": "o-1"}})
        ),
        violating=role(trust_of(Principal="*")),
        omitted=role(trust_of(NotPrincipal={"AWS": "arn:aws:iam::1:root"})),
        unknown=role(unknown()),
        secret=role(secret(trust_of(Principal={"AWS": ["*"]}))),
        not_applicable=add("aws:sqs/queue:Queue", "extra", {"assumeRolePolicy": trust_of(Principal="*")}),
        clean=["unknown"],
    ),
    *cases(
        "iam-trust-source-account",
        "extra",
        compliant=role(
            trust_of(Principal=ECS_TASKS, Condition={"ArnLike": {"aws:SourceArn": "arn:aws:ecs:*"}})
        ),
        violating=role(trust_of(Principal=ECS_TASKS)),
        omitted=role(trust_of(Principal=ECS_TASKS, Condition={})),
        unknown=role(unknown()),
        secret=role(secret(trust_of(Principal={"Service": ["ec2.amazonaws.com", "ecs.amazonaws.com"]}))),
        not_applicable=role(trust_of(Principal={"Service": "ec2.amazonaws.com"})),
        clean=["unknown"],
    ),
    *cases(
        "iam-no-admin-attachment",
        "extra",
        compliant=add(ATTACHMENT, "extra", {"policyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}),
        violating=add(ATTACHMENT, "extra", {"policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}),
        omitted=add(ATTACHMENT, "extra", {}),
        unknown=add(ATTACHMENT, "extra", {"policyArn": unknown()}),
        secret=role(
            trust_of(Principal=ECS_TASKS, Condition=OWN_ACCOUNT),
            managedPolicyArns=secret(["arn:aws:iam::aws:policy/AmazonECS_FullAccess"]),
        ),
        not_applicable=add(
            ATTACHMENT, "extra", {"policyArn": f"arn:aws:iam::{ACCOUNT}:policy/AdministratorAccess"}
        ),
        clean=["omitted", "unknown"],
    ),
]


def opened(cidr: Any, low: Any, high: Any, protocol: Any = "tcp") -> Change:
    return add(
        SECURITY_GROUP,
        "extra",
        {
            "description": "Case",
            "ingress": [
                {
                    "description": "Case",
                    "cidrBlocks": [cidr],
                    "fromPort": low,
                    "toPort": high,
                    "protocol": protocol,
                }
            ],
        },
    )


SECURITY_GROUP_CASES: list[Case] = [
    *cases(
        "security-group-open-ports",
        "extra",
        compliant=opened("0.0.0.0/0", 443, 443),
        violating=opened("0.0.0.0/0", 8443, 8443),
        omitted=opened("0.0.0.0/0", 443, None),
        unknown=opened("0.0.0.0/0", 443, unknown()),
        secret=opened(secret("::/0"), 8443, 8443),
        not_applicable=opened("10.1.0.0/16", 8443, 8443),
    ),
    *cases(
        "security-group-descriptions",
        "web-group",
        violating=put("web-group", "description", "Managed by Pulumi"),
        omitted=drop("web-group", "description"),
        unknown=put("web-group", "egress", [{"cidrBlocks": [unknown()]}]),
        secret=conceal("web-group", "description", ""),
        not_applicable=drop(SCHEDULER, "platformVersion"),
        advice=[],
    ),
    *cases(
        "security-group-default-closed",
        "extra",
        compliant=add(DEFAULT_GROUP, "extra", {"ingress": [], "vpcId": "vpc-1"}),
        violating=add(DEFAULT_GROUP, "extra", {"ingress": [{"self": True, "protocol": "-1"}]}),
        omitted=add(DEFAULT_GROUP, "extra", {}),
        unknown=add(DEFAULT_GROUP, "extra", {"egress": unknown()}),
        secret=add(DEFAULT_GROUP, "extra", {"egress": secret([{"cidrBlocks": ["0.0.0.0/0"]}])}),
        not_applicable=add(SECURITY_GROUP, "extra", {"description": "Case", "egress": []}),
        clean=["omitted"],
    ),
]

SECRET_CASES: list[Case] = [
    *cases(
        "secretsmanager-recovery-window",
        "secret",
        compliant=put("secret", "recoveryWindowInDays", 7),
        violating=put("secret", "recoveryWindowInDays", 0),
        omitted=drop("secret", "recoveryWindowInDays"),
        unknown=hide("secret", "recoveryWindowInDays"),
        secret=conceal("secret", "recoveryWindowInDays", 0),
        not_applicable=put("logs", "recoveryWindowInDays", 0),
        clean=["omitted"],
    ),
    *cases(
        "secretsmanager-no-public-policy",
        "secret-policy",
        violating=put("secret-policy", "policy", document(allow("secretsmanager:*", Principal="*"))),
        omitted=put("secret-policy", "policy", "{}"),
        unknown=hide("secret-policy", "policy"),
        secret=conceal(
            "secret-policy", "policy", document(allow("secretsmanager:*", Principal={"AWS": "*"}))
        ),
        not_applicable=put("logs", "policy", document(allow("*", Principal="*"))),
        clean=["unknown"],
    ),
]

LOG_AND_ALARM_CASES: list[Case] = [
    *cases(
        "elbv2-access-logs",
        "balancer",
        violating=put("balancer", "accessLogs.enabled", False),
        omitted=drop("balancer", "accessLogs"),
        unknown=hide("balancer", "accessLogs.enabled"),
        secret=conceal("balancer", "accessLogs", {"enabled": False}),
        not_applicable=put("targets", "accessLogs", {"enabled": False}),
    ),
    *cases(
        "cloudwatch-alarm-action",
        "two-running",
        violating=put("two-running", "alarmActions", []),
        omitted=drop("two-running", "alarmActions"),
        unknown=hide("two-running", "alarmActions"),
        secret=conceal("two-running", "alarmActions", []),
        not_applicable=put("logs", "alarmActions", []),
        # A topic's ARN may be unknown; that there is one is enough.
        clean=["unknown"],
        also={
            kind: [("scheduler-heartbeat-alarms", SCHEDULER)] for kind in ("violating", "omitted", "secret")
        },
    ),
]

CASES = [
    *ECS_CASES,
    *ECR_CASES,
    *ELB_CASES,
    *CLOUDWATCH_CASES,
    *IAM_CASES,
    *SECURITY_GROUP_CASES,
    *SECRET_CASES,
    *LOG_AND_ALARM_CASES,
]
