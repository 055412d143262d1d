"""Container definitions are pure values: exact, in one order, with the same posture for every container."""

from __future__ import annotations

import json
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.container_definition import (
    LogDestination,
    container_definition,
    volume_name,
    with_sidecars,
)
from components.options import (
    ContainerHealthCheck,
    ContainerOptions,
    Sidecar,
    TaskSize,
    WritablePath,
    check_memory,
    main_memory_mib,
)
from components.validation import InvalidArgumentError
from tests.unit.builders import IMAGE, SECRET_ARN
from tests.unit.providers import REGION

LOGS = LogDestination(group_name="/aws/ecs/fileflow", region=REGION)


def defined(options: ContainerOptions | None = None, **changes: Any) -> dict[str, Any]:
    """The main container with these options."""
    return container_definition(
        **{"name": "app", "image": IMAGE, "options": options or ContainerOptions(), "logs": LOGS, **changes}
    )


def test_a_container_without_options_has_the_whole_posture_and_nothing_open() -> None:
    assert defined() == {
        "environment": [],
        "essential": True,
        "image": IMAGE,
        "linuxParameters": {"capabilities": {"drop": ["ALL"]}, "initProcessEnabled": True},
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {
                "awslogs-group": "/aws/ecs/fileflow",
                "awslogs-region": REGION,
                "awslogs-stream-prefix": "app",
                "max-buffer-size": "25m",
                "mode": "non-blocking",
            },
        },
        "mountPoints": [{"containerPath": "/tmp", "readOnly": False, "sourceVolume": "app-tmp"}],
        "name": "app",
        "portMappings": [],
        "privileged": False,
        "readonlyRootFilesystem": True,
        "secrets": [],
        "systemControls": [],
        "user": "1000:1000",
        "volumesFrom": [],
    }


@given(st.permutations(["A", "B", "A_B", "a", "Z.x"]))
def test_the_order_in_which_variables_are_written_makes_no_new_revision(names: list[str]) -> None:
    definition = defined(ContainerOptions(environment={name: f"value of {name}" for name in names}))

    assert json.dumps(definition["environment"]) == json.dumps(
        [{"name": name, "value": f"value of {name}"} for name in sorted(names)]
    )


def test_secrets_are_sorted_and_named_by_reference() -> None:
    options = ContainerOptions(secrets={"REDIS_URL": f"{SECRET_ARN}:redis::", "DB_PASSWORD": SECRET_ARN})

    assert defined(options)["secrets"] == [
        {"name": "DB_PASSWORD", "valueFrom": SECRET_ARN},
        {"name": "REDIS_URL", "valueFrom": f"{SECRET_ARN}:redis::"},
    ]


def test_command_entry_point_and_environment_files_are_there_only_when_given() -> None:
    options = ContainerOptions(
        command=["serve"], entry_point=["/bin/app"], environment_file_arns=["arn:aws:s3:::settings/app.env"]
    )

    assert defined(options)["command"] == ["serve"]
    assert defined(options)["entryPoint"] == ["/bin/app"]
    assert defined(options)["environmentFiles"] == [{"type": "s3", "value": "arn:aws:s3:::settings/app.env"}]
    assert not {"command", "entryPoint", "environmentFiles", "healthCheck", "stopTimeout"} & set(defined())


def test_a_health_check_has_ecs_own_words() -> None:
    check = ContainerHealthCheck(command=["CMD", "/check"])

    assert defined(ContainerOptions(health_check=check))["healthCheck"] == {
        "command": ["CMD", "/check"],
        "interval": 30,
        "retries": 3,
        "startPeriod": 120,
        "timeout": 5,
    }


def test_a_port_is_mapped_to_itself_and_named_only_when_it_has_a_name() -> None:
    assert defined(port=8083)["portMappings"] == [
        {"containerPort": 8083, "hostPort": 8083, "protocol": "tcp"}
    ]
    assert defined(port=8083, port_name="api")["portMappings"][0]["name"] == "api"


def test_a_writable_path_in_memory_is_a_tmpfs_and_no_mount() -> None:
    options = ContainerOptions(
        writable_paths=[
            WritablePath(path="/tmp", kind="tmpfs", size_mib=256),
            WritablePath(path="/var/cache"),
        ]
    )

    definition = defined(options)
    [mount] = definition["linuxParameters"]["tmpfs"]
    assert (mount["containerPath"], mount["size"]) == ("/tmp", 256)
    assert definition["mountPoints"] == [
        {"containerPath": "/var/cache", "readOnly": False, "sourceVolume": volume_name("app", "/var/cache")}
    ]


PATHS = st.lists(
    st.text(string.ascii_letters + string.digits + "._-", min_size=1, max_size=3), min_size=1, max_size=3
).map(lambda folders: "".join(f"/{each}" for each in folders))


@given(st.sets(PATHS, min_size=2, max_size=4))
def test_two_paths_never_share_a_volume(paths: set[str]) -> None:
    names = {volume_name("app", path) for path in paths}

    assert len(names) == len(paths)


@pytest.mark.parametrize("pair", [("/a/b", "/a-b"), ("/a.b", "/a_b"), ("/a/b-c", "/a-b/c")])
def test_two_paths_that_read_alike_never_share_a_volume(pair: tuple[str, str]) -> None:
    assert volume_name("app", pair[0]) != volume_name("app", pair[1])


@given(PATHS)
def test_a_volumes_name_is_one_that_ecs_takes(path: str) -> None:
    name = volume_name("app", path)

    assert len(name) <= 255
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")


def sidecar(**changes: Any) -> Sidecar:
    """A sidecar that is complete."""
    return Sidecar(**{"name": "agent", "image": f"{IMAGE[:-2]}99", **changes})


def test_the_main_container_comes_first_and_each_sidecar_has_the_same_posture() -> None:
    main, agent = with_sidecars(defined(), [sidecar(port=4317, memory_reservation_mib=64)], LOGS)

    assert main == defined()
    assert (agent["name"], agent["essential"]) == ("agent", False)
    assert agent["memoryReservation"] == 64
    assert agent["portMappings"] == [{"containerPort": 4317, "hostPort": 4317, "protocol": "tcp"}]
    for key in ("privileged", "readonlyRootFilesystem", "user", "linuxParameters"):
        assert agent[key] == main[key]
    assert agent["logConfiguration"]["options"]["awslogs-stream-prefix"] == "agent"
    assert "stopTimeout" not in agent


def test_the_main_container_waits_for_exactly_the_sidecars_that_it_should() -> None:
    main, *_ = with_sidecars(
        defined(),
        [sidecar(), sidecar(name="migrations", main_waits_for="SUCCESS")],
        LOGS,
    )

    assert main["dependsOn"] == [{"condition": "SUCCESS", "containerName": "migrations"}]


def test_a_log_router_takes_the_main_containers_log_and_keeps_its_own_at_cloudwatch() -> None:
    where = {"Name": "cloudwatch_logs", "log_group_name": "/aws/ecs/routed"}
    sidecars = [sidecar(name="router", firelens="fluentbit", router_options=where)]
    main, router = with_sidecars(defined(), sidecars, LOGS)

    assert main["logConfiguration"] == {"logDriver": "awsfirelens", "options": where}
    assert router["firelensConfiguration"] == {"type": "fluentbit"}
    assert router["logConfiguration"]["logDriver"] == "awslogs"


def test_adding_sidecars_never_changes_the_main_container_that_was_handed_in() -> None:
    main = defined()
    before = json.dumps(main, sort_keys=True)

    with_sidecars(main, [sidecar(main_waits_for="START", firelens="fluentbit")], LOGS)

    assert json.dumps(main, sort_keys=True) == before


def test_a_healthy_sidecar_needs_a_health_check() -> None:
    with pytest.raises(InvalidArgumentError, match="never becomes healthy"):
        sidecar(main_waits_for="HEALTHY")

    sidecar(
        main_waits_for="HEALTHY",
        container=ContainerOptions(health_check=ContainerHealthCheck(command=["CMD", "/check"])),
    )


def test_a_file_system_in_memory_may_run_programs_since_a_jvm_loads_its_native_libraries_from_it() -> None:
    options = ContainerOptions(writable_paths=[WritablePath(path="/tmp", kind="tmpfs")])

    [mount] = defined(options)["linuxParameters"]["tmpfs"]
    assert mount == {"containerPath": "/tmp", "size": 64, "mountOptions": ["exec", "nosuid", "nodev"]}


def test_a_private_registrys_credentials_are_named_by_their_secret() -> None:
    definition = defined(ContainerOptions(repository_credentials=SECRET_ARN))

    assert definition["repositoryCredentials"] == {"credentialsParameter": SECRET_ARN}
    assert "repositoryCredentials" not in defined()
    for wrong in ("ssm:/registry", "user:password"):
        with pytest.raises(InvalidArgumentError, match="repository_credentials"):
            ContainerOptions(repository_credentials=wrong)


def test_one_writable_path_within_another_is_refused() -> None:
    with pytest.raises(InvalidArgumentError, match=r"/tmp/work'.* lies within /tmp"):
        ContainerOptions(writable_paths=[WritablePath(path="/tmp/work"), WritablePath(path="/tmp")])
    ContainerOptions(writable_paths=[WritablePath(path="/tmp"), WritablePath(path="/tmpfiles")])


@pytest.mark.parametrize(
    ("sidecars", "left"),
    [
        ([], 1024),
        ([sidecar(memory_reservation_mib=64), sidecar(name="b", memory_mib=128)], 832),
        ([sidecar(memory_mib=128, memory_reservation_mib=64)], 896),
    ],
    ids=["alone", "both kinds", "the limit counts"],
)
def test_the_main_container_may_take_what_the_sidecars_leave(sidecars: list[Sidecar], left: int) -> None:
    assert main_memory_mib(TaskSize(), sidecars) == left
    check_memory(TaskSize(), ContainerOptions(), sidecars)


def test_memory_that_a_process_could_not_start_in_is_refused() -> None:
    small = TaskSize(cpu=256, memory_mib=512)
    huge = ContainerOptions(writable_paths=[WritablePath(path="/tmp", kind="tmpfs", size_mib=2048)])
    with pytest.raises(InvalidArgumentError, match=r"writable_paths.size_mib is 2048, but a tmpfs lies in"):
        check_memory(small, huge)
    with pytest.raises(InvalidArgumentError, match="leaves the main container 212"):
        check_memory(small, ContainerOptions(), [sidecar(memory_mib=300)])
    check_memory(
        small, ContainerOptions(writable_paths=[WritablePath(path="/t", kind="tmpfs", size_mib=256)])
    )
