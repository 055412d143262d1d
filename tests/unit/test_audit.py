"""The audit of a deployed stack: what is its own, what was accepted, and when it fails."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local.errors import LocalError
from tools.audit import accepted, on_this_machine, own_checks, prowler, reports
from tools.audit.__main__ import main
from tools.audit.accepted import Acceptance
from tools.audit.judgement import ACCEPTED, OPEN, PASSES, STALE, judge
from tools.audit.prowler import Found, Requirement
from tools.audit.resources import OwnResources

ACCOUNT = "646886795421"
REGION = "ap-northeast-2"
BUCKET = "arn:aws:s3:::fileflow-web-api-access-logs-0a1b2c3"
GROUP = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/ecs/fileflow"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:fileflow-prod-alarms"
SUBNET = f"arn:aws:ec2:{REGION}:{ACCOUNT}:subnet/subnet-0a1b2c3d4e5f60718"


def resource(kind: str, name: str, *, arn: str | None, resource_id: str = "", **more: Any) -> dict[str, Any]:
    """A resource as `pulumi stack export` has it."""
    return {
        "urn": f"urn:pulumi:prod::fileflow::fileflow:a:B${kind}::{name}",
        "type": kind,
        "custom": True,
        "id": resource_id,
        "outputs": {} if arn is None else {"arn": arn},
        **more,
    }


STATE = {
    "deployment": {
        "resources": [
            {"urn": "urn:pulumi:prod::fileflow::pulumi:pulumi:Stack::p", "type": "pulumi:pulumi:Stack"},
            resource("aws:s3/bucket:Bucket", "fileflow-web-api-access-logs", arn=BUCKET),
            resource("aws:cloudwatch/logGroup:LogGroup", "fileflow-web-api-logs", arn=GROUP),
            resource("aws:sns/topic:Topic", "fileflow-prod-alarms", arn=TOPIC, resource_id=TOPIC),
            resource(
                "aws:ec2/subnet:Subnet",
                "fileflow-prod-public-1",
                arn=SUBNET,
                resource_id="subnet-0a1b2c3d4e5f60718",
            ),
            resource(
                "aws:ec2/securityGroup:SecurityGroup",
                "fileflow-scheduler-download-tasks",
                arn=f"arn:aws:ec2:{REGION}:{ACCOUNT}:security-group/sg-0a1b2c3d4e5f60718",
                resource_id="sg-0a1b2c3d4e5f60718",
            ),
            resource("aws:ec2/vpc:Vpc", "gone", arn=None, resource_id="vpc-0a1b2c3d4e5f60718", delete=True),
            resource("docker:index/tag:Tag", "image", arn=None, resource_id="fileflow:1"),
        ]
    }
}
OWN = OwnResources.of_state(STATE)
REQUIREMENTS = {"s3_bucket_object_lock": [Requirement("KISA-ISMS-P", "2.9.3"), Requirement("CIS", "3.1")]}
LOCK = Acceptance(
    check="s3_bucket_object_lock",
    resource="aws:s3/bucket:Bucket",
    stacks=["prod"],
    reason="Personal data has to go after the stated time.",
    instead="Versions are kept for thirty days more.",
    decides="privacy officer",
)


def found(check: str, uid: str, status: str = "FAIL") -> Found:
    return Found(check=check, severity="medium", status=status, said="said", uid=uid)


def states(*findings: Found, acceptances: tuple[Acceptance, ...] = (), stack: str = "prod") -> list[str]:
    return [row.state for row in judge(stack, OWN, findings, acceptances, REQUIREMENTS)]


def test_what_is_the_stacks_own_is_known_by_its_arn_or_its_id_and_never_by_a_word_in_a_name() -> None:
    assert OWN.find(BUCKET) is not None
    assert OWN.find(f"{GROUP}:*") is not None
    assert OWN.find(f"arn:aws:ec2:us-east-1:{ACCOUNT}:subnet/subnet-0a1b2c3d4e5f60718") is not None
    for other in (
        f"{BUCKET}-of-others",
        "arn:aws:s3:::fileflow",
        f"{GROUP}-scheduler-download:*",
        f"arn:aws:ec2:{REGION}:{ACCOUNT}:vpc/vpc-0a1b2c3d4e5f60718",
        f"arn:aws:iam::{ACCOUNT}:root",
    ):
        assert OWN.find(other) is None, other


def test_prowler_is_asked_about_the_services_and_regions_that_the_stack_uses() -> None:
    assert OWN.services() == {
        "s3",
        "cloudwatch",
        "eventbridge",
        "sns",
        "ec2",
        "vpc",
        "networkfirewall",
    }
    assert OWN.regions() == {REGION}


def test_a_finding_on_the_stacks_own_is_open_until_it_is_accepted_by_name() -> None:
    lock = found("s3_bucket_object_lock", BUCKET)

    assert states(lock) == [OPEN]
    assert states(lock, acceptances=(LOCK,)) == [ACCEPTED]
    assert states(lock, acceptances=(LOCK.model_copy(update={"name": "other-*"}),)) == [OPEN, STALE]
    assert states(found("s3_bucket_object_versioning", BUCKET), acceptances=(LOCK,)) == [OPEN, STALE]
    assert states(lock, acceptances=(LOCK,), stack="staging") == [OPEN]


def test_findings_of_others_are_left_out() -> None:
    assert states(found("s3_bucket_object_lock", "arn:aws:s3:::others")) == []


@pytest.mark.parametrize("still_found", [[], [found("s3_bucket_object_lock", BUCKET, "PASS")]])
def test_an_acceptance_fails_the_audit_once_its_resource_is_gone_or_its_check_passes(
    still_found: list[Found],
) -> None:
    rows = judge("prod", OWN, still_found, [LOCK], REQUIREMENTS)

    assert STALE in {row.state for row in rows}
    assert any(row.fails for row in rows)


def test_what_fails_stands_first_and_names_each_requirement() -> None:
    rows = judge(
        "prod",
        OWN,
        [found("s3_bucket_default_encryption", BUCKET, "PASS"), found("s3_bucket_object_lock", BUCKET)],
        [],
        REQUIREMENTS,
    )

    assert [row.state for row in rows] == [OPEN, PASSES]
    assert rows[0].requirements == ("KISA-ISMS-P 2.9.3", "CIS 3.1")
    assert rows[0].resource == "Bucket fileflow-web-api-access-logs"


def test_the_reports_have_every_row_and_the_table_what_does_not_pass(tmp_path: Path) -> None:
    rows = judge(
        "prod",
        OWN,
        [found("s3_bucket_default_encryption", BUCKET, "PASS"), found("s3_bucket_<lock>", BUCKET)],
        [],
        {},
    )
    text, page = reports.write(rows, "prod", tmp_path)

    with text.open(encoding="utf-8", newline="") as file:
        assert [row["state"] for row in csv.DictReader(file)] == [OPEN, PASSES]
    assert "s3_bucket_&lt;lock&gt;" in page.read_text(encoding="utf-8")
    assert "s3_bucket_default_encryption" not in reports.table(rows)
    assert reports.table(rows).endswith("1 open, 1 passes; 2 checks on the stack's own resources.")


def test_at_most_ten_checks_are_accepted_on_a_stack_and_each_says_why_what_else_and_who() -> None:
    entries = accepted.read()

    for stack in ("prod", "staging"):
        assert len({each.check for each in entries if each.concerns(stack)}) <= 10
    assert [each for each in entries if each.concerns("dev") or each.concerns("local")] == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("check: a", "isn't a list"),
        ("- check: a", "entry 1: resource: Field required"),
        ("- {check: a, resource: Bucket, stacks: [prod]}", "entry 1: resource: String should match"),
    ],
)
def test_an_acceptance_that_leaves_something_out_is_refused_by_its_place(
    text: str, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "accepted.yaml"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(LocalError, match=said):
        accepted.read(path)


class Answers:
    """What AWS would answer to the two checks of the audit's own."""

    def __init__(self, key: str | None, policy: list[dict[str, Any]], rules: list[dict[str, Any]]) -> None:
        self._key, self._policy, self._rules = key, policy, rules

    def get_topic_attributes(self, **_asked: Any) -> Any:
        return {"Attributes": {} if self._key is None else {"KmsMasterKeyId": self._key}}

    def describe_key(self, **asked: Any) -> Any:
        manager = "AWS" if asked["KeyId"] == "awss" else "CUSTOMER"
        return {"KeyMetadata": {"KeyId": asked["KeyId"], "KeyManager": manager}}

    def get_key_policy(self, **_asked: Any) -> Any:
        return {"Policy": json.dumps({"Statement": self._policy})}

    def get_paginator(self, _operation: str) -> Any:
        return self

    def paginate(self, **_asked: Any) -> Iterator[Any]:
        yield {"SecurityGroupRules": self._rules}


LETS_IN = [
    {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::1:root"}},
    {"Effect": "Allow", "Principal": {"Service": "cloudwatch.amazonaws.com"}},
    {"Effect": "Allow", "Principal": {"Service": ["events.amazonaws.com"]}},
]


def rule(first: int, last: int | None = None, **more: Any) -> dict[str, Any]:
    """A rule that lets everybody in."""
    return {
        "IsEgress": False,
        "IpProtocol": "tcp",
        "FromPort": first,
        "ToPort": first if last is None else last,
        "CidrIpv4": "0.0.0.0/0",
        **more,
    }


@pytest.mark.parametrize(
    ("answers", "check", "status"),
    [
        (Answers(None, LETS_IN, []), own_checks.TOPIC_KEY, "FAIL"),
        (Answers("alias/aws/sns", LETS_IN, []), own_checks.TOPIC_KEY, "FAIL"),
        (Answers("awss", LETS_IN, []), own_checks.TOPIC_KEY, "FAIL"),
        (Answers("key", LETS_IN[:2], []), own_checks.TOPIC_KEY, "FAIL"),
        (Answers("key", LETS_IN, []), own_checks.TOPIC_KEY, "PASS"),
        (Answers("key", LETS_IN, [rule(9091)]), own_checks.OPEN_PORT, "FAIL"),
        (Answers("key", LETS_IN, [rule(80, 443)]), own_checks.OPEN_PORT, "FAIL"),
        (Answers("key", LETS_IN, [rule(-1, IpProtocol="-1")]), own_checks.OPEN_PORT, "FAIL"),
        (
            Answers("key", LETS_IN, [rule(9091, CidrIpv4=None, CidrIpv6="::/0")]),
            own_checks.OPEN_PORT,
            "FAIL",
        ),
        (Answers("key", LETS_IN, [rule(443), rule(80)]), own_checks.OPEN_PORT, "PASS"),
        (Answers("key", LETS_IN, [rule(9091, CidrIpv4="10.20.0.0/16")]), own_checks.OPEN_PORT, "PASS"),
        (Answers("key", LETS_IN, [rule(9091, IsEgress=True)]), own_checks.OPEN_PORT, "PASS"),
    ],
)
def test_a_topic_that_tells_nobody_and_an_open_port_are_found_although_prowler_lets_them_pass(
    answers: Answers, check: str, status: str
) -> None:
    said = {each.check: each.status for each in own_checks.checked(OWN, lambda _service: answers)}

    assert said[check] == status


COLUMNS = (
    "CHECK_ID;CHECK_TITLE;SEVERITY;STATUS;STATUS_EXTENDED;RESOURCE_UID\n"
    "{check};title;medium;{status};said;{uid}\n"
)


@pytest.fixture
def audited(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str, str, str], int]:
    """Audits the stack as if Prowler had found one thing, with the acceptances of a file."""
    monkeypatch.setattr(
        "tools.audit.__main__.pulumi",
        lambda arguments, _folder: "prod\n" if "--show-name" in arguments else json.dumps(STATE),
    )
    monkeypatch.setattr(prowler, "environment_python", lambda *_arguments: Path("python"))
    monkeypatch.setattr(prowler, "requirements", lambda *_arguments: REQUIREMENTS)
    monkeypatch.setattr(
        "tools.audit.__main__.client_of",
        lambda _own: lambda _service: Answers("key", LETS_IN, []),
    )

    def run(check: str, uid: str, status: str) -> int:
        def asked(*_arguments: Any) -> tuple[Path, list[str]]:
            findings = tmp_path / "findings.csv"
            findings.write_text(COLUMNS.format(check=check, status=status, uid=uid), encoding="utf-8")
            return findings, []

        monkeypatch.setattr(prowler, "run", asked)
        entries = tmp_path / "accepted.yaml"
        entries.write_text(json.dumps([LOCK.model_dump()]), encoding="utf-8")
        return main(["--output", str(tmp_path), "--accepted", str(entries)])

    return run


def test_the_audit_ends_with_one_for_what_is_open_and_for_an_acceptance_without_a_finding(
    audited: Callable[[str, str, str], int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert audited("s3_bucket_object_lock", BUCKET, "FAIL") == 0
    assert audited("s3_bucket_object_lock", BUCKET, "PASS") == 1
    assert audited("s3_bucket_object_lock", "arn:aws:s3:::others", "FAIL") == 1
    assert audited("cloudwatch_log_group_kms_encryption_enabled", f"{GROUP}:*", "FAIL") == 1
    assert "cloudwatch_log_group_kms_encryption_enabled" in capsys.readouterr().out


def test_what_prowler_couldnt_ask_is_told_whatever_quotes_are_in_it(tmp_path: Path) -> None:
    log = tmp_path / "prowler.log"
    log.write_text(
        '{"level": "ERROR", "message": "No Shodan API Key"}\n'
        '{"level": "ERROR", "message": "Could not connect to "http://a/"."}\n'
        "a line of a traceback\n",
        encoding="utf-8",
    )

    assert prowler.errors(log) == ['Could not connect to "http://a/".']
    assert prowler.errors(tmp_path / "none.log") == []


def test_a_name_before_the_loopback_address_is_that_address_and_no_other_name_is() -> None:
    assert on_this_machine.resolve("646886795421.127.0.0.1", 80)[0][4][0] == "127.0.0.1"
    assert on_this_machine.resolve("127.0.0.1", 80)[0][4][0] == "127.0.0.1"
