"""`python3 -m local COMMAND`: the commands behind the Makefile.

Owns: that a Python which is too old is refused in one sentence, and that this one runs without the user's own
settings of Python. Deliberately doesn't look for a newer one, which the Makefile does.
Written so that any Python 3 can read it.
"""

import os
import sys

OLDEST = (3, 11)


def main() -> int:
    """Run the command, if this interpreter can."""
    if sys.flags.optimize or sys.warnoptions:
        # Without docstrings the commands have no help, and a warning made an error ends them.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        os.execve(sys.executable, [sys.executable, "-m", "local", *sys.argv[1:]], environment)
    if sys.version_info >= OLDEST:
        from local.cli import main as command

        return command(sys.argv[1:])
    sys.stderr.write(
        f"error: {sys.executable} is Python {sys.version_info[0]}.{sys.version_info[1]};"
        " Python 3.11 or later is needed.\n"
        "Fix: install it, on Debian 12 or later: apt-get install python3 python3-venv; then use `make`,"
        " which finds it.\n"
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())
