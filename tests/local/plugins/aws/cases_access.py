"""Lives of roles and keys, of clusters, and of where images are kept."""

from __future__ import annotations

from local.plugins.aws.documents import to_text
from tests.local.plugins.aws.case import Aws, Case, policy, trust

STRATEGY = [{"capacityProvider": "FARGATE", "weight": 1, "base": 1}]
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"


def allow(operation: str) -> str:
    statement = {"Effect": "Allow", "Action": operation, "Resource": "*"}
    return to_text({"Version": "2012-10-17", "Statement": [statement]})


def role(aws: Aws) -> dict[str, str]:
    aws("iam").create_role(RoleName="work", AssumeRolePolicyDocument=trust("ecs-tasks"))
    return {"role": "work"}


def insights(value: str) -> list[dict[str, str]]:
    return [{"name": "containerInsights", "value": value}]


CASES = [
    Case(
        "kms/key:Key",
        {"description": "logs", "enableKeyRotation": True},
        {"description": "all logs", "isEnabled": False, "policy": policy("a"), "tags": {"Name": "logs"}},
        lambda aws, life: aws("kms").enable_key(KeyId=life.id),
        ["isEnabled"],
        unknowable=("deletionWindowInDays",),
    ),
    Case(
        "kms/alias:Alias",
        {"name": "alias/logs"},
        needs=lambda aws: {"targetKeyId": aws("kms").create_key()["KeyMetadata"]["Arn"]},
        tamper=lambda aws, life: aws("kms").update_alias(
            AliasName=life.id, TargetKeyId=aws("kms").create_key()["KeyMetadata"]["KeyId"]
        ),
        tampered=["targetKeyId"],
        replaced_by={"name": "alias/other"},
        unknowable=("targetKeyId",),
    ),
    Case(
        "iam/role:Role",
        {"assumeRolePolicy": trust("ecs-tasks"), "permissionsBoundary": READ_ONLY, "tags": {"team": "a"}},
        {
            "assumeRolePolicy": trust("ec2"),
            "description": "what tasks may do",
            "maxSessionDuration": 7200,
            "permissionsBoundary": None,
            "tags": {"team": "b"},
        },
        lambda aws, life: aws("iam").update_assume_role_policy(
            RoleName=life.id, PolicyDocument=trust("lambda")
        ),
        ["assumeRolePolicy"],
        {"name": "other", "path": "/tasks/"},
    ),
    Case(
        "iam/rolePolicy:RolePolicy",
        {"policy": allow("s3:GetObject")},
        {"policy": allow("s3:PutObject")},
        lambda aws, life: aws("iam").put_role_policy(
            RoleName="work", PolicyName=life.outputs["name"], PolicyDocument=allow("s3:*")
        ),
        ["policy"],
        {"name": "other"},
        needs=role,
    ),
    Case(
        "iam/rolePolicyAttachment:RolePolicyAttachment",
        {"policyArn": READ_ONLY},
        replaced_by={"policyArn": f"{READ_ONLY}2"},
        imported_by=lambda _life: f"work/{READ_ONLY}",
        needs=role,
    ),
    Case(
        "ecs/cluster:Cluster",
        {"settings": insights("enabled"), "tags": {"team": "a"}},
        {
            "configuration": {"executeCommandConfiguration": {"logging": "DEFAULT"}},
            "settings": insights("enhanced"),
            "tags": {"team": "b"},
        },
        lambda aws, life: aws("ecs").update_cluster_settings(cluster=life.id, settings=insights("disabled")),
        ["settings"],
        {"name": "other"},
        imported_by=lambda life: str(life.outputs["name"]),
    ),
    Case(
        "ecs/clusterCapacityProviders:ClusterCapacityProviders",
        {"capacityProviders": ["FARGATE_SPOT", "FARGATE"], "defaultCapacityProviderStrategies": STRATEGY},
        {"defaultCapacityProviderStrategies": [{"capacityProvider": "FARGATE_SPOT", "weight": 2}]},
        lambda aws, _life: aws("ecs").put_cluster_capacity_providers(
            cluster="shop", capacityProviders=["FARGATE"], defaultCapacityProviderStrategy=[]
        ),
        ["capacityProviders", "defaultCapacityProviderStrategies"],
        {"clusterName": "other"},
        needs=lambda aws: {
            "clusterName": aws("ecs").create_cluster(clusterName="shop")["cluster"]["clusterName"]
        },
        stays=True,
    ),
    Case(
        "ecr/repository:Repository",
        {
            "name": "shop/web",
            "imageTagMutability": "IMMUTABLE_WITH_EXCLUSION",
            "imageTagMutabilityExclusionFilters": [{"filter": "*latest", "filterType": "WILDCARD"}],
            "imageScanningConfiguration": {"scanOnPush": True},
            "tags": {"team": "a"},
        },
        {
            "imageTagMutability": "IMMUTABLE",
            "imageTagMutabilityExclusionFilters": None,
            "imageScanningConfiguration": None,
            "tags": {"team": "b"},
        },
        lambda aws, _life: aws("ecr").put_image_tag_mutability(
            repositoryName="shop/web", imageTagMutability="MUTABLE"
        ),
        ["imageTagMutability"],
        {"encryptionConfigurations": [{"encryptionType": "KMS"}]},
    ),
]
