"""The Pulumi CLI, asked for what it knows of a stack, and told what to write into its file."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from components.names import PROJECT
from operate.errors import OperateError

if TYPE_CHECKING:
    from settings import Settings


def pulumi(arguments: Sequence[str], folder: Path) -> str:
    """What `pulumi ARGUMENTS` prints.

    Raises OperateError where there is no CLI, or where it refuses.
    """
    try:
        done = subprocess.run(
            ["pulumi", *arguments, "--non-interactive"],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError as error:
        raise OperateError(
            "There is no `pulumi` on the PATH.",
            "Install the Pulumi CLI, or for the AWS on this machine: source .local/env",
        ) from error
    if done.returncode == 0:
        return done.stdout
    said = _said(done.stdout, done.stderr)
    raise OperateError(f"`pulumi {' '.join(arguments)}` failed: {said}", _fix(arguments[0], said))


def _said(stdout: str, stderr: str) -> str:
    """The CLI's error; a command with --json has it in its answer alone."""
    for line in stderr.splitlines():
        if line.startswith("error:"):
            return line.removeprefix("error: ")
    if stderr.strip() or not stdout.startswith("{"):
        return stderr.strip()
    diagnostics = json.loads(stdout).get("diagnostics") or []
    found = [str(each["message"]).strip() for each in diagnostics if each["severity"] == "error"]
    return "; ".join(each.removeprefix("error: ") for each in found)


def _fix(command: str, said: str) -> str:
    if "no stack" in said:
        return (
            "See the stacks with `pulumi stack ls`, and choose one: --stack NAME, or `pulumi stack select`."
        )
    if "project file" in said:
        return "Say it in the project's folder, or name that: --directory FOLDER."
    if command == "preview":
        return "Correct the stack's file, Pulumi.STACK.yaml, until `pulumi preview` runs through."
    if command == "config":
        return "See that the stack's file, Pulumi.STACK.yaml, is YAML and may be written."
    return (
        "Check the login and where the state is: pulumi whoami --verbose; for the AWS on this machine: "
        "source .local/env"
    )


def set_text(stack: str, key: str, text: str, folder: Path) -> None:
    """Writes a text into the stack's file, also one that looks like a number or a time: 1.10 is no number."""
    pulumi(["config", "set", "--stack", stack, "--path", key, text, "--type", "string"], folder)


def take_out(stack: str, key: str, folder: Path) -> None:
    """Takes a key with all that is below it out of the stack's file."""
    pulumi(["config", "rm", "--stack", stack, "--path", key], folder)


def up_command(stack: str) -> str:
    """What deploys the stack's file."""
    return f"pulumi up --stack {stack} --policy-pack policies"


def settings_of(stack: str, folder: Path) -> Settings:
    """The settings in the stack's file, as the program reads them.

    Raises OperateError with every mistake that is in it.
    """
    # The settings bring the Pulumi SDK, which most verbs start without.
    from settings import SettingsError, parse_settings, read_stack_file

    values = json.loads(pulumi(["config", "--json", "--stack", stack], folder))
    own = {
        key.removeprefix(f"{PROJECT}:"): each["value"]
        for key, each in values.items()
        if key.startswith(f"{PROJECT}:") and "value" in each
    }
    try:
        return parse_settings(stack, own, file=read_stack_file(folder, PROJECT, stack))
    except SettingsError as error:
        raise OperateError(str(error), f"Correct Pulumi.{stack}.yaml.") from error
