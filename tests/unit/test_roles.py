"""Roles grant what a task needs, and not one action or resource more."""

from __future__ import annotations

from typing import Any

import pytest

from components.options import ContainerOptions, Sidecar, TaskAccess
from components.roles import repository_arns, secret_resources
from tests.unit import type_tokens as t
from tests.unit.builders import CLUSTER_ARN, IMAGE, KEY_ARN, SECRET_ARN
from tests.unit.parts import record_roles, record_task
from tests.unit.providers import ACCOUNT, DIGEST, FOUND_SECRET_ARN, REGION
from tests.unit.recorder import Recorder, Recording

PARAMETER_ARN = f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/fileflow/redis"
LOG_STREAMS = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/ecs/app:*"
PULL = [
    {"Action": "ecr:GetAuthorizationToken", "Effect": "Allow", "Resource": "*"},
    {
        "Action": ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
        "Effect": "Allow",
        "Resource": [f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/fileflow"],
    },
    {
        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "Effect": "Allow",
        "Resource": LOG_STREAMS,
    },
]


@pytest.fixture(scope="module")
def roles() -> Recording:
    """A run that has the roles of a task that nothing is changed of."""
    return record_roles()


@pytest.fixture(scope="module")
def executing() -> Recording:
    """A run that has the roles of a task that a person may open a session in."""
    return record_roles(access=TaskAccess(execute_command=True))


def statements(recording: Recording, role: str) -> list[Any]:
    """The inline statements of the role `execution` or `role` (the application's)."""
    policy = recording.only(t.ROLE_POLICY, f"app-{role}").json("policy")
    assert policy["Version"] == "2012-10-17"
    found: list[Any] = policy["Statement"]
    return found


def test_by_default_ecs_may_pull_one_image_and_write_one_log_and_the_application_nothing(
    roles: Recording,
) -> None:
    assert statements(roles, "execution") == PULL
    assert roles.names(t.ROLE_POLICY) == ["app-execution"]
    assert roles.of_type(t.ATTACHMENT) == []


def test_each_policy_is_on_the_role_that_it_is_for(executing: Recording) -> None:
    for name in ("app-execution", "app-role"):
        policy = executing.only(t.ROLE_POLICY, name)
        assert policy.inputs["role"] == f"{name}-0a1b2c3"
        assert policy.parent == executing.only(t.ROLE, name).urn


def test_only_ecs_tasks_of_this_account_take_the_roles(roles: Recording) -> None:
    for role in roles.of_type(t.ROLE):
        assert role.json("assumeRolePolicy") == {
            "Statement": [
                {
                    "Action": "sts:AssumeRole",
                    "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
                    "Effect": "Allow",
                    "Principal": {"Service": "ecs-tasks.amazonaws.com"},
                }
            ],
            "Version": "2012-10-17",
        }


def test_the_two_roles_are_two_and_their_names_are_aws_to_choose(scheduler: Recording) -> None:
    definition = scheduler.only(t.TASK_DEFINITION).inputs

    assert definition["executionRoleArn"] != definition["taskRoleArn"]
    assert [each for each in scheduler.of_type(t.ROLE) if "name" in each.inputs] == []


def test_ecs_may_read_exactly_the_named_secrets_without_their_json_keys() -> None:
    options = ContainerOptions(
        secrets={
            "DB_PASSWORD": f"{SECRET_ARN}:password::",
            "REDIS_URL": PARAMETER_ARN,
        }
    )
    recording = record_roles(container=options)

    assert statements(recording, "execution") == [
        *PULL,
        {
            "Action": ["secretsmanager:GetSecretValue", "ssm:GetParameters"],
            "Effect": "Allow",
            "Resource": [SECRET_ARN, PARAMETER_ARN],
        },
    ]


def test_a_secret_that_is_named_is_looked_up_and_a_parameters_arn_is_known() -> None:
    container = ContainerOptions(
        secrets={
            "DB_PASSWORD": "secretsmanager:fileflow/database:password::",
            "DB_URL": "secretsmanager:fileflow/database",
            "REDIS": "ssm:/fileflow/redis",
        }
    )
    agents = ContainerOptions(secrets={"KEY": "secretsmanager:agent"})
    sidecar = Sidecar(name="agent", image=IMAGE, container=agents)
    recording = record_task(container=container, sidecars=[sidecar], preview=True)

    definition, agent = recording.only(t.TASK_DEFINITION).json("containerDefinitions")
    assert definition["secrets"] == [
        {"name": "DB_PASSWORD", "valueFrom": f"{FOUND_SECRET_ARN}:password::"},
        {"name": "DB_URL", "valueFrom": FOUND_SECRET_ARN},
        {"name": "REDIS", "valueFrom": PARAMETER_ARN},
    ]
    assert agent["secrets"] == [{"name": "KEY", "valueFrom": FOUND_SECRET_ARN}]
    assert statements(recording, "execution")[-1]["Resource"] == sorted([FOUND_SECRET_ARN, PARAMETER_ARN])
    asked = [each.args for each in recording.invokes if each.token.endswith(":getSecret")]
    # Once, although two variables come from it.
    assert asked == [{"name": "fileflow/database"}, {"name": "agent"}]


def test_a_secret_that_is_missing_ends_the_preview() -> None:
    recorder = Recorder(
        preview=True, failures={"aws:secretsmanager/getSecret:getSecret": Exception("no secret agent")}
    )
    with pytest.raises(Exception, match="no secret agent"):
        record_roles(container=ContainerOptions(secrets={"A": "secretsmanager:agent"}), recorder=recorder)


def test_two_keys_of_one_secret_are_one_permission() -> None:
    options = ContainerOptions(
        secrets={"DB_PASSWORD": f"{SECRET_ARN}:password::", "DB_USER": f"{SECRET_ARN}:username::"}
    )

    assert statements(record_roles(container=options), "execution")[-1]["Resource"] == [SECRET_ARN]


def test_the_order_of_secrets_is_no_change() -> None:
    secrets = {"A": f"{SECRET_ARN}-a", "B": f"{SECRET_ARN}-b"}
    backwards = dict(reversed(secrets.items()))

    first, second = (
        statements(record_roles(container=ContainerOptions(secrets=each)), "execution")
        for each in (secrets, backwards)
    )
    assert first == second


def test_a_sidecars_secrets_and_repository_are_permitted_too() -> None:
    agent = Sidecar(
        name="agent",
        image=f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/agents/otel@{DIGEST}",
        container=ContainerOptions(secrets={"KEY": SECRET_ARN}),
    )
    granted = statements(record_roles(sidecars=[agent]), "execution")

    assert granted[1]["Resource"] == [
        f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/fileflow",
        f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/agents/otel",
    ]
    assert granted[-1]["Resource"] == [SECRET_ARN]


def test_ecs_may_decrypt_with_exactly_the_named_keys() -> None:
    recording = record_roles(access=TaskAccess(secrets_kms_key_arns=[KEY_ARN]))

    assert statements(recording, "execution") == [
        *PULL,
        {"Action": "kms:Decrypt", "Effect": "Allow", "Resource": [KEY_ARN]},
    ]


def test_ecs_may_read_exactly_the_named_environment_files() -> None:
    files = ["arn:aws:s3:::settings/a.env", "arn:aws:s3:::settings/b.env"]
    recording = record_roles(container=ContainerOptions(environment_file_arns=files))

    assert statements(recording, "execution") == [
        *PULL,
        {"Action": "s3:GetObject", "Effect": "Allow", "Resource": files},
        {"Action": "s3:GetBucketLocation", "Effect": "Allow", "Resource": ["arn:aws:s3:::settings"]},
    ]


def test_a_callers_statements_and_policies_go_to_the_application_alone() -> None:
    queue = {"Action": "sqs:SendMessage", "Effect": "Allow", "Resource": f"arn:aws:sqs:{REGION}:{ACCOUNT}:q"}
    managed = f"arn:aws:iam::{ACCOUNT}:policy/files"
    recording = record_roles(access=TaskAccess(statements=[queue], policy_arns=[managed]))

    assert statements(recording, "role") == [queue]
    assert statements(recording, "execution") == PULL
    assert recording.only(t.ATTACHMENT).inputs == {"policyArn": managed, "role": "app-role-0a1b2c3"}


def test_a_policy_that_joins_never_renames_the_others() -> None:
    first, second = (f"arn:aws:iam::{ACCOUNT}:policy/{name}" for name in ("a", "b"))

    before = record_roles(access=TaskAccess(policy_arns=[second]))
    after = record_roles(access=TaskAccess(policy_arns=[first, second]))
    assert set(before.names(t.ATTACHMENT)) < set(after.names(t.ATTACHMENT))


def test_ecs_exec_opens_a_channel_and_writes_the_sessions_log(executing: Recording) -> None:
    granted = statements(executing, "role")

    assert granted[0] == {
        "Action": [
            "logs:DescribeLogGroups",
            "ssmmessages:CreateControlChannel",
            "ssmmessages:CreateDataChannel",
            "ssmmessages:OpenControlChannel",
            "ssmmessages:OpenDataChannel",
        ],
        "Effect": "Allow",
        "Resource": "*",
    }
    assert len(granted) == 2


def test_a_session_is_logged_where_the_cluster_says_and_the_application_may_write_there(
    executing: Recording,
) -> None:
    # The cluster sends sessions to /aws/ecs/CLUSTER/exec; the task's role is what writes them.
    granted = statements(executing, "role")
    cluster = CLUSTER_ARN.rsplit("/", 1)[-1]

    writing = [each for each in granted if "logs:PutLogEvents" in each["Action"]]
    assert [each["Resource"] for each in writing] == [
        f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/ecs/{cluster}/exec:*"
    ]


def test_the_application_decrypts_the_sessions_channel_where_the_cluster_has_a_key() -> None:
    access = TaskAccess(execute_command=True, session_kms_key_arn=KEY_ARN)

    assert statements(record_roles(access=access), "role")[-1] == {
        "Action": "kms:Decrypt",
        "Effect": "Allow",
        "Resource": KEY_ARN,
    }


def test_long_names_give_role_names_that_iam_takes_and_that_differ() -> None:
    # As long as the settings let a scheduler's name become, and longer in a program of one's own.
    for length in (50, 51, 200):
        names = [name for ending in "ab" for name in record_roles(name="n" * length + ending).names(t.ROLE)]
        assert len(set(names)) == 4
        # The generated ending has 8 characters.
        assert all(len(name) + 8 <= 64 for name in names)


def test_a_permissions_boundary_bounds_both_roles() -> None:
    boundary = f"arn:aws:iam::{ACCOUNT}:policy/boundary"
    recording = record_roles(access=TaskAccess(permissions_boundary_arn=boundary))

    assert [each.inputs["permissionsBoundary"] for each in recording.of_type(t.ROLE)] == [boundary, boundary]


def test_no_statement_allows_every_action() -> None:
    access = TaskAccess(execute_command=True, secrets_kms_key_arns=[KEY_ARN])
    recording = record_roles(access=access, container=ContainerOptions(secrets={"A": SECRET_ARN}))

    granted = [*statements(recording, "execution"), *statements(recording, "role")]
    for statement in granted:
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        assert not [action for action in actions if "*" in action], statement
    anywhere = {str(each["Action"]) for each in granted if each["Resource"] == "*"}
    # AWS offers no narrower resource for these.
    assert len(anywhere) == 2


@pytest.mark.parametrize(
    ("reference", "resources"),
    [
        (SECRET_ARN, [SECRET_ARN]),
        (f"{SECRET_ARN}:password::", [SECRET_ARN]),
        (f"{SECRET_ARN}:password:AWSCURRENT:", [SECRET_ARN]),
        (f"{SECRET_ARN}:::9c2d", [SECRET_ARN]),
        (PARAMETER_ARN, [PARAMETER_ARN]),
        (SECRET_ARN[:-7], [f"{SECRET_ARN[:-7]}-??????"]),
        (f"{SECRET_ARN[:-7]}:password::", [f"{SECRET_ARN[:-7]}-??????"]),
        (f"{SECRET_ARN[:-7]}-secret", [f"{SECRET_ARN[:-7]}-secret", f"{SECRET_ARN[:-7]}-secret-??????"]),
    ],
)
def test_a_permission_names_the_secret_and_not_its_key_or_version(
    reference: str, resources: list[str]
) -> None:
    assert secret_resources(reference) == resources


def test_ecs_may_read_a_private_registrys_credentials() -> None:
    recording = record_roles(container=ContainerOptions(repository_credentials=SECRET_ARN))
    granted = [each for each in statements(recording, "execution") if "secretsmanager" in str(each["Action"])]
    assert [each["Resource"] for each in granted] == [[SECRET_ARN]]


def test_images_from_elsewhere_need_no_permission_and_a_policy_is_never_empty() -> None:
    assert repository_arns("aws", ["public.ecr.aws/nginx/nginx@sha256:0"]) == ["arn:aws:ecr:::repository/-"]
    assert repository_arns("aws", [IMAGE, IMAGE, "docker.io/library/busybox"]) == [
        f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/fileflow"
    ]


def test_another_partition_is_named_as_it_is() -> None:
    image = f"{ACCOUNT}.dkr.ecr.cn-north-1.amazonaws.com.cn/fileflow@{DIGEST}"

    assert repository_arns("aws-cn", [image]) == [f"arn:aws-cn:ecr:cn-north-1:{ACCOUNT}:repository/fileflow"]
