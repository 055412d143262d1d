"""Whether a resource's policy lets a service of AWS in.

The judgement is ministack's. Doesn't own where a policy is stored, nor anybody's identity policies, which
have no effect in the emulated AWS.
Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region


def admits(
    policy: str | dict[str, Any] | None, service: str, action: str, resource: str, context: Mapping[str, str]
) -> bool:
    """Whether `policy` allows `service` the action, and nothing in it denies that.

    A condition on a key that isn't in `context` isn't met.
    """
    asked = iam_evaluator.EvalContext(
        principal_arn=service,
        principal_type="Service",
        principal_account=get_account_id(),
        action=action,
        resource_arn=resource,
        region=get_region(),
        secure_transport=True,
        service_context={key.lower(): value for key, value in context.items()},
    )
    return bool(iam_evaluator.evaluate_resource_policy(policy, asked, service).decision == "Allow")
