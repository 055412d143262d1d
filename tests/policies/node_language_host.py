"""A stand-in for `pulumi-language-nodejs`, so that tests can run a Node program without the official release.

Owns what differs from the Python host of the local stack: it starts `@pulumi/pulumi`'s own runner by the
`node` on PATH, as the official host does. Deliberately no TypeScript settings, no
package manager but npm, no policy packs.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import grpc
from pulumi.runtime.proto import language_pb2

from local.engine.language_runtime import EXIT_AFTER_MESSAGE, LanguageHost, main, program_arguments

RUNNER = "node_modules/@pulumi/pulumi/cmd/run/index.js"


class NodeLanguageHost(LanguageHost):
    """The LanguageRuntime service for Node, as far as a preview, an update and a destroy need it."""

    def Run(self, request: Any, _context: grpc.ServicerContext) -> Any:
        command = ["node", str(Path(request.pwd, RUNNER)), *program_arguments(request, self._engine_address)]
        configuration = {
            "PULUMI_CONFIG": json.dumps(dict(request.config)),
            "PULUMI_CONFIG_SECRET_KEYS": json.dumps(list(request.configSecretKeys)),
        }
        code = subprocess.run(
            command, cwd=request.pwd, env={**os.environ, **configuration}, check=False
        ).returncode
        if code == EXIT_AFTER_MESSAGE:
            return language_pb2.RunResponse(bail=True)
        return language_pb2.RunResponse(error=f"the program ended with exit code {code}" if code else "")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], NodeLanguageHost))
