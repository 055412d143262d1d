"""The real engine runs programs and policy packs by the stand-in language host."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.local.clone import Clone

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("language-host")]


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clone]:
    clone = Clone.make(tmp_path_factory.mktemp("engine") / "clone")
    answer = clone.run("start")
    assert answer.returncode == 0, answer.stdout
    yield clone
    clone.down()


@pytest.fixture
def clone(started: Clone) -> Iterator[Clone]:
    files = {file: file.read_text() for file in started.root.glob("**/*.py") if "local" not in file.parts}
    yield started
    for file, text in files.items():
        file.write_text(text)


def write(clone: Clone, program: str) -> None:
    (clone.root / "__main__.py").write_text(program)


def test_a_program_sees_its_stack_its_mode_and_its_configuration(clone: Clone) -> None:
    write(
        clone,
        "import pulumi, os, pathlib\n"
        "from pulumi.runtime import is_dry_run\n"
        "here = pulumi.get_root_directory() == os.getcwd() == str(pathlib.Path(__file__).parent)\n"
        "topics = pulumi.Config().require('topics')\n"
        "print('seen', pulumi.get_project(), pulumi.get_stack(), is_dry_run(), topics, here)\n",
    )
    assert "seen small local True 3 True" in clone.shell("pulumi preview").stdout
    assert "seen small local False 3 True" in clone.shell("pulumi up --yes --skip-preview").stdout


@pytest.mark.parametrize("command", ["pulumi preview", "make preview ARGUMENTS="])
def test_debug_messages_of_a_program_are_shown_where_they_are_asked_for(clone: Clone, command: str) -> None:
    write(clone, "import pulumi\npulumi.log.debug('for the curious')\n")
    assert "for the curious" not in clone.shell(command).stdout
    option = "--debug" if command.endswith("=") else " --debug"
    assert "for the curious" in clone.shell(command + option).stdout


def test_a_secret_stays_secret(clone: Clone) -> None:
    write(
        clone,
        "import pulumi\npulumi.export('token', pulumi.Config().require_secret('token'))\n",
    )
    answer = clone.shell(
        "cp Pulumi.local.yaml kept.yaml\n"
        "pulumi config set --secret token hunter2\n"
        "pulumi up --yes\n"
        "pulumi stack output token --show-secrets > token\n"
        "pulumi config rm token; mv kept.yaml Pulumi.local.yaml"
    )
    assert answer.returncode == 0, answer.stdout
    assert "hunter2" not in answer.stdout
    assert (clone.root / "token").read_text() == "hunter2\n"
    state = (clone.root / ".local/backend/.pulumi/stacks/small/local.json").read_text()
    assert "hunter2" not in state


def test_a_failing_program_shows_its_own_lines_of_the_traceback(clone: Clone) -> None:
    write(clone, "def broken():\n    raise ValueError('of the program')\n\nbroken()\n")
    answer = clone.shell("pulumi preview || exit 7")
    assert answer.returncode == 7
    assert "ValueError: of the program" in answer.stdout
    assert '__main__.py", line 2, in broken' in answer.stdout
    assert "runpy" not in answer.stdout


def test_a_message_for_the_user_comes_without_a_traceback_and_once(clone: Clone) -> None:
    write(clone, "import pulumi\nraise pulumi.RunError('topics has to be positive')\n")
    answer = clone.shell("pulumi preview || exit 7")
    assert answer.returncode == 7
    assert "Traceback" not in answer.stdout
    assert answer.stdout.count("error: topics has to be positive") == 2, (
        "in the tree and among the diagnostics"
    )
    assert "exit code" not in answer.stdout


def test_a_syntax_error_is_told(clone: Clone) -> None:
    write(clone, "def broken(:\n")
    answer = clone.shell("pulumi preview || exit 7")
    assert answer.returncode == 7
    assert "SyntaxError" in answer.stdout


def test_a_program_that_exits_is_told_with_its_code(clone: Clone) -> None:
    write(clone, "import os\nos._exit(9)\n")
    answer = clone.shell("pulumi preview || exit 7")
    assert answer.returncode == 7
    assert "exit code 9" in answer.stdout


def test_a_pack_sees_the_stack_and_its_configuration(clone: Clone) -> None:
    (clone.root / "policies" / "__main__.py").write_text(
        "import pulumi\n"
        "from pulumi_policy import EnforcementLevel, PolicyPack, ResourceValidationPolicy\n"
        "def seen(args, report):\n"
        "    if args.resource_type == 'aws:sns/topic:Topic':\n"
        "        config = pulumi.Config('small')\n"
        "        report(f'seen {pulumi.get_project()} {pulumi.get_stack()} {config.get(\"topics\")}')\n"
        "PolicyPack('seeing', [ResourceValidationPolicy('see', 'See', seen, EnforcementLevel.ADVISORY)])\n"
    )
    answer = clone.shell("pulumi preview --policy-pack policies")
    assert answer.returncode == 0, answer.stdout
    assert "seen small local 3" in answer.stdout


def test_a_pack_that_doesnt_load_fails_the_preview_with_its_reason(clone: Clone) -> None:
    (clone.root / "policies" / "__main__.py").write_text("raise ValueError('of the pack')\n")
    answer = clone.shell("pulumi preview --policy-pack policies || exit 7")
    assert answer.returncode == 7
    assert "of the pack" in answer.stdout


def test_a_resource_hook_runs_and_its_failure_fails_the_update(clone: Clone) -> None:
    write(
        clone,
        "import pulumi, pulumi_aws as aws\n"
        "def after(args):\n"
        "    raise Exception(f'the hook refused {args.name}')\n"
        "hook = pulumi.ResourceHook('after', after)\n"
        "binding = pulumi.ResourceHookBinding(after_create=[hook])\n"
        "aws.sns.Topic('hooked', opts=pulumi.ResourceOptions(hooks=binding))\n",
    )
    answer = clone.shell("pulumi up --yes --skip-preview || exit 7")
    assert answer.returncode == 7
    assert "the hook refused hooked" in answer.stdout


def test_about_names_the_host(clone: Clone) -> None:
    answer = clone.shell("pulumi about")
    assert answer.returncode == 0, answer.stdout
    assert "language host='stand-in of this project'" in answer.stdout


def test_no_process_stays_after_a_run(clone: Clone) -> None:
    def running() -> list[bytes]:
        root = str(clone.root).encode()
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if root in command:
                found.append(command)
        return sorted(found)

    before = running()
    assert clone.shell("pulumi preview --policy-pack policies").returncode == 0
    assert running() == before
    assert len(before) == 2
    for server in (b"local.emulator.server", b"local/fork_server/server.py"):
        assert any(server in command for command in before)
