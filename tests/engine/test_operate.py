"""The runbook's verbs on a deployed stack: in good order, and in the states that they are for."""

from __future__ import annotations

import re

import pytest
import yaml

from tests.engine.deployment import Deployment
from tests.engine.runbook import DOWNLOAD, PIPELINE, SERVICES, human, operate, problems, settled
from tests.waiting import eventually

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("deployed")]


def test_status_of_a_stack_in_order_has_no_finding_and_shows_what_runs(stack: Deployment) -> None:
    answer = operate(stack, "status")
    assert (answer.code, answer.data["findings"]) == (0, [])
    assert [each["service"] for each in answer.data["services"]] == SERVICES
    assert [each["versions"] for each in answer.data["services"]] == [
        ["web-api-1.0.0"],
        ["download-scheduler-1.0.0"],
        ["pipeline-scheduler-1.0.0"],
    ]
    code, text = human(stack, "status download")
    assert code == 0
    assert DOWNLOAD in text
    assert "1 of 1" in text
    assert PIPELINE not in text


def count(deployment: Deployment, service: str, desired_count: int) -> None:
    """Sets a count past the program."""
    deployment.client("ecs").update_service(
        cluster="fileflow-prod", service=service, desiredCount=desired_count
    )


def test_a_count_of_two_is_told_and_put_back(changed: Deployment) -> None:
    count(changed, DOWNLOAD, 2)
    eventually(
        lambda: problems(operate(changed, "status download")),
        lambda found: any(problem.startswith("2 tasks may be at work") for problem in found),
    )
    assert operate(changed, "status").code == 1
    fixed = operate(changed, "fix-count download")
    assert (fixed.code, fixed.data["desiredBefore"], fixed.data["stopped"]) == (0, 2, [])
    assert operate(changed, "status download").code == 0


def test_a_count_of_none_is_told_and_put_back(changed: Deployment) -> None:
    count(changed, DOWNLOAD, 0)
    found = eventually(
        lambda: problems(operate(changed, "status download")),
        lambda found: "0 of 0 tasks run" in found,
    )
    assert "the desired count is 0; a scheduler's is 1" in found
    fixed = operate(changed, "fix-count download")
    assert (fixed.code, fixed.data["desiredBefore"], fixed.data["stopped"]) == (0, 0, [])


def test_a_task_started_by_hand_is_told_and_stopped(changed: Deployment) -> None:
    started = changed.client("ecs").run_task(
        cluster="fileflow-prod",
        launchType="FARGATE",
        taskDefinition=f"{DOWNLOAD}-prod",
        networkConfiguration=changed.service(DOWNLOAD)["networkConfiguration"],
    )
    task_id = started["tasks"][0]["taskArn"].rpartition("/")[2]
    seen = operate(changed, "status download")
    assert [each["arn"].rpartition("/")[2] for each in seen.data["services"][0]["strangers"]] == [task_id]
    assert seen.code == 1
    restarted = operate(changed, "restart download")
    assert (restarted.code, restarted.data["secondsWithout"]) == (1, None)
    assert "two ran at no moment" not in human(changed, "restart download")[1]
    fixed = operate(changed, "fix-count download")
    assert (fixed.code, fixed.data["stopped"]) == (0, [task_id])


def test_a_count_is_fixed_of_schedulers_alone(stack: Deployment) -> None:
    answer = operate(stack, "fix-count web-api")
    assert answer.code == 2
    assert "is no scheduler" in answer.data["error"]


def test_a_restarted_scheduler_has_another_task_and_never_two(changed: Deployment) -> None:
    answer = operate(changed, "restart pipeline")
    assert (answer.code, answer.data["problems"]) == (0, [])
    assert len(answer.data["stopped"]) == len(answer.data["started"]) == 1
    assert answer.data["stopped"] != answer.data["started"]
    assert answer.data["secondsWithout"] >= 0


def test_a_restarted_web_service_has_other_tasks(changed: Deployment) -> None:
    answer = operate(changed, "restart web-api")
    assert (answer.code, answer.data["secondsWithout"]) == (0, None)
    assert not set(answer.data["stopped"]) & set(answer.data["started"])
    count(changed, "fileflow-web-api", 0)
    none = operate(changed, "restart web-api")
    changed.sourced(none.data["fix"])
    settled(changed)
    assert none.code == 2
    assert "its count is 0" in none.data["error"]


def deploy(deployment: Deployment) -> None:
    """One `pulumi up` with its preview, by the pack."""
    done = deployment.sourced("pulumi up --yes --non-interactive --policy-pack policies")
    assert done.returncode == 0, done.stdout


def test_only_a_scheduler_is_paused_and_for_no_longer_than_its_alarm_is_muted(stack: Deployment) -> None:
    file = stack.root / "Pulumi.local.yaml"
    before = file.read_text()
    for service in ("web-api", "nobody"):
        assert operate(stack, f"pause {service} --for 4h --reason x").code == 2
        assert operate(stack, f"resume {service}").code == 2
    assert human(stack, "pause pipeline --for 16d --reason x")[0] == 2
    assert operate(stack, "pause pipeline --for 4h --reason x --read-only").code == 2
    assert file.read_text() == before


def test_a_scheduler_is_paused_for_a_reason_until_an_end_and_resumed(changed: Deployment) -> None:
    file = changed.root / "Pulumi.local.yaml"
    before = file.read_text()
    cloudwatch = changed.client("cloudwatch")
    first = operate(changed, "pause pipeline --for 1h --reason 4711")
    assert (first.code, first.data["pause"]["reason"], first.data["insteadOf"]) == (0, "4711", None)
    paused = operate(changed, "pause pipeline --for 4h --reason 'database migration'")
    assert paused.data["insteadOf"] == first.data["pause"]
    try:
        assert operate(changed, "status pipeline").data["services"][0]["running"] == 1
        deploy(changed)

        [rule] = cloudwatch.list_alarm_mute_rules(Statuses=["ACTIVE"])["AlarmMuteRuleSummaries"]
        name = rule["AlarmMuteRuleArn"].rpartition(":")[2]
        [muted] = cloudwatch.get_alarm_mute_rule(AlarmMuteRuleName=name)["MuteTargets"]["AlarmNames"]
        assert muted.startswith(f"{PIPELINE}-none-running")
        cloudwatch.set_alarm_state(AlarmName=muted, StateValue="ALARM", StateReason="none")
        seen = operate(changed, "status pipeline")
        assert (seen.code, seen.data["findings"]) == (0, [])
        [service] = seen.data["services"]
        assert (service["desired"], service["running"], service["tasks"]) == (0, 0, [])
        assert service["pause"] == paused.data["pause"]
        assert "PAUSED until" in human(changed, "status")[1]
        assert operate(changed, "verify pipeline").code == 0
        why = operate(changed, "why pipeline")
        assert (why.code, why.data["pause"]["reason"]) == (0, "database migration")
        restarted = operate(changed, "restart pipeline")
        assert restarted.code == 2
        assert "is paused until" in restarted.data["error"]

        count(changed, PIPELINE, 1)
        assert operate(changed, "status pipeline").code == 1
        fixed = operate(changed, "fix-count pipeline")
        assert (fixed.code, fixed.data["desiredBefore"], fixed.data["paused"]) == (0, 1, True)
        assert operate(changed, "status pipeline").code == 0
        again = changed.sourced("pulumi up --yes --skip-preview --refresh --expect-no-changes")
        assert again.returncode == 0, again.stdout

        resumed = operate(changed, "resume pipeline")
        assert resumed.data["pause"] == paused.data["pause"]
        assert operate(changed, "resume pipeline").data["pause"] is None
        after = file.read_text()
        assert yaml.safe_load(after) == yaml.safe_load(before)
        assert re.findall(r"#.*", after) == re.findall(r"#.*", before)
    finally:
        file.write_text(before)
        deploy(changed)
    assert cloudwatch.list_alarm_mute_rules()["AlarmMuteRuleSummaries"] == []
    cloudwatch.set_alarm_state(AlarmName=muted, StateValue="OK", StateReason="one")
    [service] = operate(changed, "status pipeline").data["services"]
    assert (service["desired"], service["running"], service["pause"]) == (1, 1, None)


def test_read_only_refuses_a_change_and_changes_nothing(stack: Deployment) -> None:
    before = operate(stack, "status pipeline").data["services"][0]["tasks"]
    for answer in (
        operate(stack, "restart pipeline --read-only"),
        operate(stack, "restart pipeline", prefix="FILEFLOW_READ_ONLY=1"),
    ):
        assert answer.code == 2
        assert "--read-only" in answer.data["error"]
    assert operate(stack, "status pipeline").data["services"][0]["tasks"] == before


def test_logs_are_found_and_filtered(stack: Deployment) -> None:
    answer = operate(stack, "logs download --since 1d")
    messages = [line["message"] for line in answer.data["lines"]]
    assert messages
    start = messages[0][:5]
    filtered = operate(stack, f"logs download --since 1d --grep '^{re.escape(start)}'")
    assert [line["message"] for line in filtered.data["lines"]] == [
        message for message in messages if message.startswith(start)
    ]
    code, text = human(stack, "logs download --since tomorrow")
    assert code == 2
    assert "'tomorrow' is no time back from now" in text


def test_a_pipe_gets_each_line_whole_and_a_narrow_encoding_what_it_has(stack: Deployment) -> None:
    lines = operate(stack, "logs download --since 1d").data["lines"]
    assert any(len(each["message"]) > 100 for each in lines)
    printed = stack.sourced("unset COLUMNS; python -m operate logs download --since 1d | cat").stdout
    assert [line.split(" ", 2)[2] for line in printed.splitlines()] == [each["message"] for each in lines]
    checked = stack.sourced("PYTHONIOENCODING=euc-kr python -m operate verify")
    assert (checked.returncode, "\\u2713" in checked.stdout) == (0, True), checked.stdout


def test_read_only_may_be_said_to_be_off_by_its_variable(changed: Deployment) -> None:
    on, off = (operate(changed, "restart pipeline", f"FILEFLOW_READ_ONLY={each}") for each in "10")
    assert (on.code, off.code) == (2, 0)


def test_another_revision_by_hand_is_told_by_status_and_by_verify(changed: Deployment) -> None:
    ecs = changed.client("ecs")
    service = {"cluster": "fileflow-prod", "service": PIPELINE}
    asked = changed.service(PIPELINE)["taskDefinition"]
    definition = ecs.describe_task_definition(taskDefinition=asked)["taskDefinition"]
    given = (
        "family", "networkMode", "requiresCompatibilities", "cpu", "memory", "executionRoleArn",
        "taskRoleArn", "volumes", "containerDefinitions",
    )  # fmt: skip
    other = ecs.register_task_definition(**{name: definition[name] for name in given})["taskDefinition"][
        "taskDefinitionArn"
    ]
    ecs.update_service(**service, taskDefinition=other)
    try:
        names = [each.rpartition("/")[2] for each in (other, asked)]
        eventually(
            lambda: problems(operate(changed, "status pipeline")),
            lambda found: f"{names[0]} runs, {names[1]} was asked for" in found,
        )
        assert operate(changed, "verify pipeline").code == 1
    finally:
        ecs.update_service(**service, taskDefinition=asked)


def test_a_ringing_alarm_is_told(changed: Deployment) -> None:
    alarm = operate(changed, "status download").data["services"][0]["alarms"][0]["name"]
    cloudwatch = changed.client("cloudwatch")
    cloudwatch.set_alarm_state(AlarmName=alarm, StateReason="test", StateValue="ALARM")
    try:
        assert problems(operate(changed, "status download")) == [f"alarm {alarm}: test"]
    finally:
        cloudwatch.set_alarm_state(AlarmName=alarm, StateReason="test", StateValue="OK")


def test_verify_checks_what_the_next_task_needs_and_what_could_scale_a_scheduler(changed: Deployment) -> None:
    answer = operate(changed, "verify download")
    assert answer.code == 0
    checks = [each["check"] for each in answer.data["checks"]]
    for expected in ("nothing scales it", "its image is in the repository", f"log group /aws/ecs/{DOWNLOAD}"):
        assert expected in checks
    scaling = changed.client("application-autoscaling")
    target = {
        "ServiceNamespace": "ecs",
        "ScalableDimension": "ecs:service:DesiredCount",
        "ResourceId": f"service/fileflow-prod/{DOWNLOAD}",
    }
    scaling.register_scalable_target(**target, MinCapacity=1, MaxCapacity=1)
    try:
        wrong = operate(changed, "verify download")
        assert wrong.code == 1
        assert [each["problem"] for each in wrong.data["checks"] if each["problem"]] == [
            "an autoscaling target is registered for it"
        ]
    finally:
        scaling.deregister_scalable_target(**target)


def test_endpoints_name_each_running_tasks_address_and_port(stack: Deployment) -> None:
    answer = operate(stack, "endpoints")
    assert answer.code == 0
    urls = {each["service"]: each["urls"][0] for each in answer.data["endpoints"]}
    assert list(urls) == SERVICES
    for service, port in zip(SERVICES, (8083, 9091, 9092), strict=True):
        assert urls[service].endswith(f":{port}/actuator/health")


def test_metrics_have_a_series_for_cpu_and_for_memory(stack: Deployment) -> None:
    answer = operate(stack, "metrics pipeline --since 1h")
    assert [(each["service"], each["metric"]) for each in answer.data["series"]] == [
        (PIPELINE, "CPUUtilization"),
        (PIPELINE, "MemoryUtilization"),
    ]


def test_versions_say_which_one_runs(stack: Deployment) -> None:
    answer = operate(stack, "versions web-api")
    assert [(each["tag"], each["runs"]) for each in answer.data["versions"]] == [("web-api-1.0.0", True)]


def test_the_scrape_configuration_names_each_services_port_and_is_printed_as_it_is(stack: Deployment) -> None:
    answer = operate(stack, "scrape-config")
    assert answer.data["ports"] == dict(zip(SERVICES, (8083, 9091, 9092), strict=True))
    code, text = human(stack, "scrape-config", prefix="COLUMNS=40")
    assert (code, text) == (0, answer.data["configuration"])


def test_a_rollback_names_the_versions_that_there_are_and_makes_none_anew(stack: Deployment) -> None:
    unknown = operate(stack, "rollback download 0.9")
    assert (unknown.code, unknown.data["fix"]) == (2, "Choose one of: 1.0.0.")
    built = operate(stack, "rollback download 1.0.0")
    assert built.code == 2
    assert "source 'build'" in built.data["error"]


def test_a_promotion_sets_the_versions_once_the_other_repository_has_the_very_images(
    stack: Deployment,
) -> None:
    own = (stack.root / "Pulumi.local.yaml").read_text()
    staging = own.replace("environment: prod", "environment: staging").replace(
        "version: 1.0.0", "version: 0.9.0"
    )
    staging = staging.replace("source: build", "source: registry")
    staging = re.sub(r"^ +(context|dockerfile): local/.*\n", "", staging, flags=re.MULTILINE)
    (stack.root / "Pulumi.staging2.yaml").write_text(staging)
    assert stack.sourced("pulumi stack init staging2 --no-select").returncode == 0

    lacking = operate(stack, "promote local staging2")
    assert lacking.code == 2
    assert "lacks web-api-1.0.0, download-scheduler-1.0.0, pipeline-scheduler-1.0.0" in lacking.data["error"]
    assert lacking.data["fix"].count("docker buildx imagetools create") == 3

    ecr = stack.client("ecr")
    ecr.create_repository(repositoryName="fileflow-staging")
    for tag in ("web-api-1.0.0", "download-scheduler-1.0.0", "pipeline-scheduler-1.0.0"):
        found = ecr.batch_get_image(repositoryName="fileflow", imageIds=[{"imageTag": tag}])
        ecr.put_image(
            repositoryName="fileflow-staging",
            imageTag=tag,
            imageManifest=found["images"][0]["imageManifest"],
        )
    refused = operate(stack, "promote local staging2 --read-only")
    assert (refused.code, "--read-only" in refused.data["error"]) == (2, True)
    done = operate(stack, "promote local staging2")
    assert (done.code, done.data["set"]) == (0, {"fileflow:version": "1.0.0"})
    assert [each["digest"] == each["foundDigest"] for each in done.data["releases"]] == [True] * 3
    assert "version: 1.0.0" in (stack.root / "Pulumi.staging2.yaml").read_text()
    assert operate(stack, "promote local staging2").data["set"] == {}


def test_the_diagram_of_the_readme_is_that_of_the_running_stack(stack: Deployment) -> None:
    drawn = stack.sourced("python -m tools.diagram --output drawn.svg")
    assert drawn.returncode == 0, drawn.stdout
    assert (stack.root / "drawn.svg").read_text() == (stack.root / "docs/architecture.svg").read_text()


def test_a_shell_is_opened_only_where_the_service_lets_a_person_in(stack: Deployment) -> None:
    (stack.root / "programs").mkdir(exist_ok=True)
    plugin = stack.root / "programs" / "session-manager-plugin"
    plugin.write_text("#!/bin/sh\nexit 0\n")
    plugin.chmod(0o755)
    with_plugin = 'PATH="$PWD/programs:$PATH"'
    for arguments in ("exec download", "port-forward download"):
        assert "session-manager-plugin" in operate(stack, arguments).data["error"]
        refused = operate(stack, arguments, with_plugin)
        assert refused.code == 2
        assert "lets nobody in" in refused.data["error"]


def test_the_cost_is_that_of_the_page(stack: Deployment) -> None:
    answer = operate(stack, "cost")
    assert answer.code == 0
    assert answer.data["total"] == round(sum(answer.data["month"].values()), 2)


@pytest.mark.parametrize(
    ("arguments", "prefix", "problem"),
    [
        ("why nightly", "", "has no service 'nightly'"),
        ("status --stack nowhere", "", "no stack named 'nowhere' found"),
        ("status --directory /", "", "no Pulumi.yaml project file found"),
        ("migrate", "", "has all that it would create in its state already"),
        ("status", "AWS_ACCESS_KEY_ID= AWS_SECRET_ACCESS_KEY=", "no AWS credentials"),
        ("status", "AWS_ENDPOINT_URL=http://127.0.0.1:1", "AWS doesn't answer"),
        ("status", "AWS_ENDPOINT_URL=nonsense", "Invalid endpoint: nonsense"),
        ("status", "AWS_PROFILE=nobody", "The config profile (nobody) could not be found"),
        ("restart download", "AWS_ACCESS_KEY_ID=123456789012", "the credentials are of 123456789012"),
    ],
)
def test_what_keeps_a_verb_from_its_work_is_one_error_with_a_fix(
    stack: Deployment, arguments: str, prefix: str, problem: str
) -> None:
    answer = operate(stack, arguments, prefix)
    assert answer.code == 2
    assert problem in answer.data["error"]
    assert answer.data["fix"]


def test_a_file_that_the_cli_can_not_use_is_named_with_what_is_wrong_in_it(changed: Deployment) -> None:
    file = changed.root / "Pulumi.local.yaml"
    before = file.read_text()
    try:
        file.write_text(before.replace("port: 9091", "port: 99999"))
        previewed = operate(changed, "migrate")
        file.write_text("config: [")
        read = operate(changed, "cost")
    finally:
        file.write_text(before)
    assert "port is 99999" in previewed.data["error"]
    assert "invalid YAML" in read.data["error"]
    for answer in (previewed, read):
        assert answer.code == 2
        assert "Pulumi.STACK.yaml" in answer.data["fix"]


def test_an_error_is_two_lines_for_a_person(stack: Deployment) -> None:
    code, text = human(stack, "why nightly")
    assert code == 2
    assert [line.partition(":")[0] for line in text.splitlines()] == ["error", "Fix"]
