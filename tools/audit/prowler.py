"""Runs Prowler, pinned, in an environment that nothing else needs, and reads what it found.

Owns the choice of checks and the form of its output. Deliberately writes nothing into an account: Prowler
asks, and the fixes that it offers aren't called.
Source: https://docs.prowler.com/user-guide/cli/tutorials/misc
"""

from __future__ import annotations

import csv
import json
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from local.errors import LocalError
from local.paths import Paths
from local.virtual_environments import Requirements, ensure
from tools.audit.resources import OwnResources

REQUIREMENTS: Final = Requirements(
    "prowler", "tools/audit/requirements.txt", ("tools/audit/requirements.txt",)
)
FRAMEWORKS: Final = ("kisa_isms_p_2023_korean_aws", "cis_6.0_aws")
"""KISA's ISMS-P of 2023, by its Korean names, and the CIS benchmark for AWS."""

MESSAGE: Final = re.compile(r'"message": "(?P<said>.*?)("})?$')

# A finding's longest field, its remediation, is longer than what Python's module reads by default.
csv.field_size_limit(10_000_000)


@dataclass(frozen=True)
class Found:
    """One finding: a check, a resource, and how it went."""

    check: str
    severity: str
    status: str
    """PASS, FAIL or MANUAL."""
    said: str
    uid: str
    """The resource's ARN, or what Prowler makes up for one."""


@dataclass(frozen=True)
class Requirement:
    """What a framework asks for."""

    framework: str
    id: str


def environment_python(paths: Paths, environment: Mapping[str, str]) -> Path:
    """The interpreter of Prowler's environment, made at the first use."""
    return ensure(paths, REQUIREMENTS, environment)


def requirements(python: Path, frameworks: Sequence[str]) -> dict[str, list[Requirement]]:
    """The requirements of these frameworks that each check belongs to.

    Raises LocalError for a framework that Prowler hasn't.
    """
    [folder] = python.parent.parent.glob("lib/python*/site-packages/prowler/compliance/aws")
    found: dict[str, list[Requirement]] = {}
    for framework in frameworks:
        path = folder / f"{framework}.json"
        if not path.exists():
            known = ", ".join(sorted(each.stem for each in folder.glob("*.json")))
            raise LocalError(f"Prowler has no framework {framework}.", f"choose one of: {known}.")
        described = json.loads(path.read_text(encoding="utf-8"))
        for each in described["Requirements"]:
            requirement = Requirement(described["Framework"], each["Id"])
            for check in each["Checks"]:
                found.setdefault(check, []).append(requirement)
    return found


def run(
    python: Path, own: OwnResources, checks: Sequence[str], output: Path, environment: Mapping[str, str]
) -> tuple[Path, list[str]]:
    """Runs the checks of the services that the stack uses; returns the CSV, and what couldn't be asked.

    Raises LocalError where Prowler itself fails.
    """
    output.mkdir(parents=True, exist_ok=True)
    chosen = sorted(each for each in checks if each.partition("_")[0] in own.services())
    listed, log, findings = (output / name for name in ("checks.json", "prowler.log", "findings.csv"))
    listed.write_text(json.dumps({"aws": chosen}), encoding="utf-8")
    # It adds to what is there.
    for former in (log, findings):
        former.unlink(missing_ok=True)
    variables = {name: value for name, value in environment.items() if not name.startswith("PYTHON")}
    program = [str(python.parent / "prowler")]
    if "AWS_ENDPOINT_URL" in variables:
        program = [str(python), "-P", str(Path(__file__).with_name("on_this_machine.py"))]
    command = [*program, "aws", "--checks-file", str(listed)]
    command += ["--region", *sorted(own.regions())]
    command += ["--output-formats", "csv", "--output-directory", str(output), "--output-filename", "findings"]
    command += ["--no-banner", "--log-level", "ERROR", "--log-file", str(log), "--ignore-exit-code-3"]
    ended = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    if ended.returncode or not findings.exists():
        said = (ended.stderr or ended.stdout).strip().splitlines()[-5:]
        raise LocalError(f"Prowler failed: {' '.join(said)}", f"read {log}, and try: {' '.join(command)}")
    return findings, errors(log)


def errors(log: Path) -> list[str]:
    """What Prowler couldn't ask, or couldn't read."""
    said = []
    for line in log.read_text(encoding="utf-8").splitlines() if log.exists() else ():
        # Its lines are meant as JSON, without a thought of quotes inside.
        if (found := MESSAGE.search(line)) is not None:
            message = found["said"]
            # It looks addresses up in a catalogue on the Internet where somebody gives it a key for that.
            if "Shodan" not in message:
                said.append(message)
    return said


def read(findings: Path) -> Iterator[Found]:
    """The findings of a CSV of Prowler's."""
    with findings.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter=";"):
            yield Found(
                check=row["CHECK_ID"],
                severity=row["SEVERITY"],
                status=row["STATUS"],
                said=row["STATUS_EXTENDED"],
                uid=row["RESOURCE_UID"],
            )
