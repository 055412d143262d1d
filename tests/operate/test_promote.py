"""Which keys of a stack's file a promotion sets."""

from __future__ import annotations

import json
from typing import Any

import pytest

from operate.verbs.promote import keys
from settings import Settings, parse_settings

WEB, DOWNLOAD, PIPELINE = (
    f"fileflow-{name}" for name in ("web-api", "scheduler-download", "scheduler-pipeline")
)


def settings(web: str | None = None, download: str | None = None) -> Settings:
    def service(version: str | None, **more: Any) -> dict[str, Any]:
        return {**more, **({} if version is None else {"version": version})}

    return parse_settings(
        "prod",
        {
            "version": "1.0.0",
            "images": json.dumps({"source": "registry"}),
            "network": json.dumps({"create": {}}),
            "web_api": json.dumps(service(web, port=8083, load_balancer={"plain_http": True})),
            "schedulers": json.dumps(
                [
                    service(download, name="download", port=9091),
                    service(None, name="pipeline", port=9092),
                ]
            ),
        },
    )


@pytest.mark.parametrize(
    ("own", "versions", "set_keys"),
    [
        ({}, ("1.0.0", "1.0.0", "1.0.0"), {}),
        ({}, ("1.1.0", "1.1.0", "1.1.0"), {"fileflow:version": "1.1.0"}),
        (
            {},
            ("1.1.0", "1.1.0", "1.2.0"),
            {
                "fileflow:web_api.version": "1.1.0",
                "fileflow:schedulers[0].version": "1.1.0",
                "fileflow:schedulers[1].version": "1.2.0",
            },
        ),
        ({}, ("1.1.0", "1.0.0", "1.0.0"), {"fileflow:web_api.version": "1.1.0"}),
        (
            {"download": "0.9.0"},
            ("1.1.0", "1.2.0", "1.1.0"),
            {"fileflow:version": "1.1.0", "fileflow:schedulers[0].version": "1.2.0"},
        ),
        ({"web": "1.1.0"}, ("1.1.0", "1.0.0", "1.0.0"), {}),
    ],
)
def test_the_keys_that_decide_say_the_promoted_versions(
    own: dict[str, str], versions: tuple[str, str, str], set_keys: dict[str, str]
) -> None:
    assert keys(settings(**own), dict(zip((WEB, DOWNLOAD, PIPELINE), versions, strict=True))) == set_keys
