"""The page docs/operate.md: the guide's headings and what answers them, and every verb's own help.

Owns the table of headings. Doesn't own the verbs' words: those are the command line's.
"""

from __future__ import annotations

from collections.abc import Mapping

import click

from operate import verbs  # noqa: F401 each module adds its verb
from operate.app import app

GUIDE: Mapping[str, tuple[str, ...]] = {
    "초기 배포": ("README.md#deploy-to-an-aws-account", "migrate", "docs/migration.md"),
    "배포 확인": ("verify", "status"),
    "로그 확인": ("logs",),
    "ECR 이미지 태그 전략": ("versions", "docs/images.md"),
    "Docker 이미지 빌드 & 푸시": ("docs/images.md",),
    "스케줄러 재시작": ("restart", "pause", "resume"),
    "Prometheus 메트릭": ("endpoints",),
    "CloudWatch 메트릭": ("metrics",),
    "트러블슈팅 1. 스케줄러가 시작되지 않음": ("why",),
    "트러블슈팅 2. 스케줄러가 2개 이상 실행됨": ("fix-count", "docs/singleton.md"),
    "트러블슈팅 3. 메트릭 수집 안됨": ("endpoints",),
    "Terraform Outputs": ("README.md#outputs",),
    "스케줄러 리소스 조정": ("docs/settings.md", "docs/costs.md"),
    "Fargate Spot 사용 (선택사항)": ("docs/settings.md", "docs/costs.md"),
}
"""Each heading of the deployment guide that a reader acts by: verbs, or pages of this repository."""

INTRODUCTION = """# The runbook as commands

`python -m operate VERB`, in the folder of the project, with the stack selected or named by `--stack`. Names
come from the stack's state, everything else from AWS, by the usual credentials; against the AWS on this
machine after `source .local/env`. Nothing has to be filled in by hand, and a service may be called by the
end of its name: `download` for `fileflow-scheduler-download`.

- `--json` prints the same for a program. Exit code: 0 all is well, 1 something is wrong with a service, 2 the
  command couldn't do its work; then one line says why and one what helps.
- What changes something asks first on a stack called `prod` or `production`, unless `--yes`; `--read-only`,
  or `FILEFLOW_READ_ONLY=1`, refuses it anywhere.

## By the deployment guide's headings

| heading | command or page |
|---|---|
"""


def answers(entry: str) -> str:
    """A heading's answer as the page shows it."""
    if entry in app.commands:
        return f"[`{entry}`](#{entry})"
    page, _, anchor = entry.partition("#")
    target = f"../{page}" if not page.startswith("docs/") else page.removeprefix("docs/")
    return f"[{page}]({target}{'#' + anchor if anchor else ''})"


def page() -> str:
    """The page's text."""
    rows = [f"| {heading} | {', '.join(map(answers, entries))} |" for heading, entries in GUIDE.items()]
    sections = [_section(name, app.commands[name]) for name in sorted(app.commands)]
    return INTRODUCTION + "\n".join(rows) + "\n\n## Verbs\n\n" + "\n".join(sections)


def _section(name: str, command: click.Command) -> str:
    own = [
        parameter
        for parameter in command.params
        if isinstance(parameter, click.Option) and parameter.name not in _SHARED
    ]
    usage = " ".join(
        [
            f"python -m operate {name}",
            *(
                argument.make_metavar(click.Context(command))
                for argument in command.params
                if isinstance(argument, click.Argument)
            ),
        ]
    )
    lines = [f"### {name}", "", "```", usage, "```", "", _paragraphs(command.help or "")]
    if own:
        lines += ["", "| option | meaning |", "|---|---|"]
        lines += [f"| `{', '.join(option.opts)}` | {_meaning(option)} |" for option in own]
    return "\n".join([*lines, ""])


_SHARED = frozenset({"stack", "as_json_text", "yes", "read_only", "directory"})


def _paragraphs(text: str) -> str:
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))


def _meaning(option: click.Option) -> str:
    default = f" Default: {option.default}." if option.show_default else ""
    return f"{option.help}{default}"
