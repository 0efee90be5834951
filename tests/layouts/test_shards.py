"""Shards: many files that are one set of posts, Parquet or tar, in a folder or at an address."""

from __future__ import annotations

import errno
import json
import os
import pickle
import shutil
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest
from kedro.io import DataCatalog, DatasetError
from kedro.pipeline import node, pipeline

from multimodal_sentiment.datasets import PostFilesDataset, PostListingDataset
from multimodal_sentiment.layouts import (
    LARGEST,
    LayoutError,
    Options,
    Source,
    UnreadableFileError,
    find_path,
    open_source,
)
from multimodal_sentiment.layouts.files.finding import find_files_in
from multimodal_sentiment.layouts.which_tables import find_tables
from multimodal_sentiment.posts.problems import problem
from multimodal_sentiment.runs.checks import check_run
from multimodal_sentiment.runs.kedro_adapter import place_in_words

from .making import write_tar
from .test_post_folder import as_nobody

JPEG = b"\xff\xd8\xff an image"
POSTS = {
    "posts-0.tar": {
        "a.txt": b"first",
        "a.jpg": JPEG + b"a",
        "a.cls": b"good\n",
        "b.txt": b"second",
    },
    "posts-1.tar": {"c.txt": b"third", "c.png": JPEG + b"c", "c.cls": b"bad"},
}


def opened(raw: Path | str, **columns: str) -> Source:
    return open_source(find_path(str(raw)), Options(columns=columns))


def contents(source: Source) -> dict[str, tuple[Any, Any]]:
    held = source.files()
    return {
        guid: (
            held.texts.read(guid) if guid in held.texts else None,
            held.images.read(guid) if guid in held.images else None,
        )
        for guid in held.texts
    }


def write_shards(folder: Path, shards: dict[str, dict[str, bytes]] = POSTS) -> Path:
    folder.mkdir(exist_ok=True)
    for name, members in shards.items():
        write_tar(folder / name, members)
    return folder


def write_parquet(folder: Path, count: int, posts: int, image: bytes = JPEG) -> Path:
    """Shards of posts without ids, whose images begin with their number."""
    folder.mkdir()
    for shard in range(count):
        numbers = range(posts * shard, posts * shard + posts)
        table = pa.table(
            {
                "text": [f"text {number}" for number in numbers],
                "image": [f"{number} ".encode() + image for number in numbers],
                "label": ["good"] * posts,
            }
        )
        pa.parquet.write_table(table, folder / f"part-{shard:03}.parquet", row_group_size=8)
    return folder


class TestTar:
    def test_files_of_one_key_are_a_post(self, tmp_path: Path) -> None:
        source = opened(write_shards(tmp_path / "raw"))
        assert source.listing("labelled").to_dict("list") == {
            "guid": ["a", "c"],
            "tag": ["good", "bad"],
        }
        assert source.listing("unlabelled")["guid"].tolist() == ["b"]
        assert contents(source) == {
            "a": (b"first", JPEG + b"a"),
            "b": (b"second", None),
            "c": (b"third", JPEG + b"c"),
        }
        held = source.files()
        assert held.about["layout"] == "shards"
        assert held.about["format"] == "tar"
        assert held.remarks[0].startswith("2 shards: posts-0.tar, posts-1.tar (TAR), 3 rows; guid")
        assert held.images.path("c") == "posts-1.tar#1"

    def test_one_tar_or_a_pattern_of_some_may_be_named(self, tmp_path: Path) -> None:
        write_shards(tmp_path / "raw", POSTS | {"other.tar": {"z.txt": b"z"}})
        assert list(contents(opened(tmp_path / "raw" / "posts-1.tar"))) == ["c"]
        assert list(contents(opened(tmp_path / "raw" / "posts-*.tar"))) == ["a", "b", "c"]
        with pytest.raises(LayoutError, match=r"none-\*\.tar stands for no shard: these end in"):
            opened(tmp_path / "raw" / "none-*.tar")

    def test_a_run_may_be_given_a_pattern(self, tmp_path: Path) -> None:
        write_shards(tmp_path / "raw")
        path = str(tmp_path / "raw" / "*.tar")
        listings = {
            namespace: PostListingDataset(path=path, namespace=namespace)
            for namespace in ("labelled", "unlabelled")
        }
        inputs = {**listings, "post_files": PostFilesDataset(path=path)}
        read = pipeline([node(lambda *given: len(given), list(inputs), "count")])
        request: dict[str, Any] = {"load_versions": {}, "run_id": "now"}
        checked = check_run(tmp_path, read, DataCatalog(inputs), {}, request, {})
        assert checked == dict.fromkeys(inputs)

        write_tar(tmp_path / "raw" / "posts-0.tar", {"d.txt": b"untagged"})
        write_tar(tmp_path / "raw" / "posts-1.tar", {"e.txt": b"untagged"})
        with pytest.raises(DatasetError, match="no column that is known to hold tags"):
            listings["labelled"].exists()

    def test_files_that_macos_leaves_beside_shards_fit_no_pattern(self, tmp_path: Path) -> None:
        write_shards(tmp_path / "raw")
        (tmp_path / "raw" / "._posts-0.tar").write_bytes(b"\0\5\x16\7")
        assert list(contents(opened(tmp_path / "raw" / "*.tar"))) == ["a", "b", "c"]

    def test_entries_of_json_are_columns_and_files_come_before_them(self, tmp_path: Path) -> None:
        entries = {"id": 7, "caption": "told", "sentiment": "bad", "guid": "no", "image": "no"}
        members = {"a.json": json.dumps(entries).encode(), "a.jpg": JPEG}
        source = opened(write_tar(tmp_path / "x.tar", members))
        assert source.listing("labelled").values.tolist() == [["a", "bad"]]
        assert contents(source) == {"a": ("told", JPEG)}
        assert opened(tmp_path / "x.tar", guid="id").listing("labelled")["guid"].tolist() == ["7"]

        write_tar(tmp_path / "x.tar", {"a.txt": b"written", "a.cls": b"good", **members})
        source = opened(tmp_path / "x.tar")
        assert source.listing("labelled").values.tolist() == [["a", "good"]]
        assert contents(source) == {"a": (b"written", JPEG)}

    def test_keys_keep_their_folder_and_end_at_the_first_dot(self, tmp_path: Path) -> None:
        members = {"x/a.txt": b"1", "y/a.txt": b"2", "y/a.seen.JPG": JPEG, "y/._a.jpg": b"mac"}
        source = opened(write_tar(tmp_path / "x.tar", members))
        assert contents(source) == {"x/a": (b"1", None), "y/a": (b"2", JPEG)}

    def test_files_of_other_kinds_are_no_posts_nor_is_a_dot_part_of_a_key(
        self, tmp_path: Path
    ) -> None:
        members = {"./README.md": b"#", "./a.txt": b"1", "./a.npy": b"\0", "./Thumbs.db": b"\0"}
        source = opened(write_tar(tmp_path / "x.tar", members))
        assert contents(source) == {"a": (b"1", None)}
        assert source.files().remarks[1] == (
            "3 files in the tar files are left aside: their suffixes tell nothing"
        )

    def test_what_is_left_aside_in_all_is_counted_in_a_line(self, tmp_path: Path) -> None:
        shards = {f"{n}.tar": {f"{n}.txt": b"t", f"{n}.npy": b"\0"} for n in range(3)}
        (said,) = opened(write_shards(tmp_path / "raw", shards)).files().remarks[1:]
        assert said == "3 files in the tar files are left aside: their suffixes tell nothing"

    @pytest.mark.parametrize("name", ["{}-0.tar", "posts_{}.tar"])
    def test_names_of_splits_declare_them(self, tmp_path: Path, name: str) -> None:
        shards = {name.format(split): {f"{split}.txt": b"t", f"{split}.cls": b"good"}
                  for split in ("test", "train", "val")}  # fmt: skip
        write_shards(tmp_path / "raw", shards)
        assert opened(tmp_path / "raw").listing("labelled").values.tolist() == [
            ["train", "good", "train"],
            ["val", "good", "validation"],
        ]
        alone = opened(tmp_path / "raw" / name.format("test"))
        assert alone.has("unlabelled") is name.startswith("{}")
        for split in ("train", "val"):
            (tmp_path / "raw" / name.format(split)).unlink()
        assert opened(tmp_path / "raw").has("unlabelled")  # as of a table alone in its folder

    def test_equal_posts_in_two_shards_are_one_and_different_ones_are_refused(
        self, tmp_path: Path
    ) -> None:
        again = POSTS | {"posts-2.tar": {"a.txt": b"first", "a.jpg": JPEG + b"a", "a.cls": b"good"}}
        assert len(contents(opened(write_shards(tmp_path / "raw", again)))) == 3
        again["posts-2.tar"]["a.jpg"] = JPEG + b"another"
        write_shards(tmp_path / "raw", again)
        with pytest.raises(LayoutError, match="different posts under one id, 'a'"):
            opened(tmp_path / "raw").files()

    def test_what_is_damaged_is_named_in_one_line(self, tmp_path: Path) -> None:
        path = write_tar(tmp_path / "x.tar", {"a.txt": b"1" * 2000, "b.txt": b"2"})
        path.write_bytes(path.read_bytes()[:2000])
        with pytest.raises(LayoutError, match=r"x\.tar is no whole tar file without compression"):
            opened(path)
        write_tar(path, {"README": b""})
        with pytest.raises(LayoutError, match=r"x\.tar holds no post"):
            opened(path)
        write_tar(path, {"a.txt": b"1", "a.json": b"[1]"})
        with pytest.raises(LayoutError, match=r"x\.tar: a\.json holds no object in JSON"):
            opened(path)

    def test_a_file_that_has_changed_is_gone_through_again(self, tmp_path: Path) -> None:
        path = write_tar(tmp_path / "x.tar", {"a.txt": b"old"})
        assert contents(opened(path)) == {"a": (b"old", None)}
        write_tar(path, {"b.txt": b"another"})
        os.utime(path, ns=(1, 1))
        assert contents(opened(path)) == {"b": (b"another", None)}

    def test_what_is_too_large_is_not_read(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(LARGEST, "image", 1000)
        monkeypatch.setitem(LARGEST, "text", 1000)
        members = {"a.txt": b"1" * 5000, "a.jpg": JPEG * 500}
        held = opened(write_tar(tmp_path / "x.tar", members)).files()
        for kind in (held.texts, held.images):
            with pytest.raises(UnreadableFileError, match="too large"):
                kind.read("a")

    def test_answers_are_written_beside_texts_and_entries(self, tmp_path: Path) -> None:
        source = opened(write_shards(tmp_path / "raw"))
        answers = pd.DataFrame({"predicted": ["good"]}, index=pd.Index(["b"], name="guid"))
        source.write_answers(answers, tmp_path)
        written = pd.read_csv(tmp_path / "posts-0.csv", dtype=str, keep_default_na=False)
        assert written.to_dict("list") == {
            "text": ["first", "second"],
            "tag": ["good", ""],
            "guid": ["a", "b"],
            "image": ["row 1", ""],
            "predicted": ["", "good"],
        }
        assert not (tmp_path / "posts-1.csv").exists()  # none of its posts was to be predicted

    def test_lists_and_objects_within_entries_are_written_as_json(self, tmp_path: Path) -> None:
        entries = {"tags": ["é", 1], "user": {"name": "so \ud83d"}, "likes": 7.0}
        members = {"a.txt": b"x", "a.json": json.dumps(entries).encode()}
        source = opened(write_tar(tmp_path / "x.tar", members))
        answers = pd.DataFrame({"predicted": ["good"]}, index=pd.Index(["a"], name="guid"))
        source.write_answers(answers, tmp_path)
        (row,) = pd.read_csv(tmp_path / "x.csv", dtype=str).to_dict("records")
        assert row == {
            "tags": '["é", 1]',
            "user": '{"name": "so \\ud83d"}',
            "likes": "7",
            "text": "x",
            "guid": "a",
            "predicted": "good",
        }

    def test_a_lone_one_beside_a_table_is_what_its_images_came_in(self, tmp_path: Path) -> None:
        write_tar(tmp_path / "images.tar", {"1.jpg": JPEG})
        (tmp_path / "posts.csv").write_text("id,text,tag\n1,a,good\n")
        assert opened(tmp_path).files().about["layout"] == "table"
        (remark,) = opened(tmp_path).files().remarks[1:2]
        assert remark.startswith("images.tar beside the table is not read: unpack it")
        (tmp_path / "posts.csv").rename(tmp_path / "images.csv")  # what describes the shard
        (tmp_path / "sizes.json").write_text('{"images.tar": 1}')
        assert opened(tmp_path).files().about["layout"] == "shards"
        (tmp_path / "posts.json").write_text('[{"id": 1, "text": "a", "tag": "good"}]')
        (tmp_path / "images.csv").unlink()
        (tmp_path / "sizes.json").unlink()
        assert opened(tmp_path).files().about["layout"] == "table"

    def test_so_is_a_lone_one_beside_tables_in_folders_of_splits(self, tmp_path: Path) -> None:
        write_tar(tmp_path / "images.tar", {"1.jpg": JPEG})
        for split in ("train", "test"):
            (tmp_path / split).mkdir()
            (tmp_path / split / "posts.csv").write_text(f"id,text,tag\n{split},a,good\n")
        source = opened(tmp_path)
        assert source.listing("labelled")["guid"].tolist() == ["train"]
        assert source.files().remarks[1].startswith("images.tar beside the table is not read")

    def test_so_is_a_lone_one_beside_one_set_of_parquet_files(self, tmp_path: Path) -> None:
        write_tar(tmp_path / "images.tar", {"1.jpg": JPEG})
        for part in "12":
            rows = pd.DataFrame({"id": [part], "text": ["a"], "tag": ["good"]})
            rows.to_parquet(tmp_path / f"part-{part}.parquet")
        source = opened(tmp_path)
        assert source.listing("labelled")["guid"].tolist() == ["1", "2"]
        assert source.files().remarks[1].startswith("images.tar beside the table is not read")

    @pytest.mark.parametrize("beside", ["test/test.csv", "train/notes.csv", "state.json"])
    def test_a_lone_one_of_posts_is_read_beside_what_is_none(
        self, tmp_path: Path, beside: str
    ) -> None:
        write_tar(tmp_path / "train.tar", {"1.txt": b"a text", "1.cls": b"good"})
        (tmp_path / beside).parent.mkdir(exist_ok=True)
        (tmp_path / beside).write_text('{"epoch": 3}' if ".json" in beside else "id,text\n2,b\n")
        assert opened(tmp_path).listing("labelled")["guid"].tolist() == ["1"]

    @pytest.mark.parametrize(
        ("content", "layout"),
        [
            ('["negative", "positive"]', "shards"),
            ('{"sizes": {\n"images.tar": 1}}', "shards"),
            ('{"id": 1}\n', "shards"),
            (' [\n {"id": 1, "text": "a"}]', "table"),
            ('{"id": 1, "text": "a"}\r\n\n {"id": 2, "text": "b"}', "table"),
            ('{"id": 1, "text": "' + 5000 * "a" + '"}\n{"id": 2, "text": "b"}\n', "table"),
        ],
    )
    def test_of_json_beside_a_lone_one_only_objects_are_posts(
        self, tmp_path: Path, content: str, layout: str
    ) -> None:
        write_tar(tmp_path / "images.tar", {"1.jpg": JPEG})
        (tmp_path / "beside.json").write_text(content)
        assert opened(tmp_path).files().about["layout"] == layout

    def test_json_beside_a_lone_one_may_not_be_readable(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "raw").mkdir()
        monkeypatch.chdir(tmp_path / "raw")  # the way to which not everybody may go
        write_tar(Path("images.tar"), {"1.jpg": JPEG})
        Path("beside.json").touch(0)
        with as_nobody(), pytest.raises(LayoutError, match=r"json cannot be read: Permission d"):
            find_tables(Path())

    @pytest.mark.parametrize("names", [("train", "test", "more"), ("test", "more")])
    def test_names_of_which_some_are_splits_are_refused(
        self, tmp_path: Path, names: tuple[str, ...]
    ) -> None:
        names = tuple(f"{name}.tar" for name in names)
        write_shards(tmp_path / "raw", {name: {f"{name}.txt": b"t"} for name in names})
        with pytest.raises(LayoutError, match=r"some are named after splits, and more\.tar is not"):
            opened(tmp_path / "raw")


class TestParquet:
    def test_files_that_are_named_after_no_split_are_one_set(self, tmp_path: Path) -> None:
        source = opened(write_parquet(tmp_path / "raw", count=3, posts=2))
        assert source.listing("labelled")["guid"].tolist() == [
            f"part-{shard:03}-{row}" for shard in range(3) for row in (1, 2)
        ]
        assert contents(source)["part-002-1"] == ("text 4", b"4 " + JPEG)
        assert contents(opened(tmp_path / "raw" / "part-00[12].parquet")).keys() == {
            f"part-{shard:03}-{row}" for shard in (1, 2) for row in (1, 2)
        }

    def test_those_that_are_named_after_splits_are_not_one_set(self, tmp_path: Path) -> None:
        for split in ("train", "test"):
            table = pa.table({"id": [split], "text": ["a"], "label": ["good"]})
            pa.parquet.write_table(table, tmp_path / f"posts_{split}.parquet")
        assert opened(tmp_path).listing("labelled")["guid"].tolist() == ["train"]
        assert opened(tmp_path).listing("unlabelled")["guid"].tolist() == ["test"]

        pa.parquet.write_table(table, tmp_path / "all.parquet")
        source = opened(tmp_path)
        assert source.listing("labelled")["guid"].tolist() == ["train"]
        assert source.files().remarks[1].startswith("not read, beside these: 1 table")

    def test_one_that_is_validation_to_some_and_test_to_others_is_refused(
        self, tmp_path: Path
    ) -> None:
        def write(name: str) -> None:
            table = pa.table({"id": [name], "text": ["a"], "label": ["good"]})
            pa.parquet.write_table(table, tmp_path / f"{name}.parquet")

        write("sem_eval_2017_train")
        write("sem_eval_2017_test")
        assert opened(tmp_path).listing("labelled")["guid"].tolist() == ["sem_eval_2017_train"]
        (tmp_path / "sem_eval_2017_test.parquet").unlink()
        write("eval")
        with pytest.raises(LayoutError, match=r"eval\.parquet for validation or for testing"):
            opened(tmp_path)

    def test_one_file_may_be_all_shards(self, tmp_path: Path) -> None:
        path = write_parquet(tmp_path / "raw", count=1, posts=2) / "part-000.parquet"
        files = open_source(path, Options(layout="shards")).files()
        assert files.remarks[0].startswith("1 shard: part-000.parquet")

    def test_of_many_shards_few_images_are_held_and_few_files_are_open(
        self, tmp_path: Path
    ) -> None:
        source = opened(write_parquet(tmp_path / "raw", 24, 16, image=bytes(100_000)))
        images = source.files().images
        before = pa.total_allocated_bytes()
        most = 0
        for number, guid in enumerate(images):
            assert images.read(guid).startswith(f"{number} ".encode())
            most = max(most, pa.total_allocated_bytes() - before)
        assert most < 8e6  # of 38 MB
        if sys.platform == "linux":
            links = (os.path.realpath(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd"))
            assert sum(link.endswith(".parquet") for link in links) <= 2
        assert images.read("part-000-1").startswith(b"0 ")  # what was let go is read again


class TestAddresses:
    """Posts at addresses: the rows are those of the same files in a folder."""

    @pytest.fixture
    def address(self) -> Any:
        upath = pytest.importorskip("upath", reason="the extra [cluster] is not there")
        address = upath.UPath("memory://posts")
        yield address
        address.fs.rm("/posts", recursive=True)

    @pytest.mark.parametrize("kind", ["tar", "parquet"])
    def test_rows_are_equal(self, kind: str, tmp_path: Path, address: Any) -> None:
        raw = tmp_path / "raw"
        here = write_shards(raw) if kind == "tar" else write_parquet(raw, count=2, posts=40)
        for path in here.iterdir():
            (address / path.name).write_bytes(path.read_bytes())
        for pattern in ("", f"/*.{kind}"):
            local, remote = opened(f"{here}{pattern}"), opened(f"memory://posts{pattern}")
            for name in ("labelled", "unlabelled") if kind == "tar" else ("labelled",):
                pd.testing.assert_frame_equal(remote.listing(name), local.listing(name))
            assert contents(remote) == contents(local)
            sent = pickle.loads(pickle.dumps(remote.files()))  # noqa: S301 - our own
            assert all(sent.texts.read(g) == local.files().texts.read(g) for g in sent.texts)
            said = local.files().remarks[0]
            assert remote.files().remarks == [said]

    def test_a_folder_of_posts_is_read_as_one_of_this_machine(
        self, tmp_path: Path, address: Any
    ) -> None:
        files = {
            "train.txt": b"guid,tag\na,positive\nb,negative\nc,neutral\n",
            "data/a.txt": b"first",
            "data/a.jpg": JPEG,
            "data/c.txt": b"",
            "data/a.png": JPEG + b"less preferred",
            "data/deep/b.txt": b"second",
            "data/b.txt": b"nearer",
            "data/deep/B.JPG": JPEG,
            "data/cafe\u0301.txt": b"normal",
            "data/deep/the\u0301.txt": b"normal below",
            "data/readme.md": b"nobody's",
        }
        for name, content in files.items():
            (address / name).parent.mkdir(parents=True, exist_ok=True)
            (address / name).write_bytes(content)
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes(content)
        here, there = opened(tmp_path), opened("memory://posts")
        assert there.listing("labelled").equals(here.listing("labelled"))
        assert not there.has("unlabelled")
        for kind in ("texts", "images"):
            local, remote = getattr(here.files(), kind), getattr(there.files(), kind)
            for guid in ("a", "b", "c", "B", "caf\u00e9", "th\u00e9"):
                assert remote.path(guid) == local.path(guid)
                assert remote.problem(guid) == local.problem(guid)
                if guid in local:
                    assert remote.read(guid) == local.read(guid)
                else:
                    with pytest.raises(UnreadableFileError):
                        remote.read(guid)
        unclaimed = there.files().unclaimed(["a", "b", "c", "th\u00e9"])
        assert unclaimed == ["caf\u0065\u0301.txt", "deep/B.JPG"]

    def test_one_file_that_cannot_be_had_is_a_problem_of_its_post(
        self, address: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        contents = {"train.txt": b"guid,tag\n1,neutral\n", "data/1.txt": b"a", "data/2.txt": b"b"}
        for name, content in contents.items():
            (address / name).parent.mkdir(parents=True, exist_ok=True)
            (address / name).write_bytes(content)
        texts = opened("memory://posts").files().texts
        (address / "data" / "1.txt").unlink()
        with pytest.raises(UnreadableFileError, match=r"text unreadable: .*1\.txt"):
            texts.read("1")

        def refuse(path: str, **_: Any) -> None:
            raise OSError(number, os.strerror(number), path)

        monkeypatch.setattr(address.fs, "info", refuse)
        number = errno.EACCES
        with pytest.raises(UnreadableFileError, match="text unreadable: Permission denied"):
            texts.read("2")
        found = find_files_in(address, "inside").find("data/2.jpg", "image", absolute=False)
        assert found.problem == problem("image_unreadable", "Permission denied")
        number = errno.ECONNREFUSED
        with pytest.raises(ConnectionRefusedError):  # no fault of one file: the run stops
            texts.read("2")

    def test_what_a_server_says_of_a_listing_is_said(
        self, address: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (address / "data").mkdir(parents=True)
        (address / "train.txt").write_bytes(b"guid,tag\n1,neutral\n")
        source = opened("memory://posts")

        def refuse(path: str, **_: Any) -> None:
            raise PermissionError("Access Denied")  # without a number, as s3fs has it

        monkeypatch.setattr(address.fs, "info", refuse)
        with pytest.raises(LayoutError, match=r"train\.txt cannot be read: Access Denied"):
            source.listing("labelled")

    def test_the_datasets_take_addresses(self, tmp_path: Path, address: Any) -> None:
        for path in write_shards(tmp_path / "raw").iterdir():
            (address / path.name).write_bytes(path.read_bytes())
        listing = PostListingDataset(path="memory://posts", namespace="labelled")
        assert listing.exists()
        assert listing.load()["guid"].tolist() == ["a", "c"]
        assert PostFilesDataset(path="memory://posts").load().texts.read("b") == b"second"

    def test_tables_that_are_not_read_are_said(self, tmp_path: Path, address: Any) -> None:
        path = write_parquet(tmp_path / "raw", count=1, posts=2) / "part-000.parquet"
        for name in ("train", "test", "all"):
            (address / f"{name}.parquet").write_bytes(path.read_bytes())
        (said,) = opened("memory://posts").files().remarks[1:]
        assert said.startswith("not read, beside these: 1 table, all.parquet; if one is meant")

    def test_answers_are_written_of_shards_in_a_folder(self, tmp_path: Path, address: Any) -> None:
        path = write_tar(tmp_path / "x.tar", {"b.txt": b"second"})
        (address / "deep").mkdir(parents=True)
        (address / "deep" / "x.tar").write_bytes(path.read_bytes())
        answers = pd.DataFrame({"predicted": ["good"]}, index=pd.Index(["b"], name="guid"))
        opened("memory://posts/deep").write_answers(answers, tmp_path)
        opened("memory://posts/deep/x.tar").write_answers(answers, tmp_path / "alone")
        written = [(folder / "x.csv").read_text() for folder in (tmp_path, tmp_path / "alone")]
        assert written == ["text,guid,predicted\nsecond,b,good\n"] * 2

    def test_what_is_not_there_or_no_shard_is_said_in_one_line(self, address: Any) -> None:
        (address / "posts.csv").write_bytes(b"id,text\n1,a\n")
        with pytest.raises(LayoutError, match="there is no memory://elsewhere"):
            opened("memory://elsewhere")
        for raw in ("memory://posts", "memory://posts/posts.csv"):
            with pytest.raises(
                LayoutError, match=r"posts\.csv is no shard: of an address, Parquet"
            ):
                opened(raw)
        with pytest.raises(LayoutError, match="unknown layout of an address 'twitter'"):
            open_source(find_path("memory://posts"), Options(layout="twitter"))
        (address / "posts.csv").rename(address / "posts")
        with pytest.raises(LayoutError, match="memory://posts holds nothing that is read of an"):
            opened("memory://posts")
        listing = PostListingDataset(path="memory://elsewhere", namespace="labelled")
        assert place_in_words(listing) == "memory://elsewhere"
        with pytest.raises(DatasetError, match="there is no memory://elsewhere"):
            listing.exists()

    def test_an_unknown_kind_of_address_is_said_in_one_line(self) -> None:
        pytest.importorskip("upath", reason="the extra [cluster] is not there")
        with pytest.raises(LayoutError, match=r"^nowhere://x cannot be reached: [^\n]*nowhere"):
            opened("nowhere://x/y".removesuffix("/y"))

    def test_a_file_address_is_a_path_of_this_machine(self, tmp_path: Path) -> None:
        write_shards(tmp_path / "raw")
        assert contents(opened(f"file://{tmp_path}/raw")) == contents(opened(tmp_path / "raw"))
        shutil.rmtree(tmp_path / "raw")


class TestOtherProcesses:
    """What other processes are sent of shards: the ids, and where the shards lie."""

    @pytest.mark.parametrize("kind", ["tar", "parquet"])
    def test_they_open_only_the_shards_that_they_use(
        self, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        raw = tmp_path / "raw"
        here = write_shards(raw) if kind == "tar" else write_parquet(raw, count=2, posts=2)
        monkeypatch.chdir(tmp_path)
        source = opened(here.name)
        sent = pickle.dumps(source.files())
        first, *_, last = source.files().texts
        expected = source.files().texts.read(last), source.files().images.read(last)
        monkeypatch.chdir("/")
        next(iter(sorted(here.iterdir()))).unlink()
        received = pickle.loads(sent)  # noqa: S301 - our own
        assert (received.texts.read(last), received.images.read(last)) == expected
        assert received.images.path(last) == source.files().images.path(last)
        with pytest.raises(LayoutError, match="cannot be read: No such file"):
            received.texts.read(first)

    def test_little_is_sent(self, tmp_path: Path) -> None:
        source = opened(write_parquet(tmp_path / "raw", 2, 16, image=bytes(100_000)))
        source.files().images.read("part-000-1")
        assert len(pickle.dumps(source.files())) < 5_000
