"""The command line: which verbs there are, and what they have alike.

Owns options, confirmation, output form and exit codes. Doesn't own what a verb does: each has a module
in `operate.verbs`.
"""

from __future__ import annotations

import functools
import io
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import click
from rich.console import Console, RenderableType

from operate.aws import Aws
from operate.errors import FAILED, OperateError, explained
from operate.result import Result, as_json
from operate.stack import Service, Stack, read_stack

READ_ONLY = "FILEFLOW_READ_ONLY"
UNBOUNDED_COLUMNS = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Session:
    """One call: the stack, the clients, and how the answer is printed."""

    stack: Stack
    aws: Aws
    json: bool
    yes: bool
    read_only: bool
    console: Console
    """For people: progress and results; with --json only progress, on stderr."""

    def services(self, name: str | None) -> list[Service]:
        """The named service, or all of them."""
        return list(self.stack.services) if name is None else [self.stack.service(name)]

    def about_to(self, what: str) -> None:
        """Asks before a change, on production; refuses it with --read-only.

        Raises OperateError where it is refused or can't be asked.
        """
        if self.read_only:
            raise OperateError(
                f"This would {what}, and --read-only is set.",
                f"Leave --read-only out, and unset {READ_ONLY}.",
            )
        if self.yes or not self.stack.asks_before_changes:
            return
        if not sys.stdin.isatty():
            raise OperateError(
                f"This would {what} on stack {self.stack.name}, and nobody is there to be asked.",
                "Say --yes.",
            )
        try:
            click.confirm(f"Stack {self.stack.name}: {what}?", abort=True, err=True)
        except click.Abort as error:
            raise OperateError(
                "Nobody said yes, so nothing was changed.", "Answer y, or say --yes."
            ) from error


@click.group(
    name="operate",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit code: 0 all is well, 1 something is wrong, 2 the command couldn't do its work.",
)
def app() -> None:
    """The runbook of FileFlow on ECS, as commands.

    Names come from the state of the stack that is selected (or --stack), everything else from AWS. For the
    AWS on this machine: source .local/env first.
    """


def verb(
    *, deployed: bool = True, stack: str | None = None
) -> Callable[[Callable[..., Result]], click.Command]:
    """Makes a command of a function from a session and its own options to a result.

    With `deployed` (the default) it is refused where the stack has no service. `stack` names the verb's own
    argument that says the stack, in place of `--stack`.
    """
    return functools.partial(_command, deployed, stack)


def _command(deployed: bool, argument: str | None, function: Callable[..., Result]) -> click.Command:

    @functools.wraps(function)
    def run(as_json_text: bool, yes: bool, read_only: bool, directory: Path, **options: Any) -> NoReturn:
        stack = options.pop("stack") if argument is None else options[argument]
        console = _console(stderr=as_json_text)
        try:
            found = read_stack(stack, directory, deployed=deployed)
            session = Session(
                stack=found,
                aws=Aws(found.region, found.account_id),
                json=as_json_text,
                yes=yes,
                read_only=read_only,
                console=console,
            )
            with explained(found.region):
                result = function(session, **options)
        except OperateError as error:
            _fail(error, as_json_text)
        except KeyboardInterrupt:
            _fail(
                OperateError("It was broken off.", "See what is by now: python -m operate status"),
                as_json_text,
            )
        if as_json_text:
            click.echo(as_json(result))
        else:
            show(console, result.human())
        sys.exit(result.exit_code)

    shared = (
        *(
            [click.option("--stack", metavar="NAME", help="The stack; without it the selected one.")]
            if argument is None
            else []
        ),
        click.option("--json", "as_json_text", is_flag=True, help="Print JSON instead of a table."),
        click.option("--yes", is_flag=True, help="Change production without asking."),
        click.option(
            "--read-only",
            is_flag=True,
            envvar=READ_ONLY,
            help=f"Refuse to change anything; also by {READ_ONLY}=1.",
        ),
        click.option(
            "--directory",
            type=click.Path(file_okay=False, exists=True, path_type=Path),
            default=Path(),
            help="The Pulumi project's folder; without it this one.",
        ),
    )
    for option in shared:
        run = option(run)
    command = click.command(name=function.__name__.replace("_", "-"))(run)
    app.add_command(command)
    return command


def show(console: Console, shown: RenderableType) -> None:
    """Prints for a person; only a table is fitted to the width.

    A line stays one line, which a terminal wraps by itself: half a command, copied, may be a command too.
    """
    console.print(shown, soft_wrap=True, markup=False, emoji=False)


def _console(*, stderr: bool) -> Console:
    """Where a person reads: as wide as the terminal or COLUMNS says, without bounds in a file or a pipe."""
    console = Console(stderr=stderr, highlight=False)
    if console.width == 0 or not (console.is_terminal or os.environ.get("COLUMNS")):
        console.width = UNBOUNDED_COLUMNS
    return console


def _fail(error: OperateError, as_json_text: bool) -> NoReturn:
    if as_json_text:
        click.echo(as_json({"error": error.problem, "fix": error.fix}))
    else:
        click.echo(f"error: {error.problem}\nFix: {error.fix}", err=True)
    sys.exit(FAILED)


def main() -> None:
    """Runs the command line."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # An encoding such as EUC-KR lacks some signs.
            stream.reconfigure(errors="backslashreplace")
    # Each module adds its verb.
    from operate import verbs  # noqa: F401

    app(prog_name="operate")
