"""The plugin's side of the protocol: the SDK's component server, with awaiting components and plain errors.

The SDK serves one Construct at a time, because it keeps the engine's address in settings of the process.
A component waits only for its own children, so this can't block another one for ever.
"""

from __future__ import annotations

from collections.abc import Mapping

import grpc
import pulumi
from pulumi.provider.provider import ConstructResult, Provider
from pulumi.provider.server import ProviderServicer
from pulumi.runtime import config, proto, settings
from pulumi.runtime.stack import wait_for_rpcs

from local.plugins.awsx import repository, vpc
from local.plugins.awsx.values import Component, ComponentError

VERSION = "3.11.0"
COMPONENTS: Mapping[str, Component] = {module.TYPE: module.construct for module in (repository, vpc)}


class AwsxServicer(ProviderServicer):
    """`ResourceProvider` for components; everything about single resources stays unimplemented."""

    def __init__(self, engine_address: str) -> None:
        super().__init__(Provider(version=VERSION), [], engine_address)

    async def Construct(
        self, request: proto.ConstructRequest, context: grpc.aio.ServicerContext
    ) -> proto.ConstructResponse:
        """Register a component and wait for its children. Errors are one line, without a trace."""
        async with self.lock:
            try:
                return await self._construct(request, context)
            except Exception as error:
                message = _message(error)
                if message is None:
                    raise
                # The engine puts the component's type and name before it.
                await context.abort(grpc.StatusCode.INVALID_ARGUMENT, message)
                raise AssertionError("abort always raises") from error

    async def _construct(
        self, request: proto.ConstructRequest, context: grpc.aio.ServicerContext
    ) -> proto.ConstructResponse:
        settings.reset_options(
            organization=request.organization or "organization",
            project=request.project or None,
            stack=request.stack or None,
            parallel=request.parallel or None,
            engine_address=self.engine_address,
            monitor_address=request.monitorEndpoint or None,
            preview=request.dryRun,
        )
        await settings._load_monitor_feature_support()  # type: ignore[no-untyped-call] # the SDK leaves it untyped
        config.set_all_config(dict(request.config), list(request.configSecretKeys))
        construct = _component(request.type)
        inputs = await self._construct_inputs(request.inputs, request.inputDependencies)
        made = await construct(request.name, inputs, self._construct_options(request))
        response = await self._construct_response(ConstructResult(urn=made.urn, state=dict(made.outputs)))
        await wait_for_rpcs(await_all_outstanding_tasks=False)
        return response


def _component(token: str) -> Component:
    """Return the component of a type; raises ComponentError naming it when the stand-in lacks it."""
    if token not in COMPONENTS:
        raise ComponentError(
            f"the local stand-in for awsx doesn't have the type {token}, only "
            f"{', '.join(sorted(COMPONENTS))}; use one of these or install the real awsx plugin"
        )
    return COMPONENTS[token]


def _message(error: Exception) -> str | None:
    """The message where it says it all; the SDK makes a bare Exception of what the engine refuses."""
    if isinstance(error, grpc.RpcError):
        return str(error.details() or error)
    is_plain = isinstance(error, ComponentError | pulumi.RunError) or type(error) is Exception
    return str(error) if is_plain else None
