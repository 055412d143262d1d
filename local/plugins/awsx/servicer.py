"""The plugin's side of the protocol: the SDK's component server, with awaiting components and plain errors.

The SDK serves one Construct at a time, because it keeps the engine's address in settings of the process.
A component waits only for its own children, so this can't block another one for ever.
"""

from __future__ import annotations

from typing import NoReturn

import grpc
import pulumi
from pulumi.provider.provider import ConstructResult, Provider
from pulumi.provider.server import ProviderServicer
from pulumi.runtime import config, proto, settings
from pulumi.runtime.stack import wait_for_rpcs

from local.plugins.awsx import components
from local.plugins.awsx.values import ComponentError

VERSION = "3.11.0"


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
                if not _is_plain(error):
                    raise
                # The engine puts the component's type and name before it.
                await _refuse(context, _message(error))

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
        construct = components.component(request.type)
        inputs = await self._construct_inputs(request.inputs, request.inputDependencies)
        made = await construct(request.name, inputs, self._construct_options(request))
        response = await self._construct_response(ConstructResult(urn=made.urn, state=dict(made.outputs)))
        await wait_for_rpcs(await_all_outstanding_tasks=False)
        return response


async def _refuse(context: grpc.aio.ServicerContext, message: str) -> NoReturn:
    await context.abort(grpc.StatusCode.INVALID_ARGUMENT, message)
    raise AssertionError("abort always raises")


def _is_plain(error: Exception) -> bool:
    """Whether the message says it all; the SDK makes a bare Exception of what the engine refuses."""
    known = isinstance(error, ComponentError | pulumi.RunError | grpc.RpcError)
    return known or type(error) is Exception


def _message(error: Exception) -> str:
    return error.details() or str(error) if isinstance(error, grpc.RpcError) else str(error)
