"""Configurations by chance: each is refused, in a line for each mistake, or the whole program previews.

A configuration is one of the committed files, changed as people change and spoil files: settings of the
walk, values of another kind, keys that are misspelled, left out, moved, given twice, texts that a shell has
cut. Owns the chance and the judgement. Doesn't own the settings (`settings`) nor the values that are right
(`tests.walk`).
"""

from __future__ import annotations

import concurrent.futures
import copy
import functools
import itertools
import json
import multiprocessing
import random
import re
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pulumi
import yaml

from local.environment import REGION
from local.stack import ENCRYPTION_SALT
from settings import Settings, SettingsError, parse_settings, read_stack_file
from tests.engine.deployment import Deployment
from tests.torture.canary import SECRET
from tests.torture.evidence import Evidence
from tests.unit.stacks import STACKS, as_text, record_stack, stack_values
from tests.walk.change import changed, with_facts
from tests.walk.coverage import EXAMPLES
from tests.walk.runs import BOTH, RUNS, base_values
from tools.setting_paths import settings_of

LINE = re.compile(r"(Pulumi\.\w+\.yaml: )?(fileflow|aws):\S* .*(is|are) .+, but .+\. ?.+")
"""A refusal's line: the file where it stands in one, key, value, rule and fix."""

LEAKED = "a password in a message"

PATHS = [setting.path for setting in settings_of(Settings)]
NONSENSE: list[Any] = [
    *(None, True, False, 0, 1, -1, 2, 7, 65535, 65536, 2**31, 2**63, 10**30, 0.5, -0.0, 1e308),
    *(
        "",
        " ",
        "0",
        "-1",
        "1.10",
        "true",
        "null",
        "~",
        "{",
        "[",
        "{}",
        "[]",
        '{"a": 1}',
        "a\nb",
        "\t",
        "\x00",
    ),
    *(
        "${env}",
        "$(id)",
        "%s",
        "{0}",
        "../../etc/passwd",
        "arn:aws:iam::1:role/x",
        "arn:",
        "0.0.0.0/0",
        "::/0",
    ),
    *(
        "키",
        "🔥",
        "\u202e",
        "A" * 300,
        "-" * 63,
        "fileflow-" * 40,
        "10.20.0.0/99",
        "cron(* * * * ? *)",
        "latest",
    ),
    *([], {}, [[]], [{}], {"": ""}, [None], {"a": None}, [1, "1"], {"secure": "v1:abc"}, ["same", "same"]),
]
CUTS = (
    "{",
    "[",
    '{"create": ',
    '{"a": 1}}',
    "[1, 2",
    "{'a': 1}",
    "[]]",
    "NaN",
    "Infinity",
    "[NaN]",
    "[1e999]",
)


@dataclass(frozen=True)
class Configuration:
    """A stack's name, its values, and texts that the engine would hand over in their place."""

    stack: str
    values: dict[str, Any]
    texts: dict[str, str] = field(default_factory=dict)

    def settings(self) -> Settings:
        """What the reader makes of it."""
        texts = {**as_text(self.values), **self.texts}
        return parse_settings(self.stack, texts, now=datetime.now(UTC))

    def __str__(self) -> str:
        return json.dumps({**self.values, **self.texts}, ensure_ascii=False)


def configuration(seed: str) -> Configuration:
    """The configuration of a seed."""
    dice = random.Random(seed)
    stack = dice.choice(STACKS)
    start = dice.choice([stack_values(stack), stack_values(stack), base_values(dice.choice(BOTH))])
    values: dict[str, Any] = with_facts(start, EXAMPLES)
    for _ in range(dice.choice((0, 1, 1, 1, 2, 3))):
        values = _as_walked(values, dice)
    for _ in range(dice.choice((0, 0, 1, 1, 2, 4))):
        dice.choice(SPOILS)(values, dice)
    if dice.random() < 0.1:
        _with_a_password(values, dice)
    texts = {}
    if dice.random() < 0.1:
        texts[dice.choice([*values, *Settings.model_fields])] = dice.choice(CUTS)
    return Configuration(stack, values, texts)


def _with_a_password(values: dict[str, Any], dice: random.Random) -> None:
    """A password where somebody may put one by mistake, at times below a misspelled key."""
    for key in ("web_api", "images"):
        if isinstance(values.get(key), dict):
            values[key] = {
                dice.choice(("environment", "build_args")): {"DB_PASSWORD": SECRET},
                **values[key],
            }
    if dice.random() < 0.5 and "web_api" in values:
        values[dice.choice(("web_apis", "Web_api", "webapi"))] = values.pop("web_api")


def _as_walked(values: dict[str, Any], dice: random.Random) -> dict[str, Any]:
    """One of the walk's changes, whose values are right where the rest fits them."""
    change = dice.choice(dice.choice(RUNS).changes)
    try:
        return dict(with_facts(changed(values, [change]), EXAMPLES))
    except (AttributeError, TypeError, KeyError):
        # Something spoiled stands where the change would go.
        return values


def _places(value: Any, parent: Any = None, key: Any = None) -> Iterator[tuple[Any, Any, Any]]:
    """Each value of a document, with where it stands."""
    if parent is not None:
        yield parent, key, value
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, each in inner:
        yield from _places(each, value, name)


def _spoils(function: Callable[[Any, Any, Any, random.Random], None]) -> Callable[..., None]:
    """A function of one place as one of a whole document."""

    def spoil(values: dict[str, Any], dice: random.Random) -> None:
        places = list(_places(values))
        if places:
            function(*dice.choice(places), dice)

    return spoil


@_spoils
def _nonsense(parent: Any, key: Any, _value: Any, dice: random.Random) -> None:
    parent[key] = copy.deepcopy(dice.choice(NONSENSE))


@_spoils
def _left_out(parent: Any, key: Any, _value: Any, _dice: random.Random) -> None:
    del parent[key]


@_spoils
def _misspelled(parent: Any, key: Any, value: Any, dice: random.Random) -> None:
    if isinstance(parent, dict):
        at = dice.randrange(len(key) + 1)
        spelled = [
            key[:at] + key[at + 1 :],
            key[:at] + "x" + key[at:],
            key.upper(),
            key.replace("_", "-"),
            "",
        ]
        del parent[key]
        parent[dice.choice(spelled)] = value


@_spoils
def _of_another_kind(parent: Any, key: Any, value: Any, dice: random.Random) -> None:
    parent[key] = dice.choice([[value], {"value": value}, str(value), json.dumps(value), [value, value]])


@_spoils
def _nearly(parent: Any, key: Any, value: Any, dice: random.Random) -> None:
    """A number beside the right one, a text with something more or less."""
    if isinstance(value, int) and not isinstance(value, bool):
        parent[key] = dice.choice([value + 1, value - 1, -value, value * 1000, float(value), value + 0.5])
    elif isinstance(value, str):
        parent[key] = dice.choice([value + " ", " " + value, value[1:], value[:-1], value.upper(), value * 2])


@_spoils
def _given_twice(parent: Any, _key: Any, value: Any, _dice: random.Random) -> None:
    if isinstance(parent, list):
        parent.append(copy.deepcopy(value))


def _moved(values: dict[str, Any], dice: random.Random) -> None:
    """Something copied to where something else stands."""
    places = list(_places(values))
    if places:
        (_, _, value), (parent, key, _) = dice.choice(places), dice.choice(places)
        parent[key] = copy.deepcopy(value)


def _anywhere(values: dict[str, Any], dice: random.Random) -> None:
    """Nonsense at any setting that there is, whether the file has it or not."""
    *parents, last = dice.choice(PATHS).split(".")
    section: Any = values
    for part in parents:
        section = section.setdefault(part, {}) if isinstance(section, dict) else None
        if isinstance(section, list):
            section = dice.choice(section) if section else None
    if isinstance(section, dict):
        section[last] = copy.deepcopy(dice.choice(NONSENSE))


SPOILS = (
    *(_nonsense, _left_out, _misspelled, _of_another_kind, _nearly, _nearly, _given_twice),
    *(_moved, _anywhere, _anywhere),
)


def judged(made: Configuration) -> tuple[bool, str]:
    """Whether it is taken, and what is wrong with the answer, if anything."""
    try:
        made.settings()
    except SettingsError as error:
        lines = str(error).split("\n")
        if SECRET in str(error):
            return False, f"{LEAKED}: {lines}"
        for line in lines:
            if not LINE.fullmatch(line):
                return False, f"a refusal that doesn't say key, value, rule and fix in a line: {line!r}"
        if len(lines) != len(set(lines)):
            return False, f"a mistake told twice: {lines}"
        return False, ""
    except Exception as error:  # noqa: BLE001 - whatever it is, a person would see a traceback
        return False, f"a traceback: {error!r} {traceback.format_exc(limit=-2)}"
    return True, ""


def previewed(made: Configuration) -> str:
    """What is wrong when the whole program previews it, without an engine."""
    try:
        record_stack(made.stack, preview=True, values=made.values)
    except pulumi.RunError as error:
        return f"taken by the settings, refused by the program: {error}"
    except Exception as error:  # noqa: BLE001 - whatever it is, a person would see a traceback
        return f"a traceback in the program: {error!r} {traceback.format_exc(limit=-3)}"
    return ""


@dataclass
class Share:
    """What came of a process's share."""

    refused: int = 0
    taken: int = 0
    previewed: int = 0
    failures: list[str] = field(default_factory=list)


def share(seed: int, numbers: range, previews: int) -> Share:
    """Judges the configurations of these numbers; of those that are taken, previews the first few."""
    result = Share()
    with tempfile.TemporaryDirectory() as folder:
        for number in numbers:
            made = configuration(f"{seed}/{number}")
            is_taken, wrong = judged(made)
            if not wrong and number % 50 == 0:
                wrong = _as_a_file(made, Path(folder))
            result.taken += is_taken
            result.refused += not is_taken
            if is_taken and not wrong and result.previewed < previews and not made.texts:
                result.previewed += 1
                wrong = previewed(made)
            if wrong:
                result.failures.append(f"--seed {seed} --only {number}: {wrong} in {made}")
    return result


def _as_a_file(made: Configuration, folder: Path) -> str:
    """The same by way of a file that is written and read again."""
    file = folder / f"Pulumi.{made.stack}.yaml"
    config = {f"fileflow:{key}": value for key, value in made.values.items()}
    file.write_text(yaml.safe_dump({"config": config}, allow_unicode=True))
    try:
        parse_settings(made.stack, as_text(made.values), file=read_stack_file(folder, "fileflow", made.stack))
    except SettingsError:
        return ""
    except Exception as error:  # noqa: BLE001 - whatever it is, a person would see a traceback
        return f"a traceback with its file: {error!r}"
    return ""


def by_the_cli(seed: int, count: int) -> list[str]:
    """What is wrong when a person previews them: half are taken, half refused. All with the real engine."""
    wrong = []
    wanted = {True: count // 2, False: count // 2}
    with tempfile.TemporaryDirectory(prefix="torture-") as name:
        deployment = Deployment.copy(Path(name))
        try:
            started = deployment.local("start")
            assert started.returncode == 0, started.stdout
            for number in itertools.count():
                if not any(wanted.values()):
                    break
                made = configuration(f"{seed}/{number}")
                is_taken, _ = judged(made)
                if made.texts or not wanted[is_taken]:
                    continue
                wanted[is_taken] -= 1
                config = {f"fileflow:{key}": value for key, value in made.values.items()}
                text = yaml.safe_dump({"config": {"aws:region": REGION, **config}}, allow_unicode=True)
                file = deployment.root / "Pulumi.local.yaml"
                file.write_text(f"{text}encryptionsalt: {ENCRYPTION_SALT}\n")
                done = deployment.sourced("pulumi preview --non-interactive")
                if "Traceback" in done.stdout or (done.returncode and "error:" not in done.stdout):
                    wrong.append(
                        f"--seed {seed} --only {number}: by the CLI: {done.stdout[-2500:]} in {made}"
                    )
                elif not done.returncode and not is_taken:
                    wrong.append(f"--seed {seed} --only {number}: the CLI previews what is refused: {made}")
        finally:
            deployment.down()
    return wrong


def again(seed: int, only: int) -> str:
    """Judges one configuration once more, and previews it where it is taken."""
    made = configuration(f"{seed}/{only}")
    is_taken, wrong = judged(made)
    return f"{made}\n{wrong or (previewed(made) if is_taken else 'refused') or 'previews'}"


def evidence(
    seed: int, count: int = 20_000, previews: int = 100, by_cli: int = 24, processes: int = 2
) -> Evidence:
    """Judges as many configurations as told, on several processes."""
    begun = time.monotonic()
    parts = [range(number, count, processes) for number in range(processes)]
    one = functools.partial(share, seed, previews=previews // processes)
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(processes, context) as pool:
        shares = list(pool.map(one, parts))
    refused, taken, seen = (
        sum(getattr(each, name) for each in shares) for name in ("refused", "taken", "previewed")
    )
    failures = [*(failure for each in shares for failure in each.failures), *by_the_cli(seed, by_cli)]
    return Evidence(
        "configurations by chance",
        {"configurations": count, "secrets found": sum(LEAKED in each for each in failures)},
        failures,
        [
            f"{refused:,} refused and {taken:,} taken by the settings; {seen:,} of those previewed by the "
            f"whole program without an engine, {by_cli} more by the real CLI; "
            f"{time.monotonic() - begun:.0f} s, seed {seed}"
        ],
    )
