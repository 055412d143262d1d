"""Each environment's stack previews cleanly on the emulated AWS, with the policy pack."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.engine.deployment import Deployment

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("stacks")]


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    deployment = Deployment.copy(tmp_path_factory.mktemp("stacks"))
    try:
        yield deployment
    finally:
        deployment.down()


@pytest.mark.parametrize("stack", ["prod", "staging", "dev"])
def test_a_stack_previews_with_the_pack_and_without_a_warning(copied: Deployment, stack: str) -> None:
    before = (copied.root / f"Pulumi.{stack}.yaml").read_bytes()
    preview = copied.make("preview", f"STACK={stack}")
    assert preview.returncode == 0, preview.stdout
    assert "✅ fileflow-policies" in preview.stdout
    for word in ("warning", "advisory", "violation", "error:"):
        assert word not in preview.stdout.lower(), preview.stdout
    assert "aws:ecs:Service fileflow-scheduler-download-service create" in preview.stdout
    assert (copied.root / f"Pulumi.{stack}.yaml").read_bytes() == before


@pytest.mark.parametrize("stack", ["prod", "staging", "dev"])
def test_a_stack_comes_up_and_then_shows_no_change(copied: Deployment, stack: str) -> None:
    use_a_host_name_that_exists(copied, stack)
    up = copied.make("up", f"STACK={stack}")
    assert up.returncode == 0, up.stdout
    for word in ("warning", "advisory", "violation"):
        assert word not in up.stdout.lower(), up.stdout
    again = copied.make("up", f"STACK={stack}")
    assert again.returncode == 0, again.stdout
    assert "updated" not in again.stdout, again.stdout
    assert "created" not in again.stdout, again.stdout


def use_a_host_name_that_exists(copied: Deployment, stack: str) -> None:
    """The committed file has a placeholder, since nobody's certificate may stand in it."""
    stack_file = copied.root / f"Pulumi.{stack}.yaml"
    text = stack_file.read_text()
    placeholder = next((line for line in text.splitlines() if "certificate_arn:" in line), None)
    if placeholder is None:
        return
    started = copied.local("start", "--stack", stack)
    assert started.returncode == 0, started.stdout
    zone = copied.aws(f"route53 create-hosted-zone --name example.com --caller-reference {stack}")
    zone_id = zone["HostedZone"]["Id"].rsplit("/", 1)[-1]
    named = f"      host_name: api.example.com\n      hosted_zone_id: {zone_id}"
    stack_file.write_text(text.replace(placeholder, named))
