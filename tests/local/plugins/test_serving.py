"""A plugin that is asked to end does so, also while a request is under way."""

from __future__ import annotations

import subprocess
import sys

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from local.plugins.common import serving
from tests.engine.deployment import CHECKOUT

PLUGINS = ("aws", "awsx", "docker")

HANGING = """
import threading
from pulumi.runtime.proto import ResourceProviderServicer
from google.protobuf import empty_pb2
from local.plugins.common.serving import serve

class Hanging(ResourceProviderServicer):
    def Create(self, request, context):
        print("under way", flush=True)
        threading.Event().wait()

    def Cancel(self, request, context):
        return empty_pb2.Empty()

serve(Hanging(), 4)
"""

HANGING_COROUTINE = """
import asyncio
from pulumi.runtime.proto import ResourceProviderServicer
from local.plugins.common.serving import serve_async

class Hanging(ResourceProviderServicer):
    async def Create(self, request, context):
        print("under way", flush=True)
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                pass

asyncio.run(serve_async(Hanging()))
"""


@pytest.mark.parametrize("program", [HANGING, HANGING_COROUTINE], ids=["threads", "coroutines"])
def test_a_request_under_way_holds_no_plugin_up_for_good(program: str) -> None:
    plugin = subprocess.Popen(
        [sys.executable, "-c", program], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert plugin.stdout is not None
        channel = grpc.insecure_channel(f"127.0.0.1:{int(plugin.stdout.readline())}")
        stub = provider_pb2_grpc.ResourceProviderStub(channel)
        request = stub.Create.future(provider_pb2.CreateRequest())
        assert plugin.stdout.readline() == "under way\n"

        plugin.terminate()

        assert plugin.wait(60) == 0
        assert request.code() is not grpc.StatusCode.OK
    finally:
        plugin.kill()


def test_all_plugins_of_a_run_end_while_the_engine_still_asks() -> None:
    assert len(PLUGINS) * serving.GRACE_SECONDS < serving.ENGINES_PATIENCE_SECONDS
