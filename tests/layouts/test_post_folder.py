"""The folder of posts, whatever lies in it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from kedro.io import DatasetError

from multimodal_sentiment.datasets import PostFilesDataset
from multimodal_sentiment.layouts import LARGEST, PostFolder, UnreadableFileError
from multimodal_sentiment.layouts.files.local import Kind, too_large
from multimodal_sentiment.posts.problems import problem


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "data"
    path.mkdir()
    return path


def files(folder: Path, **contents: bytes) -> PostFolder:
    """The folder with these files; `__` in a name stands for a dot."""
    for name, content in contents.items():
        (folder / name.replace("__", ".")).write_bytes(content)
    return PostFolder(folder)


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


@pytest.mark.fault("text", "folders, pipes in place of files", "a problem")
def test_folders_and_pipes_are_no_files(folder: Path) -> None:
    (folder / "b.jpg").mkdir()
    os.mkfifo(folder / "c.txt")
    found = files(folder)
    with pytest.raises(UnreadableFileError, match="image is a folder or no regular file"):
        found.images.read("b")
    with pytest.raises(UnreadableFileError, match="text is a folder or no regular file"):
        found.texts.read("c")
    assert found.texts.path("c") == ""


@pytest.mark.fault("image", "links within the folder, subfolders, other suffixes", "they are found")
def test_links_within_the_folder_and_subfolders_are_followed(folder: Path) -> None:
    (folder / "originals" / "2024").mkdir(parents=True)
    (folder / "originals" / "2024" / "shot.jpg").write_bytes(b"shot")
    (folder / "originals" / "b.jfif").write_bytes(b"below")
    (folder / "a.jpg").symlink_to("originals/2024/shot.jpg")
    (folder / "shortcut").symlink_to("originals")
    found = files(folder)
    assert found.images.read("a") == b"shot"
    assert found.images.path("a") == "data/a.jpg"
    assert found.images.read("b") == b"below"
    assert found.images.path("b") == "data/originals/b.jfif"
    assert found.images.problem("a") is found.images.problem("b") is None


@pytest.mark.fault("text", "a link out of the folder, to nothing, in a circle", "a problem")
def test_links_that_lead_elsewhere_are_problems(folder: Path) -> None:
    (folder.parent / "secret").write_bytes(b"secret")
    (folder.parent / "elsewhere").mkdir()
    (folder.parent / "elsewhere" / "d.jpg").write_bytes(b"secret")
    (folder.parent / "elsewhere" / "below").mkdir()
    (folder / "a.txt").symlink_to("../secret")
    (folder / "b.txt").symlink_to("nowhere")
    (folder / "c.txt").symlink_to("c.txt")
    (folder / "beside").symlink_to("../elsewhere")
    (folder / "circle").symlink_to(".")
    found = files(folder)
    assert found.texts.problem("a") == problem("text_outside", "a.txt")
    assert "ingestion.links=anywhere" in found.texts.problem("a").words
    with pytest.raises(UnreadableFileError, match="text lies outside of the folder"):
        found.texts.read("a")
    assert found.texts.problem("b") == problem("text_link_broken", "nothing is there")
    assert found.texts.problem("c").code == "text_link_broken"
    assert "symbolic links" in found.texts.problem("c").words
    assert found.images.problem("d") == problem("image_outside", "beside/d.jpg")
    assert any("circle is a link to a folder that holds it" in remark for remark in found.remarks)
    told = [remark for remark in found.remarks if "is a link out of the folder" in remark]
    assert [remark.split()[0] for remark in told] == [str(folder / "beside")]
    everywhere = PostFolder(folder, "anywhere")
    assert everywhere.texts.read("a") == everywhere.images.read("d") == b"secret"


@pytest.mark.fault("image", "names in NFC in the listing, in NFD on the disk", "they are found")
def test_names_are_compared_in_one_unicode_form(folder: Path) -> None:
    (folder / "cafe\u0301.jpg").write_bytes(b"image")
    (folder / "below").mkdir()
    (folder / "below" / "thé.txt").write_bytes(b"text")
    found = files(folder)
    assert found.images.read("caf\u00e9") == b"image"
    assert found.texts.read("the\u0301") == b"text"
    assert found.unclaimed(["caf\u00e9", "the\u0301"]) == []


def test_two_guids_of_one_normal_form_keep_their_own_files(folder: Path) -> None:
    (folder / "\u00e9.txt").write_bytes(b"one")
    (folder / "e\u0301.txt").write_bytes(b"two")
    found = files(folder)
    assert (found.texts.read("\u00e9"), found.texts.read("e\u0301")) == (b"one", b"two")


def test_an_image_under_an_unknown_suffix_is_told_by_its_content(folder: Path) -> None:
    found = files(folder, a__jpg_large=b"\xff\xd8\xff and more", b__csv=b"1,2", c=b"GIF89a")
    (folder / "d.orig").write_bytes(b"\0\0\0\x18ftypheim")
    found = PostFolder(folder)
    assert found.images.path("d") == "data/d.orig"
    assert found.images.path("a") == "data/a.jpg_large"
    assert found.images.path("b") == ""
    assert found.images.read("c") == b"GIF89a"


def test_of_several_files_of_unknown_suffixes_the_first_image_is_used(folder: Path) -> None:
    found = files(folder, a__info=b"likes: 3", a__jpg_large=b"GIF89a", a__jpg_small=b"GIF89a")
    assert found.images.path("a") == "data/a.jpg_large"
    assert found.unclaimed([]) == ["a.info", "a.jpg_large", "a.jpg_small"]


def test_a_link_and_the_file_that_it_leads_to_are_not_several(folder: Path) -> None:
    (folder / "originals").mkdir()
    for name in ("1.jpg", "2.jpg", "1.txt"):
        (folder / "originals" / name).write_bytes(b"the same")
    for name in ("1.jpg", "1.txt"):
        (folder / name).symlink_to(f"originals/{name}")
    (folder / "2.jpg").symlink_to("originals/1.jpg")
    found = files(folder)
    assert found.images.path("1") == "data/1.jpg"
    assert found.images.problem("1") is found.texts.problem("1") is None
    assert found.images.problem("2") == problem("several_images", "2.jpg")


def test_files_of_nobody_are_named(folder: Path) -> None:
    found = files(folder, a__txt=b"", b__jpg=b"", notes__csv=b"", a__png=b"")
    assert found.unclaimed(["a"]) == ["b.jpg", "notes.csv"]
    found.known = lambda: [["b"]]
    assert found.unclaimed(["a"]) == ["notes.csv"]


def test_files_that_their_post_cannot_use_are_named(folder: Path) -> None:
    found = files(folder, a__txt=b"", a__mp4=b"film", b__dat=b"\xff\xd8\xff", b__svg=b"<svg>",
                  c__jpg=b"image", c__txt=b"", c__json=b"{}",
                  d__jpg=b"image", d__text=b"not .txt")  # fmt: skip
    assert found.images.path("b") == "data/b.dat"
    assert found.unclaimed(["a", "b", "c", "d"]) == ["a.mp4", "b.svg", "d.text"]


def test_a_regular_file_beside_a_link_is_used(folder: Path) -> None:
    (folder / "a.png").symlink_to("a.jpg")
    found = files(folder, a__jpg=b"image")
    assert found.images.read("a") == b"image"
    assert found.images.problem("a") is None


def test_the_folder_itself_may_be_a_link(folder: Path, tmp_path: Path) -> None:
    files(folder, a__txt=b"hello")
    (tmp_path / "link").symlink_to(folder)
    found = PostFolder(tmp_path / "link")
    assert found.texts.read("a") == b"hello"
    assert found.texts.path("a") == "link/a.txt"


@pytest.mark.fault("text", "50 MB", "a problem, not read")
def test_a_huge_file_is_not_read(folder: Path) -> None:
    with open(folder / "a.txt", "wb") as file:
        file.truncate(50_000_000)
    found = files(folder)
    with pytest.raises(UnreadableFileError, match=r"too large: 50\.0 MB, at most 1 MB") as caught:
        found.texts.read("a")
    assert caught.value.problem == problem("text_too_large", "50.0")


@pytest.mark.parametrize("kind", LARGEST)
def test_what_is_too_large_by_a_byte_is_said_to_be_more_than_is_read(kind: Kind) -> None:
    found, most = re.findall(r"[\d.]+", too_large(kind, LARGEST[kind] + 1).words)
    assert float(found) > int(most) == LARGEST[kind] // 2**20


def test_the_largest_text_is_still_read(folder: Path) -> None:
    found = files(folder, a__txt=b"x" * LARGEST["text"])
    assert len(found.texts.read("a")) == LARGEST["text"]


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
    found = PostFolder(Path())
    with as_nobody(), pytest.raises(UnreadableFileError, match=f"{kind} unreadable: Permission d"):
        (found.texts if kind == "text" else found.images).read("a")


def test_file_names_that_are_no_text_do_no_harm(folder: Path) -> None:
    with open(os.fsencode(folder) + b"/\xff\xfe.txt", "wb"):
        pass
    assert files(folder, a__txt=b"hello").texts.read("a") == b"hello"
    preview = PostFilesDataset(path=str(folder.parent)).preview()
    assert preview["data"] == [["a", "data/a.txt", ""], ["\\xff\\xfe", "data/\\xff\\xfe.txt", ""]]


def test_a_missing_folder(tmp_path: Path) -> None:
    dataset = PostFilesDataset(path=str(tmp_path / "nowhere"))
    assert not dataset.exists()
    with pytest.raises(DatasetError, match="data cannot be listed: No such file"):
        dataset.load()


def test_posts_are_never_written(folder: Path) -> None:
    with pytest.raises(DatasetError, match="only read, never written"):
        PostFilesDataset(path=str(folder.parent)).save("anything")  # type: ignore[arg-type]


def test_the_preview_is_a_table_of_the_first_posts(folder: Path) -> None:
    files(folder, b__txt=b"", a__txt=b"", a__jpg=b"", c__png=b"")
    assert PostFilesDataset(path=str(folder.parent)).preview(nrows=2) == {
        "index": [0, 1],
        "columns": ["guid", "text file", "image"],
        "data": [["a", "data/a.txt", "data/a.jpg"], ["b", "data/b.txt", ""]],
    }
