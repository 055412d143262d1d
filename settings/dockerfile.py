"""What an image starts, by the Dockerfile that it is built of.

Pure: reads a text. A lease's guard starts the program in the image's place, and a task that names an entry
point of its own loses both of the image's. Doesn't build, and doesn't know what a base image starts.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

_CONTINUED = re.compile(r"\\[ \t]*\n")
_COMMENT = re.compile(r"(?m)^[ \t]*#.*\n?")
_STAGE = re.compile(r"(?:--\S+\s+)*(?P<base>\S+)(?:\s+AS\s+(?P<name>\S+))?", re.IGNORECASE)


@dataclass(frozen=True)
class _Stage:
    entry_point: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    inherits_command: bool = True


def started_by(dockerfile: str, target: str | None = None) -> list[str]:
    """ENTRYPOINT and CMD of the last stage, or of `target`; empty where only the base image says it.

    Source: https://docs.docker.com/reference/dockerfile/#understand-how-cmd-and-entrypoint-interact
    """
    stages: dict[str, _Stage] = {}
    name, stage = "", _Stage()
    for instruction in _CONTINUED.sub(" ", _COMMENT.sub("", dockerfile)).splitlines():
        word, _, rest = instruction.strip().partition(" ")
        match word.upper():
            case "FROM":
                if name and name == target:
                    break
                found = _STAGE.match(rest.strip())
                base, name = (found["base"], found["name"] or "") if found else ("", "")
                inherited = stages.get(base, _Stage())
                stage = _Stage(inherited.entry_point, inherited.command)
            case "ENTRYPOINT":
                # It resets a command that comes from the stage before.
                kept = () if stage.inherits_command else stage.command
                stage = _Stage(_words(rest), kept, stage.inherits_command)
            case "CMD":
                stage = _Stage(stage.entry_point, _words(rest), inherits_command=False)
        stages[name] = stage
    return [*stage.entry_point, *stage.command]


def _words(said: str) -> tuple[str, ...]:
    """A list as it is; what is none the shell reads."""
    try:
        words = json.loads(said)
    except ValueError:
        return ("/bin/sh", "-c", said.strip())
    return tuple(map(str, words)) if isinstance(words, list) else ("/bin/sh", "-c", said.strip())
