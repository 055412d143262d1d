"""No configuration whatever gives a traceback: a few hundred in every run, twenty thousand at night."""

from __future__ import annotations

import time

import pytest

from settings import SettingsError
from tests.torture import configurations
from tests.torture.canary import SECRET
from tests.torture.configurations import LEAKED, Configuration, judged, share
from tests.unit.stacks import stack_values

# pulumi_aws warns of deprecated types of its own when it imports them; nobody here uses those.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:pulumi_aws.*")


def test_a_configuration_is_refused_in_a_line_a_mistake_or_previews() -> None:
    # The same ones in every run; those of the night are drawn anew.
    found = share(15, range(600), previews=2)

    assert found.failures == []
    assert found.refused > 100
    assert found.taken > 100
    assert found.previewed == 2


def test_a_traceback_and_a_password_in_a_message_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Configuration("dev", {**stack_values("dev"), "version": SECRET + " "})
    assert judged(made) == (False, f"{LEAKED}: {_said(made)}")

    def broken(_self: Configuration) -> None:
        raise KeyError("port")

    monkeypatch.setattr(Configuration, "settings", broken)
    is_taken, wrong = judged(made)
    assert (is_taken, wrong[:25]) == (False, "a traceback: KeyError('po")


def _said(made: Configuration) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        made.settings()
    return str(caught.value).split("\n")


@pytest.mark.nightly
def test_no_configuration_of_twenty_thousand_gives_a_traceback() -> None:
    found = configurations.evidence(time.time_ns() % 1_000_000)

    print(found.notes)
    assert found.failures == []
