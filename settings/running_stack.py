"""Whether the stack that is being deployed runs another environment already.

Every name has the environment in it, so another one would make everything anew and delete what runs, the
web API and the databases' ways in included. Owns the look at the stack's own outputs and the refusal. Doesn't
own the names (`components.names`).
"""

from __future__ import annotations

import pulumi

from components.names import Names
from components.rollout import mocked
from settings.messages import SettingsError, line

OUTPUT = "cloudwatch_log_group_name"
"""The output that tells the environment: its log groups meet with no other's."""


def refuse_another_environment(stack: str, environment: str) -> None:
    """Raises `SettingsError` where the stack, named in full, runs another environment than this one.

    A stack without outputs runs none, and mocks have none. The engine's own function reads them, without a
    resource in the state: https://github.com/pulumi/pulumi/blob/master/pkg/resource/deploy/builtins.go
    """
    if mocked():
        return
    try:
        read = pulumi.runtime.invoke("pulumi:pulumi:readStackOutputs", {"name": stack}).value
    except Exception as error:  # noqa: BLE001  # the SDK raises no narrower one for a function that failed
        pulumi.log.warn(f"The stack's outputs can't be read, which tell the environment that runs: {error}")
        return
    runs = ((read or {}).get("outputs") or {}).get(OUTPUT)
    if runs not in (None, Names(environment=environment).web_api.log_group):
        raise SettingsError(
            line(
                lambda _: "",
                ["environment"],
                environment,
                f"this stack runs another environment, whose web API logs to {runs}, and with every name "
                "another everything would be made anew",
                "Make a stack of its own for it, with: pulumi stack init",
            )
        )
