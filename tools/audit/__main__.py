"""The command: `python -m tools.audit`, with the environment of the stack to audit."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import boto3

from local import progress
from local.errors import LocalError
from local.paths import Paths
from operate.errors import OperateError
from operate.pulumi_cli import pulumi
from tools import compliance
from tools.audit import accepted, own_checks, prowler, reports
from tools.audit.judgement import judge
from tools.audit.resources import OwnResources


def main(arguments: Sequence[str]) -> int:
    """Audits a stack; returns 1 for what is neither mended nor accepted, and for what needn't be accepted."""
    options = _parse(arguments)
    try:
        return audit(options)
    except (LocalError, OperateError) as error:
        print(f"audit: {error}", file=sys.stderr)
        return 1


def audit(options: argparse.Namespace) -> int:
    """Runs Prowler on the stack's own resources, and reports."""
    paths = Paths.of(os.environ)
    entries = accepted.read(options.accepted)
    stack = options.stack or pulumi(["stack", "--show-name"], Path()).strip()
    own = OwnResources.of_state(json.loads(pulumi(["stack", "export", "--stack", stack], Path())))
    if not own.resources:
        raise LocalError(f"stack {stack} has no resources.", f"deploy it first: make up STACK={stack}")
    python = prowler.environment_python(paths, os.environ)
    requirements = prowler.requirements(python, options.frameworks)
    progress.say(f"Prowler asks about {len(own.resources)} resources of {stack}: a minute or two.")
    findings, errors = prowler.run(python, own, list(requirements), options.output, os.environ)
    found = [*prowler.read(findings), *own_checks.checked(own, client_of(own))]
    rows = judge(stack, own, found, entries, {**requirements, **own_checks.requirements()})
    print(reports.table(rows))
    for check in sorted({row.check for row in rows} - set(compliance.checks())):
        print(f"{check} isn't in tools/audit/checks.yaml: say there what holds it.")
    written = reports.write(rows, stack, options.output)
    print("\n".join([*(f"Prowler: {each}" for each in errors), *(f"Wrote {each}" for each in written)]))
    return 1 if any(row.fails for row in rows) else 0


def client_of(own: OwnResources) -> own_checks.Clients:
    """Clients of boto3 in the stack's region, with the usual credentials and endpoint."""
    region = min(own.regions(), default=None)
    return lambda service: boto3.client(service, region_name=region)


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.audit", description=__doc__)
    parser.add_argument("--stack", help="the stack to audit; by default the one that is selected")
    parser.add_argument(
        "--frameworks",
        nargs="+",
        default=list(prowler.FRAMEWORKS),
        metavar="FRAMEWORK",
        help="what to audit by, as Prowler calls it; by default %(default)s",
    )
    parser.add_argument(
        "--accepted", type=Path, default=accepted.ACCEPTED, help="the file of accepted findings"
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=Path(".local/audit"),
        help="where the reports go; by default %(default)s",
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
