"""The one error type that the local stack's commands show to a person.

Owns how a failure is worded: what is wrong, and what to do about it. Deliberately doesn't own exit codes
or printing; `local.cli` does.
"""

from __future__ import annotations


class LocalError(Exception):
    """A failure that a person can act on.

    `problem` is one sentence naming the thing, its value and the rule that it broke; `fix` says what to do.
    """

    def __init__(self, problem: str, fix: str) -> None:
        super().__init__(f"{problem}\nFix: {fix}")
        self.problem = problem
        self.fix = fix
