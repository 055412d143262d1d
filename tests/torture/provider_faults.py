"""Calls that go wrong between the providers and AWS while a stack comes up and changes.

Throttling, errors, resets, late and lost answers of 5, 20 and 50 % of all calls, by the proxy that the
guard's calls go through elsewhere (`faults`). Owns the runs. What converged is the stack's to say (`stack`).
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.torture.evidence import Evidence
from tests.torture.faults import Way
from tests.torture.kills import CANCEL
from tests.torture.stack import PLAIN_UP, TorturedStack

FAULTS = ("throttled", "failed", "slow down", "reset", "lost", "late answer")
SHARES = (0.05, 0.2, 0.5)
NAMELESS = ("roles", "alarms", "security groups", "security group rules", "networks", "subnets")
"""What gets another name, or none, with each attempt to create it: where the answer to the first is lost,
nobody knows that it is there. It stays behind, on AWS too; what has a name of its own can't.
"""
EXISTS = re.compile(r"ResourceAlreadyExistsException: The specified log group already exists: (\S+)")
RUNS = 3
"""How often a person runs `pulumi up` while AWS fails, before they wait until it has ended; then twice."""


@dataclass
class Faulty:
    """What came of it. `runs` is how many each share took, the last of them without faults where starred."""

    injected: Counter[str] = field(default_factory=Counter)
    runs: dict[str, str] = field(default_factory=dict)
    by_hand: list[str] = field(default_factory=list)
    """What a person had to delete, as docs/team.md says, because nobody's state knew of it."""
    left: Counter[str] = field(default_factory=Counter)
    """What stays behind of attempts whose answer was lost."""
    not_converged: list[str] = field(default_factory=list)
    two_at_once: list[str] = field(default_factory=list)


@contextlib.contextmanager
def opened(way: Way) -> Iterator[int]:
    """The way's port, served by a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="faults", daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(way.open(), loop).result()
    try:
        yield way.port
    finally:
        asyncio.run_coroutine_threadsafe(way.close(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def errors(output: str) -> list[str]:
    """What a run said of what failed."""
    lines = (line.strip() for line in output.splitlines())
    return sorted({line.removeprefix("error: ") for line in lines if line.startswith("error: ")})


def _deleted(stack: TorturedStack, output: str) -> list[str]:
    """Deletes the log groups that a run couldn't create because an unanswered call had created them."""
    found = sorted(set(EXISTS.findall(output)))
    for group in found:
        stack.client("logs").delete_log_group(logGroupName=group)
    return found


def faulty_run(stack: TorturedStack, share: float, dice: random.Random, result: Faulty, name: str) -> None:
    """`pulumi up` until it succeeds while calls go wrong, and once more when that has ended."""
    way = Way(stack.endpoint, dice, late_seconds=1.0, share=share, kinds=FAULTS)
    took = ""
    with stack.watcher() as watcher, opened(way) as port:
        for number in range(1, RUNS + 3):
            way.share = share if number <= RUNS else 0.0
            done = stack.deployment.sourced(
                f"export AWS_ENDPOINT_URL=http://127.0.0.1:{port}\n{CANCEL if number > 1 else ''}{PLAIN_UP}"
            )
            if done.returncode == 0:
                took = str(number) if number <= RUNS else f"{number}*"
                break
            result.by_hand += _deleted(stack, done.stdout)
            print(f"{name}: run {number} failed: {'; '.join(errors(done.stdout))}", flush=True)
    result.injected += way.injected
    result.runs[name] = took or "none"
    result.left |= Counter(stack.surplus())
    wrong = stack.wrong(NAMELESS) if took else f"`pulumi up` failed without faults too: {done.stdout[-2500:]}"
    if wrong:
        result.not_converged.append(f"{name}: {wrong}")
    result.two_at_once += [
        f"{name}: {count} tasks of {service} at once"
        for service, count in watcher.record.most_at_once.items()
        if count > 1
    ]
    print(
        f"{name}: {took or 'not converged'}, {way.injected.total()} faults {dict(way.injected)}", flush=True
    )


def faulty(seed: int, folder: Path, rounds: int = 1, shares: tuple[float, ...] = SHARES) -> Faulty:
    """Each share on a first run and on a change, as many rounds as told."""
    dice = random.Random(seed)
    result = Faulty()
    stack = TorturedStack.copy(folder)
    try:
        stack.begin()
        for number in range(rounds):
            for share in shares:
                stack.down()
                started = stack.deployment.local("start")
                assert started.returncode == 0, started.stdout
                faulty_run(stack, share, dice, result, f"{share:.0%} of the calls, from nothing ({number})")
                if result.runs[f"{share:.0%} of the calls, from nothing ({number})"] == "none":
                    stack.down()
                    up = stack.up()
                    assert up.returncode == 0, up.stdout
                stack.release += 1
                stack.write()
                faulty_run(stack, share, dice, result, f"{share:.0%} of the calls, a new revision ({number})")
    finally:
        stack.down()
    return result


def evidence(seed: int) -> Evidence:
    """The faults as a row of the table."""
    with tempfile.TemporaryDirectory(prefix="torture-") as name:
        result = faulty(seed, Path(name))
    runs = "; ".join(f"{name}: {took}" for name, took in result.runs.items())
    return Evidence(
        "faults between the providers and AWS",
        {
            "scenes": len(result.runs),
            "faults injected": result.injected.total(),
            "runs that didn't converge": len(result.not_converged),
        },
        [*result.not_converged, *result.two_at_once],
        [
            f"runs until it converged (* the last one without faults): {runs}; left behind by creations "
            f"whose answer was lost: {dict(result.left) or 'nothing'}; "
            f"deleted by hand, since it existed already: {', '.join(result.by_hand) or 'nothing'}; "
            f"seed {seed}"
        ],
    )
