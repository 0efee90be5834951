"""Files appear whole or not at all, and follow the umask."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import fsspec
import pytest

from multimodal_sentiment import files


@pytest.fixture
def umask() -> int:
    """What the umask leaves to a new file."""
    former = os.umask(0o027)
    yield 0o027
    os.umask(former)


@pytest.mark.parametrize("kind", ["file", "folder"])
@pytest.mark.parametrize("before", [False, True])
def test_what_is_written_takes_the_place_of_what_was_there(tmp_path: Path, kind, before):
    path = tmp_path / "x"
    if before:
        write(path, kind, "old")

    with files.replace_whole(path) as partial:
        write(partial, kind, "new")
        assert path.exists() == before

    assert read(path) == {"new"}
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_after_an_error_what_was_there_stays(tmp_path: Path, kind):
    path = tmp_path / "x"
    write(path, kind, "old")

    with pytest.raises(ValueError, match="no"), files.replace_whole(path) as partial:
        write(partial, kind, "new")
        raise ValueError("no")

    assert read(path) == {"old"}
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_process_left_is_no_hindrance(tmp_path: Path):
    write(tmp_path / ".x.partial", "folder", "half")

    with files.replace_whole(tmp_path / "x") as partial:
        partial.write_text("new")

    assert read(tmp_path / "x") == {"new"}


@pytest.mark.parametrize("kind", ["file", "folder"])
@pytest.mark.parametrize("former", [True, False])
def test_a_move_to_another_disk_copies_first(tmp_path: Path, monkeypatch, kind, former):
    """The folder of the target is a disk of its own: nothing else can be renamed into it."""
    (tmp_path / "here").mkdir()
    write(tmp_path / "here" / "x", kind, "new")
    disk = tmp_path / "there"
    disk.mkdir()
    if former:
        write(disk / "x", kind, "old")
    replace = os.replace

    def other_disk(source: Path, target: Path) -> None:
        if (disk in source.parents) != (disk in target.parents):
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        replace(source, target)

    monkeypatch.setattr(files.os, "replace", other_disk)
    files.move(tmp_path / "here" / "x", disk / "x")

    assert read(disk / "x") == {"new"}
    assert [path for path in tmp_path.rglob(".*") if path.name.startswith(".")] == []


def test_what_is_copied_from_another_disk_is_no_version_until_it_is_whole(tmp_path, monkeypatch):
    folder = tmp_path / "model"
    seen = []

    def look(source: Path, target: Path) -> None:
        if Path(source).parent.name == "staging":
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        seen.extend(fsspec.filesystem("file").glob(f"{folder}/*/model"))

    (tmp_path / "staging" / "version").mkdir(parents=True)
    (tmp_path / "staging" / "version" / "model").write_text("new")
    monkeypatch.setattr(files.os, "replace", look)
    files.move(tmp_path / "staging" / "version", folder / "version")

    assert seen == []


def test_rights_are_given_as_the_umask_leaves_them_and_none_are_taken(tmp_path: Path, umask):
    for name, mode in {"closed": 0o600, "open": 0o666, "program": 0o700}.items():
        (tmp_path / name).touch()
        (tmp_path / name).chmod(mode)
    (tmp_path / "folder").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to("nowhere")

    files.follow_umask(tmp_path)

    modes = {
        path.name: stat.S_IMODE(path.stat().st_mode)
        for path in tmp_path.iterdir()
        if not path.is_symlink()
    }
    assert modes == {"closed": 0o640, "open": 0o666, "program": 0o740, "folder": 0o750}


def write(path: Path, kind: str, text: str) -> None:
    if kind == "folder":
        path.mkdir()
        path = path / text
    path.write_text(text)


def read(path: Path) -> set[str]:
    return {file.read_text() for file in ([path] if path.is_file() else path.iterdir())}


@pytest.mark.parametrize(
    ("path", "said"), [("a/b", "b"), ("c", "../c"), ("..", None)], ids=["below", "beside", "far"]
)
def test_a_path_is_said_from_the_current_folder_unless_that_is_far(
    tmp_path: Path, monkeypatch, path, said
):
    (tmp_path / "a").mkdir()
    monkeypatch.chdir(tmp_path / "a")

    whole = (tmp_path / path).resolve()
    assert files.short_path(whole) == (said or str(whole))


def test_an_address_is_said_as_it_is():
    assert files.short_path("s3://bucket/posts") == "s3://bucket/posts"


def test_what_was_there_comes_back_if_the_new_cannot_take_its_place(tmp_path: Path, monkeypatch):
    write(tmp_path / "x", "folder", "old")
    replace = os.replace

    def refuse(source: Path, target: Path) -> None:
        if source.name == ".x.partial":
            raise OSError(errno.EIO, "Input/output error")
        replace(source, target)

    monkeypatch.setattr(files.os, "replace", refuse)
    with pytest.raises(OSError, match="Input"), files.replace_whole(tmp_path / "x") as partial:
        write(partial, "folder", "new")

    assert read(tmp_path / "x") == {"old"}
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_a_former_folder_that_cannot_be_removed_is_no_hindrance(tmp_path: Path, monkeypatch):
    write(tmp_path / "x", "folder", "old")
    remove = files.remove

    def refuse(path: Path) -> None:
        if ".former-" in path.name:  # as a shared disk does
            raise OSError(errno.ENOTEMPTY, "Directory not empty")
        remove(path)

    with monkeypatch.context() as patch:
        patch.setattr(files, "remove", refuse)
        for content in ("new", "newer"):
            with files.replace_whole(tmp_path / "x") as partial:
                write(partial, "folder", content)
            assert read(tmp_path / "x") == {content}
    with files.replace_whole(tmp_path / "x") as partial:
        write(partial, "folder", "newest")
    assert [path.name for path in tmp_path.iterdir()] == ["x"]
