"""Posts in a bucket of a server that speaks S3, started here (moto)."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from multimodal_sentiment.layouts import LayoutError, find_path

from .making import copy_course, lay_out
from .test_same_posts import TOLD, Came, come, course, rows  # noqa: F401 - fixtures

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The URL of a server on this machine, with the credentials that S3 wants of anyone."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(300):
            with socket.socket() as asked:
                if asked.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
            environment.setenv("AWS_ACCESS_KEY_ID", "test")
            environment.setenv("AWS_SECRET_ACCESS_KEY", "test")
            environment.setenv("AWS_DEFAULT_REGION", "us-east-1")
            environment.setenv("AWS_MAX_ATTEMPTS", "1")
            yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


@pytest.mark.parametrize("layout", ["course", "Parquet shards", "tar shards", "Parquet"])
def test_posts_of_a_bucket_are_those_of_a_folder(
    layout: str,
    server: str,
    tmp_path: Path,
    course: Came,  # noqa: F811
    rows: list,  # noqa: F811
) -> None:
    import s3fs

    bucket = layout.lower().replace(" ", "-")
    files = s3fs.S3FileSystem()
    files.mkdir(bucket)
    raw = tmp_path / "raw"
    raw = copy_course(raw) if layout == "course" else lay_out(layout, raw, rows)
    files.put(f"{raw}/", f"{bucket}/raw/", recursive=True)
    came = come(find_path(f"s3://{bucket}/raw"))
    for name, examples in course.examples.items():
        for column in TOLD:
            assert came.examples[name][column].to_pylist() == examples[column].to_pylist(), column
    assert came.about["path"] == f"s3://{bucket}/raw"


def test_what_cannot_be_reached_is_said_in_one_line(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import s3fs

    with pytest.raises(LayoutError, match=r"^there is no s3://nobody/posts[^\n]*$"):
        find_path("s3://nobody/posts")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    s3fs.S3FileSystem.clear_instance_cache()  # which know the server that they have found
    with pytest.raises(LayoutError, match=r"^s3://nobody/posts cannot be reached: [^\n]*:9[^\n]*$"):
        find_path("s3://nobody/posts")
