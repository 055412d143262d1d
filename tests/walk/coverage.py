"""Whether the walk goes to every setting, and to each kind of value that it can take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from settings import Settings, SettingsError, parse_settings
from tests.unit.stacks import as_text
from tests.walk.change import Change, Run, changed, with_facts
from tests.walk.facts import times
from tests.walk.runs import BOTH, RUNS, base_values
from tools.setting_paths import Setting, kind_of, settings_of

_ARN = "arn:aws:{}:ap-northeast-2:646886795421:{}"
_ID = "11111111-2222-3333-4444-55555555555{}"

EXAMPLES: Final = {
    "certificate": _ARN.format("acm", "certificate/" + _ID.format(1)),
    "other_certificate": _ARN.format("acm", "certificate/" + _ID.format(2)),
    "pending_certificate": _ARN.format("acm", "certificate/" + _ID.format(3)),
    "zone": "Z0123456789ABCDEFGHIJ",
    "vpc": "vpc-11111111111111111",
    **{
        f"{tier}_{zone}": f"subnet-{index}1111111111111111"
        for index, (tier, zone) in enumerate((tier, zone) for tier in ("private", "public") for zone in "abc")
    },
    "key": "arn:aws:kms:ap-northeast-2:646886795421:key/11111111-2222-3333-4444-555555555555",
    "topic": "arn:aws:sns:ap-northeast-2:646886795421:others",
    "secret": "arn:aws:secretsmanager:ap-northeast-2:646886795421:secret:fileflow/database-AbCdEf",
    "registry": "arn:aws:secretsmanager:ap-northeast-2:646886795421:secret:fileflow/registry-AbCdEf",
    "parameter": "ssm:/fileflow/redis",
    "web_acl": _ARN.format("wafv2", "regional/webacl/walk/" + _ID.format(4)),
    "bucket": "access-logs-of-others",
    "lease_table": "leases-of-several-stacks",
    **times(),
}
"""Facts that stand in where nothing is deployed."""


def parsed(values: Mapping[str, Any]) -> Settings:
    """The settings that come of a file's values."""
    return parse_settings("local", as_text(with_facts(values, EXAMPLES)))


def values_at(settings: Any, path: str) -> list[Any]:
    """What a setting is, wherever it stands: in each element of a list, nowhere below what is left out."""
    *parents, last = path.split(".")
    sections = [settings]
    for part in parents:
        inner = [getattr(each, part) for each in sections]
        sections = [
            section
            for each in inner
            for section in (each if isinstance(each, list | tuple) else [each])
            if section is not None
        ]
    return [getattr(each, last) for each in sections]


def not_walked(runs: Sequence[Run] = RUNS, section: type[Any] = Settings) -> list[str]:
    """Settings, and kinds of value of settings, that no run goes to."""
    bases = {base: parsed(base_values(base)) for base in BOTH}
    missing = []
    for setting in settings_of(section):
        seen = {kind_of(value, setting) for each in bases.values() for value in values_at(each, setting.path)}
        walked = set(_kinds_walked(setting, runs))
        if not walked:
            missing.append(setting.path)
            continue
        missing += [
            f"{setting.path} to {kind}"
            for kind in sorted(setting.kinds - seen - walked)
            # Where it may be left out, an empty one says the same.
            if not (kind == "empty" and ("none" in setting.kinds or _refused_when_empty(setting)))
        ]
    return missing


def _kinds_walked(setting: Setting, runs: Sequence[Run]) -> Iterator[str]:
    for run in runs:
        for change in run.changes:
            if setting.path not in change.values:
                continue
            try:
                after = parsed(changed(base_values(run.bases[0]), [change]))
            except SettingsError:
                # Where it is refused, the value in the file counts.
                yield kind_of(change.values[setting.path], setting)
                continue
            yield from (kind_of(value, setting) for value in values_at(after, setting.path))


def _refused_when_empty(setting: Setting) -> bool:
    """Whether an empty list or object isn't a value that the setting can take."""
    empties: tuple[Any, ...] = ([], {})
    for base in BOTH:
        for empty in empties:
            try:
                parsed(changed(base_values(base), [Change(values={setting.path: empty})]))
            except SettingsError:
                continue
            return False
    return True
