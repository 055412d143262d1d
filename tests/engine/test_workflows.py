"""The workflows of GitHub Actions: actionlint finds nothing, actions are pinned, pages are there."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from local.engine.build import ensure_go, go_environment
from local.paths import ROOT, Paths

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
ACTIONLINT = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.7"  # the checker that GitHub's own users run


def _actionlint() -> Path:
    """The checker, built from its module once for all clones."""
    paths = Paths.of(os.environ)
    folder = paths.cache / "actionlint" / ACTIONLINT.rpartition("@")[2]
    if not (folder / "actionlint").exists():
        go = ensure_go(paths.cache, os.environ)
        environment = {**go_environment(os.environ), "GOBIN": str(folder)}
        subprocess.run([go, "install", ACTIONLINT], env=environment, cwd=paths.cache, check=True)
    return folder / "actionlint"


def test_actionlint_finds_nothing_in_the_workflows() -> None:
    done = subprocess.run(
        [_actionlint(), "-no-color", *WORKFLOWS], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_action_is_pinned_by_its_commit() -> None:
    used = [line for path in WORKFLOWS for line in re.findall(r"uses: (\S+)", path.read_text())]
    assert len(used) > 10
    loose = [each for each in used if not each.startswith("./") and not re.search(r"@[0-9a-f]{40}$", each)]
    assert loose == []


def test_the_pages_that_a_workflow_names_are_there() -> None:
    named = {page for path in WORKFLOWS for page in re.findall(r"docs/[\w-]+\.md", path.read_text())}
    assert named
    assert [page for page in sorted(named) if not (ROOT / page).exists()] == []
