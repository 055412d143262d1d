"""The torture's table, the search of its canary, and the errors that its proxy makes up."""

from __future__ import annotations

import base64
import re
import socketserver
import threading
from collections.abc import Iterator
from io import BufferedIOBase

import botocore.exceptions
import botocore.session
import pytest
from botocore.config import Config

from tests.torture.canary import SECRET, found_in
from tests.torture.evidence import COLUMNS, Evidence, table
from tests.torture.faults import ANSWERS, refusal


def test_what_a_kind_does_not_count_is_a_dash_and_what_was_wrong_is_told_below() -> None:
    shown = table([Evidence("kills", {"kills": 1234}, ["7: jammed"], ["seed 1"])])

    row = next(line for line in shown.splitlines() if line.startswith("| kills"))
    assert [cell.strip() for cell in row.split("|")[2:-1]] == [
        "1,234" if column == "kills" else "–" for column in COLUMNS
    ]
    assert "FAILED: kills: 7: jammed" in shown
    assert "kills: seed 1" in shown


def test_a_count_without_a_column_is_an_error() -> None:
    with pytest.raises(ValueError, match="counts kils, for which there is no column"):
        table([Evidence("kills", {"kils": 1})])


@pytest.mark.parametrize("before", range(4))
def test_the_canary_is_found_plain_and_in_base64(before: int) -> None:
    plain = b"y" * before + SECRET.encode() + b"z"
    texts = [("plain", plain), ("encoded", base64.b64encode(plain)), ("none", b"nothing")]

    assert found_in(SECRET, texts) == ["plain", "encoded"]


def heads(requests: BufferedIOBase) -> Iterator[bytes]:
    """The head of each request on a connection, which has been read whole by then."""
    while head := requests.readline():
        head += b"".join(iter(requests.readline, b"\r\n"))
        length = re.search(rb"(?i)content-length: (\d+)", head)
        requests.read(int(length[1]) if length else 0)
        yield head


@pytest.fixture
def answering() -> Iterator[tuple[str, list[str]]]:
    """An endpoint that answers every call with the error that stands in the list, and keeps connections."""
    wanted = ["throttled"]

    class Answering(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            for head in heads(self.rfile):
                self.wfile.write(refusal(head, *ANSWERS[wanted[0]]))

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Answering) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}", wanted
        server.shutdown()
        thread.join()


CALLS = [
    ("ecs", "list_clusters"),
    ("ec2", "describe_vpcs"),
    ("iam", "list_roles"),
    ("s3", "list_buckets"),
    ("cloudwatch", "describe_alarms"),
]
"""One of each protocol that AWS speaks here."""


def test_an_sdk_reads_the_proxys_errors_in_every_protocol(
    answering: tuple[str, list[str]], subtests: pytest.Subtests
) -> None:
    endpoint, wanted = answering
    session = botocore.session.Session()
    for service, operation in CALLS:
        client = session.create_client(
            service,
            region_name="ap-northeast-2",
            endpoint_url=endpoint,
            aws_access_key_id="646886795421",
            aws_secret_access_key="local",
            config=Config(retries={"total_max_attempts": 1}),
        )
        for kind, (status, code) in ANSWERS.items():
            wanted[0] = kind
            with subtests.test(service=service, kind=kind):
                with pytest.raises(botocore.exceptions.ClientError) as caught:
                    getattr(client, operation)()

                assert caught.value.response["Error"]["Code"] == code
                assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
