"""Tools around the pack: `python -m fileflow_policies COMMAND`, with the pack's folder on PYTHONPATH.

report               preview a stack with the pack and write a JSON report and a SARIF file
reference            write the reference of all rules
start                write the configuration to start with, in which only three rules are mandatory
check-configuration  check a file for --policy-pack-config before Pulumi sees it
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pulumi_policy import EnforcementLevel

from .config import Configuration, ConfigurationError, starting_configuration
from .config_problems import Given
from .pack import RULES
from .reference import reference
from .report import Events, Place, json_report, places_of, read_events, sarif
from .version import PACK_FOLDER


class ToolError(Exception):
    """A command can't do its work; the message says why and what to do."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command. 0: done; 1: something mandatory is violated; 2: the command couldn't do its work."""
    parser = argparse.ArgumentParser(
        prog="python -m fileflow_policies", description="Tools around the policy pack."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    report = commands.add_parser("report", help="preview a stack with the pack and write what it finds")
    source = report.add_mutually_exclusive_group()
    source.add_argument("--events", type=Path, help="read this event log instead of running Pulumi")
    source.add_argument("--state", action="store_true", help="judge the stack's state instead of a preview")
    report.add_argument("--stack", default="", help="the stack; default: the selected one")
    report.add_argument("--configuration", type=Path, help="a file for --policy-pack-config")
    report.add_argument(
        "--json", type=Path, default=Path("policy-report.json"), help="default: policy-report.json"
    )
    report.add_argument(
        "--sarif", type=Path, default=Path("policy-report.sarif"), help="default: policy-report.sarif"
    )
    report.set_defaults(run=_report)

    pages = commands.add_parser("reference", help="write the reference of all rules")
    pages.add_argument("path", type=Path)
    pages.add_argument("--check", action="store_true", help="only say whether the file is up to date")
    pages.set_defaults(run=_reference)

    start = commands.add_parser("start", help="write the configuration to start with")
    start.add_argument("path", type=Path)
    start.add_argument("--check", action="store_true", help="only say whether the file is up to date")
    start.set_defaults(run=_start)

    check = commands.add_parser("check-configuration", help="check a file for --policy-pack-config")
    check.add_argument("path", type=Path)
    check.set_defaults(run=_check_configuration)

    options = parser.parse_args(arguments)
    try:
        return int(options.run(options))
    except (ToolError, ConfigurationError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def _reference(options: argparse.Namespace) -> int:
    return _generate(reference(RULES), options)


def _start(options: argparse.Namespace) -> int:
    return _generate(json.dumps(starting_configuration(RULES), indent=2) + "\n", options)


def _generate(text: str, options: argparse.Namespace) -> int:
    if options.check:
        if options.path.exists() and options.path.read_text(encoding="utf-8") == text:
            return 0
        raise ToolError(
            f"{options.path} isn't what the rules say; write it anew by the same command without --check"
        )
    options.path.write_text(text, encoding="utf-8")
    return 0


def _check_configuration(options: argparse.Namespace) -> int:
    try:
        content = json.loads(
            options.path.read_text(encoding="utf-8"), parse_constant=_no_number, object_pairs_hook=_once
        )
    except RecursionError as error:
        raise ToolError(f"{options.path} is nested too deeply; correct the file") from error
    except (OSError, ValueError) as error:
        raise ToolError(f"{options.path} can't be read as JSON ({error}); correct the file") from error
    if not isinstance(content, dict):
        raise ToolError(f"{options.path} holds no object; its keys are names of rules")
    given = {name: _given(name, part) for name, part in content.items()}
    everything = given.pop("all", Given())
    if everything.properties:
        raise ConfigurationError("all: takes a level alone; give settings to each rule by its name.")
    for rule in RULES if everything.level is not None else ():
        given.setdefault(rule.name, Given(everything.level))  # as the engine spreads it
    Configuration(RULES, given)
    return 0


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no JSON")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose keys are there once: of two, JSON's readers take one or the other."""
    result = dict(pairs)
    if len(result) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key {next(key for key in keys if keys.count(key) > 1)} is there twice")
    return result


def _given(name: str, part: Any) -> Given:
    settings = {"enforcementLevel": part} if isinstance(part, str) else part
    if not isinstance(settings, dict):
        raise ConfigurationError(f"{name}: neither a level nor an object; give one of them.")
    level = settings.get("enforcementLevel")
    levels = {each.value: each for each in EnforcementLevel}
    # The engine takes no null either.
    if "enforcementLevel" in settings and (not isinstance(level, str) or level not in levels):
        raise ConfigurationError(
            f"{name}.enforcementLevel: {level} is no level; use mandatory, advisory or disabled."
        )
    rest = {key: value for key, value in settings.items() if key != "enforcementLevel"}
    return Given(levels.get(level) if level is not None else None, rest)


def _report(options: argparse.Namespace) -> int:
    events = _read(options.events) if options.events else _run(options)
    stack = options.stack or _stack_of(events)
    places = {} if options.events else _places(options.stack)
    _write(options.json, json_report(events, RULES, stack))
    _write(options.sarif, sarif(events, RULES, places))
    mandatory = sum(violation.level == "mandatory" for violation in events.violations)
    advisory = len(events.violations) - mandatory
    print(f"{options.json}, {options.sarif}: {mandatory} mandatory violations, {advisory} advisory")
    for violation in events.violations:
        print(f"{violation.level}: {violation.message}")
    if mandatory:
        return 1
    if events.errors or not events.finished:
        reason = events.errors[0] if events.errors else "the run ended before its summary"
        raise ToolError(f"the pack found nothing mandatory, but the run failed: {reason}")
    return 0


def _stack_of(events: Events) -> str:
    return events.violations[0].resource.stack if events.violations else ""


def _read(path: Path) -> Events:
    try:
        with path.open(encoding="utf-8") as lines:
            return read_events(lines)
    except (OSError, ValueError) as error:
        raise ToolError(f"{path}: {error}") from error


def _run(options: argparse.Namespace) -> Events:
    """Runs Pulumi on the stack and returns what it said; its own output goes to the terminal."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "events.json")
        command = ["policy", "analyze", "--json"] if options.state else ["preview", "--event-log", str(log)]
        command += ["--policy-pack", str(PACK_FOLDER)]
        if options.stack:
            command += ["--stack", options.stack]
        if options.configuration:
            command += ["--policy-pack-config", str(options.configuration)]
        done = _pulumi(*command)
        if options.state:
            log.write_text(done.stdout, encoding="utf-8")
        if not log.exists() or not log.read_text(encoding="utf-8").strip():
            if options.state and done.returncode == 0:
                return Events((), (), finished=True)
            raise ToolError(f"pulumi {command[0]} said nothing of policies: {_last_line(done)}")
        events = _read(log)
        if done.returncode and not events.violations and not events.errors:
            return Events(events.violations, (_last_line(done),), events.finished)
        return events


def _places(stack: str) -> dict[str, Place]:
    """Where the stack's resources are registered; nothing for a stack that was never deployed."""
    done = _pulumi("stack", "export", *(["--stack", stack] if stack else []))
    return places_of(json.loads(done.stdout)) if done.returncode == 0 else {}


def _pulumi(*command: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            ["pulumi", "--non-interactive", "--color", "never", *command],
            capture_output=True,
            text=True,
            check=False,
            # --event-log is one of the flags that the CLI shows to whoever asks for them.
            env={**os.environ, "PULUMI_DEBUG_COMMANDS": "true"},
        )
    except FileNotFoundError as error:
        raise ToolError("there is no pulumi on PATH; install the Pulumi CLI, or source .local/env") from error


def _last_line(done: subprocess.CompletedProcess[str]) -> str:
    lines = [line for line in (done.stdout + "\n" + done.stderr).splitlines() if line.strip()]
    errors = [line for line in lines if "error:" in line]
    return (errors or lines or ["no output"])[-1].strip()


def _write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
