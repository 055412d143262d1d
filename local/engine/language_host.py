"""`pulumi-language-python`, as the engine starts it: by path, with the engine's address as the last argument.

Owns nothing but the way to `language_runtime`, which is the plugin: by a fork that has its libraries already.
"""

import sys
from pathlib import Path

HERE = Path(__file__).parent

if __name__ == "__main__":
    sys.path.insert(0, str(HERE.parents[1]))
    from local.fork_server import client

    sys.exit(client.main([str(HERE / "language_runtime.py"), *sys.argv[1:]]))
