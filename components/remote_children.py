"""Changes to what a component of another package, as awsx's, registers inside itself.

Owns when the engine is asked for them: mocks serve no callbacks, and construct no children either.
Source: https://www.pulumi.com/docs/iac/concepts/resources/options/transforms/
"""

from __future__ import annotations

import pulumi

from components.rollout import mocked


def transforms(*each: pulumi.ResourceTransform) -> list[pulumi.ResourceTransform] | None:
    """The option `transforms` of a component; none under mocks."""
    return None if mocked() else list(each)
