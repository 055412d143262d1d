"""The refusal of a value that only a look at what runs can judge, so as late as in the preview.

Owns its form alone; what is refused is decided where the look is. Values that can be judged by themselves
are `validation`'s.
"""

from __future__ import annotations

import pulumi

from components.validation import InvalidArgumentError


def refused(field: str, value: object, rule: str, fix: str) -> pulumi.RunError:
    """The error to raise, in the words of `InvalidArgumentError`; the engine shows it without a traceback."""
    return pulumi.RunError(str(InvalidArgumentError(field, value, rule, fix)))
