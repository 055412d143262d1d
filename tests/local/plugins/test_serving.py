"""A plugin says its port and that it stands in; it ends when it's asked to, and with the engine."""

from __future__ import annotations

import os
import select
import signal
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


BOTH_WAYS = pytest.mark.parametrize("program", [HANGING, HANGING_COROUTINE], ids=["threads", "coroutines"])


@BOTH_WAYS
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


ENGINE = """
import subprocess, sys, time
plugin = subprocess.Popen([sys.executable, "-c", sys.argv[1]], stdout=subprocess.PIPE)
plugin.stdout.readline()
print(plugin.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="needs Linux to watch a process that isn't a child")
@BOTH_WAYS
def test_a_plugin_ends_with_the_engine_that_is_killed(program: str) -> None:
    command = [sys.executable, "-c", ENGINE, program]
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) as engine:
        assert engine.stdout is not None
        descriptor = os.pidfd_open(int(engine.stdout.readline()))
        engine.kill()
    ended, _, _ = select.select([descriptor], [], [], 30)
    os.close(descriptor)
    assert ended, "the plugin still runs"


@pytest.mark.parametrize("name", PLUGINS)
def test_a_plugin_prints_its_port_says_once_that_it_stands_in_and_ends_on_sigterm(name: str) -> None:
    plugin = subprocess.Popen(
        [sys.executable, "-m", f"local.plugins.{name}", "127.0.0.1:1"],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert plugin.stdout is not None
    assert int(plugin.stdout.readline()) > 0
    plugin.send_signal(signal.SIGTERM)
    _, said = plugin.communicate(timeout=60)
    assert plugin.returncode == 0
    (line,) = said.splitlines()
    assert "stand-in" in line or "stood in" in line


def test_all_plugins_of_a_run_end_while_the_engine_still_asks() -> None:
    assert len(PLUGINS) * serving.GRACE_SECONDS < serving.ENGINES_PATIENCE_SECONDS
