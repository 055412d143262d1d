"""A clone in a folder of an odd name, in a user's own environment: all works, also after a failure."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.local.clone import Clone

pytestmark = pytest.mark.engine

NAME = "100% done #1? 'x \"y a%2Fb"


def test_commands_work_whatever_the_folder_is_called_and_whatever_the_user_has_set(tmp_path: Path) -> None:
    clone = Clone.make(
        tmp_path / NAME,
        {"PYTHONSAFEPATH": "1", "PYTHONWARNINGS": "error", "PYTHONOPTIMIZE": "2", "PYTHONPATH": "/nowhere"},
    )
    try:
        program = clone.root / "__main__.py"
        right = program.read_text()
        program.write_text(f"{right}\naws.sns.Topic('forbidden')\n")

        failed = clone.command("make", "up")

        assert failed.returncode != 0
        assert "source .local/env" in failed.stdout
        assert clone.shell("aws sns list-topics && pulumi stack --show-name").returncode == 0

        program.write_text(right)
        up = clone.command("make", "up")
        assert up.returncode == 0, up.stdout
        assert clone.shell("pulumi up --yes").returncode == 0

        committed = (clone.root / "Pulumi.prod.yaml").read_bytes()
        other = clone.shell("pulumi stack init prod && pulumi up --yes && pulumi stack select local")
        assert other.returncode == 0, other.stdout
        assert (clone.root / "Pulumi.prod.yaml").read_bytes() == committed
    finally:
        assert clone.command("make", "down").returncode == 0
