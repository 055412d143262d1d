"""A secret that nobody else has, searched for wherever a run leaves something.

It is given in each way that a secret can be given: an encrypted setting of the provider, a value in Secrets
Manager that a container gets and, by mistake, a variable, a secret's name, a misspelled key. Owns the ways,
the places and the search. A second word, given where everybody may read it, shows that the search finds.
"""

from __future__ import annotations

import base64
import json
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from local.environment import LOCAL_ACCOUNT_ID
from tests.engine.deployment import Deployment
from tests.repeated import Repeated
from tests.torture.evidence import Evidence
from tests.torture.stack import PACK, PLAIN_UP

SECRET = "Canary7Kq2vX9mT4wB"
CONTROL = "Control3Hn8sR6zY1pL"
"""No secret: a variable in plain text, which a state has to hold."""

UP = f"PULUMI_DEBUG_COMMANDS=true {PLAIN_UP} --event-log events.json"
PREVIEW = f"pulumi preview --non-interactive {PACK}"


def spellings(word: str) -> tuple[bytes, ...]:
    """A word as it may stand in a file: plain, and in base64 at each of its three beginnings."""
    plain = word.encode()
    encoded = (base64.b64encode(b"x" * before + plain) for before in range(3))
    # Without the ends, which depend on what stands beside it.
    return (plain, *(each[4:-4] for each in encoded))


def found_in(word: str, texts: Iterable[tuple[str, bytes]]) -> list[str]:
    """The places that have a word."""
    sought = spellings(word)
    return [place for place, text in texts if any(each in text for each in sought)]


def files(root: Path) -> Iterator[tuple[str, bytes]]:
    """Everything that commands have left in a copy: states, logs, events, copies of settings, workspaces."""
    for file in sorted(root.rglob("*")):
        if file.is_file() and not file.is_symlink() and ".venv" not in file.parts:
            yield str(file.relative_to(root)), file.read_bytes()


class CommandLines(Repeated):
    """Every command line of this machine while it lasts; arguments are read by everybody."""

    def __init__(self) -> None:
        super().__init__(pause_seconds=0.05)
        self.seen: dict[str, bytes] = {}

    def look(self) -> None:
        """Reads those that there are now."""
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    line = (entry / "cmdline").read_bytes()
                except OSError:
                    # It has ended.
                    continue
                self.seen[f"command line {line[:60]!r}"] = line


@dataclass
class Found:
    """Where the secret and the control were found, and what was searched."""

    secret: list[str] = field(default_factory=list)
    control: list[str] = field(default_factory=list)
    places: int = 0
    wrong: list[str] = field(default_factory=list)


def searched(deployment: Deployment, *, thorough: bool = True) -> Found:
    """Gives the secret in all ways, runs, and searches; one run and one mistake where it isn't `thorough`."""
    result = Found()
    said: list[tuple[str, bytes]] = []
    with CommandLines() as lines:
        started = deployment.local("start")
        assert started.returncode == 0, started.stdout
        value = json.dumps({"password": SECRET})
        deployment.client("secretsmanager").create_secret(Name="fileflow/database", SecretString=value)
        file = deployment.root / "Pulumi.local.yaml"
        before = file.read_text()
        right = before.replace(
            "      port: 9091\n",
            f"      port: 9091\n      environment: {{NOTE: {CONTROL}}}\n"
            '      secrets: {DB_PASSWORD: "secretsmanager:fileflow/database:password::"}\n',
        )
        file.write_text(right)
        # From a pipe, as the CLI's own page says: an argument is read by everybody.
        secret = deployment.root / "secret"
        secret.write_text(SECRET)
        steps = {
            "an encrypted setting of the provider": (
                # The emulated AWS takes the key for the account.
                f"pulumi config set aws:accessKey {LOCAL_ACCOUNT_ID}\n"
                f"pulumi config set --secret aws:secretKey < {secret}; rm {secret}; {UP}",
                True,
            ),
            "a second run": (UP, True),
            "a run that fails": (f"{UP} --target urn:none", False),
            "outputs": ("pulumi stack output --json; pulumi stack export; pulumi stack history --json", True),
            "the runbook": ("python -m operate status --json", True),
        }
        for name, (command, succeeds) in list(steps.items())[: None if thorough else 1]:
            done = deployment.sourced(command)
            said.append((f"what is printed by {name}", done.stdout.encode()))
            if (done.returncode == 0) is not succeeds:
                result.wrong.append(f"{name} ended with {done.returncode}: {done.stdout[-1500:]}")
        kept = list(files(deployment.root))
        # With the encrypted setting, which the CLI has put into it.
        right = file.read_text()
        for name, wrong in list(MISTAKES.items())[: None if thorough else 1]:
            file.write_text(right.replace("      port: 9092\n", f"      port: 9092\n{wrong}"))
            # As everywhere the preview comes first: a run without one keeps the file as it is in its history.
            done = deployment.sourced(PREVIEW)
            said.append((f"what is printed of {name}", done.stdout.encode()))
            if done.returncode == 0:
                result.wrong.append(f"{name} isn't refused")
        file.write_text(before)
    logs = deployment.client("logs")
    for group in logs.describe_log_groups()["logGroups"]:
        events = logs.filter_log_events(logGroupName=group["logGroupName"])["events"]
        said.append((group["logGroupName"], "\n".join(each["message"] for each in events).encode()))
    definitions = deployment.client("ecs")
    for arn in definitions.list_task_definitions()["taskDefinitionArns"]:
        definition = definitions.describe_task_definition(taskDefinition=arn)["taskDefinition"]
        said.append((arn, json.dumps(definition, default=str).encode()))
    # What people wrote by mistake stands in their own file and its copies, as it did before any run.
    after = [(place, text) for place, text in files(deployment.root) if not place.endswith(".yaml")]
    places = [*said, *kept, *after, *lines.seen.items()]
    result.places = len(places)
    result.secret = found_in(SECRET, places)
    result.control = found_in(CONTROL, places)
    return result


MISTAKES = {
    "a password in a variable": f"      environment: {{DB_PASSWORD: {SECRET}}}\n",
    "a password below a misspelled key": f"      enviroment: {{DB: {SECRET}}}\n",
    "a password in place of a secret's name": f"      secrets: {{DB_PASSWORD: {SECRET}}}\n",
    "a password in a misspelled section": f"  fileflow:web_apis: {{environment: {{DB: {SECRET}}}}}\n",
}
"""What a person writes below a scheduler and shouldn't have; each is refused."""


def evidence(_seed: int) -> Evidence:
    """The search as a row of the table."""
    with tempfile.TemporaryDirectory(prefix="torture-") as name:
        deployment = Deployment.copy(Path(name))
        try:
            result = searched(deployment)
        finally:
            deployment.down()
    failures = [*(f"the secret stands in {place}" for place in result.secret), *result.wrong]
    if not any("stacks" in place for place in result.control):
        failures.append(f"the search doesn't find the control in the state: {result.control}")
    return Evidence(
        "a canary secret",
        {"scenes": len(MISTAKES) + 1, "secrets found": len(result.secret)},
        failures,
        [
            f"{result.places:,} files, messages, logs and command lines searched; "
            f"the control was found in {len(result.control)}"
        ],
    )
