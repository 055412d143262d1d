"""`python3 -m local COMMAND`: the commands behind the Makefile.

Owns: that a Python which is too old is replaced by a newer one of the machine, or refused in one sentence,
and that this one runs without the user's own settings of Python.
Written so that any Python 3 can read it.
"""

import os
import shutil
import sys

OLDEST = (3, 11)
NEWER = ("python3", "python3.14", "python3.13", "python3.12", "python3.11")


def main() -> int:
    """Run the command in this interpreter, or in a newer one."""
    if sys.flags.optimize or sys.warnoptions:
        # Without docstrings the commands have no help, and a warning made an error ends them.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        os.execve(sys.executable, [sys.executable, "-m", "local", *sys.argv[1:]], environment)
    if sys.version_info >= OLDEST:
        from local.cli import main as command

        return command(sys.argv[1:])
    for name in NEWER:
        found = shutil.which(name)
        check = "import sys; sys.exit(sys.version_info < (3, 11))"
        if found and os.spawnl(os.P_WAIT, found, found, "-c", check) == 0:
            os.execl(found, found, "-m", "local", *sys.argv[1:])
    sys.stderr.write(
        f"error: {sys.executable} is Python {sys.version_info[0]}.{sys.version_info[1]};"
        " Python 3.11 or later is needed, and none is on PATH.\n"
        "Fix: install it, on Debian 12 or later: apt-get install python3 python3-venv\n"
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())
