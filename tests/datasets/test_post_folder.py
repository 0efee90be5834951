"""The folder of posts, whatever lies in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from kedro.io import DatasetError

from multimodal_sentiment.datasets import PostFolderDataset
from multimodal_sentiment.datasets import post_folder as room
from multimodal_sentiment.datasets.post_folder import PostFiles, UnreadableFileError
from multimodal_sentiment.posts.problems import problem


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "data"
    path.mkdir()
    return path


def files(folder: Path, **contents: bytes) -> PostFiles:
    """The folder with these files; `__` in a name stands for a dot."""
    for name, content in contents.items():
        (folder / name.replace("__", ".")).write_bytes(content)
    return PostFolderDataset(path=str(folder)).load()


def test_a_post_is_found_by_its_guid(folder: Path) -> None:
    found = files(folder, a__txt=b"hello", a__jpg=b"image", b__txt=b"other")
    assert found.texts.read("a") == b"hello"
    assert found.images.read("a") == b"image"
    assert found.images.path("a") == "data/a.jpg"
    assert found.texts.problem("a") is found.images.problem("a") is None
    assert found.images.path("b") == ""
    assert found.images.problem("b") == problem("no_image")
    assert found.texts.problem("c") == problem("no_text")


@pytest.mark.parametrize(
    "suffix",
    ".jpg .JPG .jpeg .Jpeg .jfif .jpe .png .PNG .webp .avif .AVIF .bmp .gif .tif .TIFF".split(),
)
def test_any_image_suffix_will_do(folder: Path, suffix: str) -> None:
    (folder / f"7{suffix}").write_bytes(b"image")
    assert files(folder).images.path("7") == f"data/7{suffix}"


def test_files_of_other_kinds_do_not_count(folder: Path) -> None:
    found = files(folder, a__csv=b"", a=b"", __jpg=b"", a__jpg__part=b"", README__md=b"")
    assert "a" not in found.texts and "a" not in found.images


def test_a_guid_may_hold_dots_and_spaces(folder: Path) -> None:
    (folder / "1.0.txt").write_bytes(b"one")
    (folder / "my post.txt").write_bytes(b"two")
    found = files(folder)
    assert found.texts.read("1.0") == b"one"
    assert found.texts.read("my post") == b"two"


@pytest.mark.fault("listing", "guids that are paths", "no file is found")
@pytest.mark.parametrize("guid", ["../secret", "sub/secret", "", ".", "..", "x" * 5000, "a\0b"])
def test_a_guid_never_leads_out_of_the_folder(folder: Path, guid: str) -> None:
    (folder.parent / "secret.txt").write_bytes(b"secret")
    (folder / "sub").mkdir()
    (folder / "sub" / "secret.txt").write_bytes(b"secret")
    found = files(folder, ok__txt=b"")
    with pytest.raises(UnreadableFileError, match=r"^no text$"):
        found.texts.read(guid)
    assert "/etc" not in found.texts.path("/etc/passwd")


def test_of_several_images_the_preferred_suffix_is_used(folder: Path) -> None:
    found = files(folder, a__png=b"png", a__jpg=b"jpg", b__gif=b"", b__webp=b"", b__tiff=b"")
    assert found.images.read("a") == b"jpg"
    assert found.images.problem("a") == problem("several_images", "a.jpg")
    assert found.images.path("b") == "data/b.webp"


def test_of_suffixes_in_two_cases_the_choice_is_always_the_same(folder: Path) -> None:
    found = files(folder, a__txt=b"lower", a__TXT=b"upper")
    assert found.texts.read("a") == b"upper"
    assert found.texts.problem("a") == problem("several_texts", "a.TXT")


@pytest.mark.fault("text", "links, folders, pipes in place of files", "a problem")
def test_links_and_folders_are_not_followed(folder: Path) -> None:
    (folder.parent / "secret").write_bytes(b"secret")
    (folder / "a.txt").symlink_to("../secret")
    (folder / "b.jpg").mkdir()
    os.mkfifo(folder / "c.txt")
    found = files(folder)
    with pytest.raises(UnreadableFileError, match="text is a link or a folder"):
        found.texts.read("a")
    with pytest.raises(UnreadableFileError, match="image is a link or a folder"):
        found.images.read("b")
    with pytest.raises(UnreadableFileError, match="text is a link or a folder"):
        found.texts.read("c")
    assert found.texts.path("a") == ""


def test_a_regular_file_beside_a_link_is_used(folder: Path) -> None:
    (folder / "a.png").symlink_to("a.jpg")
    found = files(folder, a__jpg=b"image")
    assert found.images.read("a") == b"image"
    assert found.images.problem("a") is None


def test_the_folder_itself_may_be_a_link(folder: Path, tmp_path: Path) -> None:
    files(folder, a__txt=b"hello")
    (tmp_path / "link").symlink_to(folder)
    found = PostFolderDataset(path=str(tmp_path / "link")).load()
    assert found.texts.read("a") == b"hello"
    assert found.texts.path("a") == "link/a.txt"


@pytest.mark.fault("text", "50 MB", "a problem, not read")
def test_a_huge_file_is_not_read(folder: Path) -> None:
    with open(folder / "a.txt", "wb") as file:
        file.truncate(50_000_000)
    found = files(folder)
    with pytest.raises(UnreadableFileError, match=r"text too large: 50\.0 MB") as caught:
        found.texts.read("a")
    assert caught.value.problem == problem("text_too_large", "50.0")


def test_the_largest_text_is_still_read(folder: Path) -> None:
    found = files(folder, a__txt=b"x" * room.LARGEST_TEXT)
    assert len(found.texts.read("a")) == room.LARGEST_TEXT


def test_a_file_that_vanished_is_told(folder: Path) -> None:
    found = files(folder, a__txt=b"hello")
    (folder / "a.txt").unlink()
    with pytest.raises(UnreadableFileError, match="text unreadable: No such file"):
        found.texts.read("a")


@contextmanager
def as_nobody() -> Iterator[None]:
    """Without root's right to read everything."""
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)


@pytest.mark.fault("text", "no permission to read a text or image", "a problem")
@pytest.mark.parametrize("kind", ["text", "image"])
def test_a_file_without_permission_is_told(
    folder: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    files(folder, a__txt=b"hello", a__jpg=b"image")
    for path in folder.iterdir():
        path.chmod(0)
    monkeypatch.chdir(folder)  # the way to which not everybody may go
    found = PostFolderDataset(path=".").load()
    with as_nobody(), pytest.raises(UnreadableFileError, match=f"{kind} unreadable: Permission d"):
        (found.texts if kind == "text" else found.images).read("a")


def test_file_names_that_are_no_text_do_no_harm(folder: Path) -> None:
    with open(os.fsencode(folder) + b"/\xff\xfe.txt", "wb"):
        pass
    assert files(folder, a__txt=b"hello").texts.read("a") == b"hello"
    preview = PostFolderDataset(path=str(folder)).preview()
    assert preview["data"] == [["a", "data/a.txt", ""], ["??", "data/??.txt", ""]]


def test_a_missing_folder(tmp_path: Path) -> None:
    dataset = PostFolderDataset(path=str(tmp_path / "nowhere"))
    assert not dataset.exists()
    with pytest.raises(DatasetError, match="nowhere cannot be listed: No such file"):
        dataset.load()


def test_posts_are_never_written(folder: Path) -> None:
    with pytest.raises(DatasetError, match="only read, never written"):
        PostFolderDataset(path=str(folder)).save("anything")  # type: ignore[arg-type]


def test_the_preview_is_a_table_of_the_first_posts(folder: Path) -> None:
    files(folder, b__txt=b"", a__txt=b"", a__jpg=b"", c__png=b"")
    assert PostFolderDataset(path=str(folder)).preview(nrows=2) == {
        "index": [0, 1],
        "columns": ["guid", "text file", "image"],
        "data": [["a", "data/a.txt", "data/a.jpg"], ["b", "data/b.txt", ""]],
    }
