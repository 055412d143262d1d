"""One change of a running stack, there and back, judged; and what it did, for `docs/changes.json`."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.walk import rules
from tests.walk.change import LEFT_OUT, Change, Run, changed
from tests.walk.coverage import parsed, values_at
from tests.walk.runs import base_values
from tests.walk.stack import Operation, Outcome, WalkedStack
from tests.walk.watcher import Record

COMPONENTS = ("fileflow:", "awsx:", "pulumi:")
"""Types that are groups of resources, and none themselves."""
RESTARTS_OF_A_FAILING_VERSION = 5
"""The circuit breaker's three, the rollback, and the one that the next run may start."""


@dataclass
class Walked:
    """What came of one run: what was wrong, what each change did, and how the schedulers changed over."""

    violations: list[str] = field(default_factory=list)
    entries: list[dict[str, Any]] = field(default_factory=list)
    handovers: list[rules.Handover] = field(default_factory=list)


def walk(stack: WalkedStack, run: Run) -> Walked:
    """Goes there and back from the stack's base, which it has to be at, and is at again afterwards."""
    walked = Walked()
    before = base_values(stack.base)
    after = changed(before, run.changes)
    state, inventory = stack.state(), stack.inventory()
    going = stack.keys_to_be_deleted()
    stack.write(after)
    there = there_from(stack, run, before, after)
    refused = not there.succeeded and not there.operations
    judge(walked, run, there, after if there.succeeded else before)
    walked.entries = [entry(change, before, there, refused, stack.facts) for change in run.changes]
    if refused:
        walked.violations += _refusal(run, there)
        if (stack.state(), stack.inventory()) != (state, inventory):
            walked.violations.append("refused, but something has changed")
        stack.write(before)
        return walked
    if there.succeeded:
        walked.violations += _unchanged(stack.up(changes_nothing=True), "the run after it")
        walked.violations += rules.unguarded(after, stack.web_acls())
    elif not run.fails:
        walked.violations.append(f"failed halfway: {'; '.join(there.errors)[:1000] or there.output[-1000:]}")
    stack.write(way_back(before, run.renames or {}))
    # The new names are the old ones' again.
    back = stack.up(watched=True, renames=run.renames)
    judge(walked, run, back, before)
    if not back.succeeded:
        walked.violations.append(f"no way back: {'; '.join(back.errors)[:1000] or back.output[-1000:]}")
        stack.start()
        return walked
    stack.write(before)
    walked.violations += _unchanged(stack.up(changes_nothing=True), "the run after the way back")
    walked.violations += _left_behind(inventory, stack.inventory())
    walked.violations += rules.unguarded(before, stack.web_acls())
    walked.violations += rules.unreadable(going, stack.keys_to_be_deleted(), run.deletes_keys)
    return walked


def way_back(before: Mapping[str, Any], renames: Mapping[str, str]) -> dict[str, Any]:
    """The former file, in which schedulers that get their old names again say which ones they are."""
    result: dict[str, Any] = copy.deepcopy(dict(before))
    for new, old in renames.items():
        for scheduler in result["schedulers"]:
            if scheduler["name"] == old:
                scheduler["renamed_from"] = new
                if "lease" in scheduler:
                    scheduler["lease"] = {**scheduler["lease"], "key": old}
    return result


def tour(stack: WalkedStack, steps: Sequence[Sequence[Run]], refused: Sequence[Run]) -> Walked:
    """Goes through several runs without a way back between them, and all the way back at the end.

    The runs of a step go in together; what has to be `refused` is tried where the last one ended.
    """
    walked = Walked()
    inventory, going = stack.inventory(), stack.keys_to_be_deleted()
    before = base_values(stack.base)
    values: dict[str, Any] = before
    gone: list[Run] = []
    for step in steps:
        gone += step
        values = changed(values, [change for run in step for change in run.changes])
        stack.write(values)
        _judged_step(walked, stack, _together(gone), values)
    for run in refused:
        state, there = stack.state(), stack.inventory()
        stack.write(changed(values, run.changes))
        outcome = stack.up(preview=True)
        if outcome.succeeded or outcome.operations:
            walked.violations.append(f"{run.name} isn't refused at preview: {outcome.output[-1000:]}")
        walked.violations += _refusal(run, outcome)
        if (stack.state(), stack.inventory()) != (state, there):
            walked.violations.append(f"{run.name} is refused, but something has changed")
    back = _together(gone)
    stack.write(way_back(before, back.renames or {}))
    _judged_step(walked, stack, back, before)
    stack.write(before)
    walked.violations += _unchanged(stack.up(changes_nothing=True), "the run after the way back")
    walked.violations += _left_behind(inventory, stack.inventory())
    walked.violations += rules.unreadable(going, stack.keys_to_be_deleted(), asked_for=False)
    return walked


def _together(runs: Sequence[Run]) -> Run:
    return Run(
        name=", ".join(run.name for run in runs),
        changes=[change for run in runs for change in run.changes],
        renames={new: old for run in runs for new, old in (run.renames or {}).items()},
    )


def _judged_step(walked: Walked, stack: WalkedStack, run: Run, values: Mapping[str, Any]) -> None:
    outcome = stack.up(watched=True, renames=run.renames)
    if not outcome.succeeded:
        errors = "; ".join(outcome.errors)[:1000] or outcome.output[-1000:]
        walked.violations.append(f"{run.name}: failed: {errors}")
    judge(walked, run, outcome, values)


def there_from(stack: WalkedStack, run: Run, before: Mapping[str, Any], after: Mapping[str, Any]) -> Outcome:
    """The run itself: with its preview where that has something to say, which costs as long as the run."""
    says_something = run.previewed or any(change.interrupts for change in run.changes)
    outcome = stack.up(preview=says_something, watched=True, renames=run.renames)
    if outcome.succeeded or not outcome.operations or says_something or run.fails:
        return outcome
    # Something fails halfway that a preview may refuse: once more, as a person does it.
    stack.write(before)
    if not stack.up().succeeded:
        return outcome
    stack.write(after)
    return stack.up(preview=True, watched=True, renames=run.renames)


def judge(walked: Walked, run: Run, outcome: Outcome, values: Mapping[str, Any]) -> None:
    """Adds what was wrong during one `pulumi up`, after which these values hold."""
    record = outcome.record
    walked.violations += record.problems
    walked.violations += rules.two_at_once(record)
    fails = run.fails or not outcome.succeeded
    walked.violations += rules.restarted(record, RESTARTS_OF_A_FAILING_VERSION if fails else 1)
    walked.violations += rules.not_running(record, scheduler_services(values, run.renames or {}))
    walked.handovers += rules.handovers(record)
    interruptions = [change.interrupts for change in run.changes if change.interrupts]
    for problem in rules.unanswered(record):
        if not interruptions:
            walked.violations.append(problem)
        elif "interrupt" not in outcome.output:
            walked.violations.append(f"the preview doesn't say that it interrupts the web API: {problem}")


def scheduler_services(values: Mapping[str, Any], renames: Mapping[str, str]) -> list[str]:
    """The services of a file's schedulers that must run, by the names that the watcher counts them under.

    One that is paused must not.
    """
    names = [each["name"] for each in values.get("schedulers", []) if "paused" not in each]
    return [f"fileflow-scheduler-{renames.get(name, name)}" for name in names]


def entry(
    change: Change, before: Mapping[str, Any], outcome: Outcome, refused: bool, facts: Mapping[str, str]
) -> dict[str, Any]:
    """What a change did, as `docs/changes.json` has it: with the facts' names, since each walk has others."""
    pattern = re.compile(change.resources)
    mine = [
        each
        for each in outcome.operations
        if pattern.search(f"{each.type} {each.name}") and not each.type.startswith(COMPONENTS)
    ]
    result: dict[str, Any] = {"change": dict(_words(change, before))}
    if refused:
        told = "\n".join(dict.fromkeys(outcome.errors))
        for name, value in facts.items():
            told = told.replace(value, f"${name}")
        return {**result, "refused": told}
    if not outcome.succeeded:
        result["failed"] = True
    result |= {
        "created": _types(mine, "create"),
        "updated": _types(mine, "update"),
        "replaced": _types(mine, "replace"),
        "deleted": _types(mine, "delete"),
        "restarted": _restarted(outcome.record, change),
    }
    if change.interrupts:
        result["interrupts"] = change.interrupts
    return {key: value for key, value in result.items() if value}


def _types(operations: Sequence[Operation], kind: str) -> list[str]:
    """The types of resources that this was done to. Of a revision, a replacement is only the next one."""
    return sorted({each.type.rpartition(":")[2] for each in operations if each.kind == kind})


def _restarted(record: Record, change: Change) -> list[str]:
    pattern = re.compile(change.resources)
    kinds = {
        "scheduler" if rules.SCHEDULER in service else "web API" for service in _services(record, pattern)
    }
    return sorted(kinds)


def _services(record: Record, pattern: re.Pattern[str]) -> Iterator[str]:
    for service in rules.restarted_services(record):
        if pattern.search(f"aws:ecs/service:Service {service}-service"):
            yield service


def _words(change: Change, before: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What each setting was and becomes, in words."""
    for path, value in change.values.items():
        old = values_at(parsed(before), path)
        new = "left out" if value is LEFT_OUT else _word(value)
        yield path, f"{_word(old[0]) if old else 'left out'} → {new}"


def _word(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int):
        return f"`{value}`"
    return "given" if value else "empty"


def _refusal(run: Run, outcome: Outcome) -> Iterator[str]:
    """A refusal names a key of the change and what to do, in one line each, which then names the file too."""
    if not outcome.errors:
        yield f"refused without an error: {outcome.output[-1000:]}"
        return
    paths = [path for change in run.changes for path in change.values]
    keys = {key for path in paths for key in (path.partition(".")[0], path.rpartition(".")[2])}
    if not any(key in error for key in keys for error in outcome.errors):
        yield f"refused without naming one of {', '.join(sorted(keys))}: {outcome.errors}"
    for error in outcome.errors:
        first, *others = error.splitlines()
        if others and not all(line.startswith("Pulumi.local.yaml: ") for line in (first, *others)):
            yield f"refused in more than one line: {error}"


def _unchanged(outcome: Outcome, what: str) -> Iterator[str]:
    if outcome.operations or not outcome.succeeded:
        done = sorted(f"{each.kind} {each.type} {each.name}" for each in outcome.operations)
        yield f"{what}, unchanged, isn't quiet: {done or outcome.output[-1000:]}"


def _left_behind(before: Mapping[str, Sequence[str]], after: Mapping[str, Sequence[str]]) -> Iterator[str]:
    for kind, names in before.items():
        if len(names) != len(after[kind]):
            extra = sorted(set(after[kind]) - set(names))
            lost = sorted(set(names) - set(after[kind]))
            yield f"{kind}: {len(names)} before, {len(after[kind])} after; new {extra}, gone {lost}"
