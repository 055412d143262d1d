"""Says what is wrong with a YAML file, before anything is started.

Run by the project's interpreter, which has PyYAML: `python -m local.yaml_check FILE...`; prints one line
for the first fault and exits with 1. Owns the form only: that the files parse, are mappings, and name no
key twice. What the values mean is the program's to say.
"""

from __future__ import annotations

import sys
from collections.abc import Hashable, Sequence
from pathlib import Path

import yaml


class _Strict(yaml.SafeLoader):
    """A loader that refuses a key given twice, of which YAML would silently keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, object]:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen and isinstance(key.value, str):
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value!r} is given twice", key.start_mark
                )
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)


def fault(file: Path) -> str | None:
    """Return what is wrong with a file, with line and column; None when it is well-formed."""
    try:
        content = yaml.load(file.read_text(), _Strict)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        return f"{file.name}{where}: {error.problem or error.context}"
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        return f"{file.name}: {error}"
    if content is not None and not isinstance(content, dict):
        return f"{file.name}:1:1: the file holds a {type(content).__name__}, not a mapping"
    return None


def main(files: Sequence[str]) -> int:
    """Print the first fault."""
    for file in files:
        found = fault(Path(file))
        if found:
            print(found)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
