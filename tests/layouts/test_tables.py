"""What tables say of their posts: ids, tags, splits, texts and images."""

from __future__ import annotations

import base64
import json
import random
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest
from kedro.io import DatasetError

from multimodal_sentiment.datasets import PostListingDataset
from multimodal_sentiment.layouts import LAYOUTS, LayoutError, Options, Source, open_source
from multimodal_sentiment.pipelines.ingestion.nodes import describe_source

from .test_post_folder import as_nobody

JPEG = b"\xff\xd8\xff an image"


def opened(path: Path, **columns: str) -> Source:
    return open_source(path, Options(columns=columns))


def rows(source: Source, namespace: Any = "labelled") -> list[tuple[str, ...]]:
    return list(source.listing(namespace).itertuples(index=False, name=None))


def write(path: Path, **columns: list[Any] | pa.Array) -> Path:
    pa.parquet.write_table(pa.table(columns), path)
    return path


def test_rows_without_a_tag_and_those_of_the_test_are_to_be_predicted(tmp_path: Path) -> None:
    (tmp_path / "posts.csv").write_text(
        "ID,Tweet Text,Label,Split\n"
        "1,a,good,train\n2,b,bad,Dev\n3,c,good,test\n4,d,NULL,\n5,e,bad,\n"
    )
    source = opened(tmp_path)
    assert rows(source) == [("1", "good", "train"), ("2", "bad", "validation"), ("5", "bad", "")]
    assert rows(source, "unlabelled") == [("3", "good", "test"), ("4", "", "")]
    declared, about = describe_source(source.listing("labelled"), source.files())
    assert declared.values.tolist() == [["1", "train"], ["2", "validation"], ["5", ""]]
    assert about["columns"] == {
        "guid": "ID",
        "text": "Tweet Text",
        "tag": "Label",
        "split": "Split",
    }
    assert (about["format"], about["encoding"], about["separator"]) == ("csv", "utf-8", ",")


def test_a_source_without_splits_declares_none(tmp_path: Path) -> None:
    (tmp_path / "posts.csv").write_text("id,text,tag\n1,a,good\n2,b,bad\n")
    source = opened(tmp_path)
    assert rows(source) == [("1", "good"), ("2", "bad")]
    declared, _ = describe_source(source.listing("labelled"), source.files())
    assert declared.columns.tolist() == ["guid", "split"] and declared.empty
    assert not source.has("unlabelled")
    with pytest.raises(LayoutError, match="no post to be predicted: these are rows without a tag"):
        source.listing("unlabelled")


def test_a_table_that_is_all_labelled_lists_no_post_to_be_predicted(tmp_path: Path) -> None:
    (tmp_path / "posts.csv").write_text("id,text,tag\n1,a,good\n2,b,bad\n")
    given = {"path": str(tmp_path), "namespace": "unlabelled"}
    dataset = PostListingDataset(**given)
    assert dataset.has_no_new_posts()
    assert dataset.load().empty
    with pytest.raises(DatasetError, match="no post to be predicted"):  # inference asks that
        dataset.exists()

    (tmp_path / "posts.csv").write_text("id,text,tag\n1,a,good\n2,b,bad\n3,c,\n")
    assert not dataset.has_no_new_posts()
    assert dataset.load()["guid"].tolist() == ["3"]


@pytest.mark.fault("table", "new posts: names, and no row", "an empty submission")
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("p.csv", b"id,text,image\n"),
        ("p.tsv", b"id\ttext"),
        ("p.jsonl", b""),
        ("p.jsonl", b"\n"),
        ("p.json", b"[]"),
        ("p.parquet", b""),
        ("p.feather", b""),
    ],
)
def test_a_table_without_rows_lists_no_new_posts(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    if name == "p.parquet":
        write(tmp_path / name, id=pa.array([], pa.int64()), text=pa.array([], pa.string()))
    if name == "p.feather":
        pa.feather.write_feather(
            pa.table({"id": pa.array([], pa.int64()), "text": []}), tmp_path / name
        )
    dataset = PostListingDataset(path=str(tmp_path / name), namespace="unlabelled")
    assert dataset.exists()
    assert dataset.load().empty
    source = opened(tmp_path / name)
    assert list(source.files().texts) == []
    source.write_answers(pd.DataFrame({"predicted": []}), tmp_path)
    with pytest.raises(LayoutError, match="has no post to learn from: these are rows"):
        source.listing("labelled")


def test_a_test_set_without_rows_lists_no_new_posts(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("id,text,tag\n1,a,good\n2,b,bad\n")
    (tmp_path / "test.csv").write_text("id,text,tag\n")
    source = opened(tmp_path)
    assert [row[0] for row in rows(source)] == ["1", "2"]
    assert rows(source, "unlabelled") == []


def test_a_missing_listing_of_the_course_is_not_an_empty_one(tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_text("guid,tag\n1,positive\n")
    dataset = PostListingDataset(path=str(tmp_path), namespace="unlabelled")
    assert not dataset.has_no_new_posts()
    assert not dataset.exists()


def test_files_named_like_splits_are_splits(tmp_path: Path) -> None:
    for name, tag in (("train", "good"), ("dev", "bad"), ("test", "good")):
        (tmp_path / f"{name}.csv").write_text(f"text,tag\n{name} 1,{tag}\n{name} 2,{tag}\n")
    source = opened(tmp_path)
    assert rows(source) == [
        ("train-1", "good", "train"), ("train-2", "good", "train"),
        ("validation-1", "bad", "validation"), ("validation-2", "bad", "validation"),
    ]  # fmt: skip
    assert rows(source, "unlabelled") == [("test-1", "good", "test"), ("test-2", "good", "test")]
    files = source.files()
    assert files.texts.read("validation-2") == b"dev 2"
    assert files.remarks[0].startswith("3 tables: train.csv, dev.csv, test.csv (CSV in UTF-8")
    assert files.remarks[0].endswith("posts have the numbers of their rows as ids")


@pytest.mark.parametrize(
    "names", [["posts_train", "posts-VAL", "posts.test"], ["train/a", "val/a", "test/a"]]
)
def test_splits_stand_at_the_end_of_names_or_are_folders(tmp_path: Path, names: list[str]) -> None:
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / f"{name}.csv").write_text(f"id,text,tag\n{name},a,good\n")
    source = opened(tmp_path)
    assert rows(source) == [(names[0], "good", "train"), (names[1], "good", "validation")]
    assert rows(source, "unlabelled") == [(names[2], "good", "test")]


def test_tables_in_folders_of_splits_come_before_others_beside_these(tmp_path: Path) -> None:
    for name in ("train/posts", "test/posts", "sample_submission_test"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / f"{name}.csv").write_text(f"id,text,tag\n{name},a,good\n")
    source = opened(tmp_path)
    assert rows(source) == [("train/posts", "good", "train")]
    assert rows(source, "unlabelled") == [("test/posts", "good", "test")]
    assert source.files().remarks[1] == (
        "not read, beside these: 1 table, sample_submission_test.csv; if one is meant, name it "
        "or its folder with raw=PATH"
    )


@pytest.mark.parametrize(
    "sidecars",
    [
        {f"{split}/{n}.json": "[{}]" for split in ("train", "test") for n in range(2)},
        {f"{split}/boxes.json": '{"images": []}' for split in ("train", "test")},
        {"test/posts.csv": "id,text,tag\n2,a,good\n"},
        {
            f"{split}/{n}.{kind}": "{}"
            for split in ("train", "test")
            for n, kind in enumerate(("jsonl", "ndjson"))
        },
    ],
)
def test_files_about_images_do_not_come_before_the_table_beside_them(
    tmp_path: Path, sidecars: dict[str, str]
) -> None:
    (tmp_path / "posts.csv").write_text("id,text,tag\n1,a,good\n")
    for name, content in sidecars.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    source = opened(tmp_path)
    assert rows(source) == [("1", "good")]
    said = "".join(remark for remark in source.files().remarks if "not read" in remark)
    assert all((name in said) is ("boxes" not in name) for name in sidecars)  # which hold no rows


@pytest.mark.parametrize("suffix", ["parquet", "jsonl"])
def test_files_of_one_format_in_folders_of_splits_come_before_a_table_beside_them(
    tmp_path: Path, suffix: str
) -> None:
    for name in ("train/0", "train/1", "test/0", "test/1"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        row = pd.DataFrame({"id": [name], "text": ["a"], "tag": ["good"]})
        if suffix == "parquet":
            row.to_parquet(tmp_path / f"{name}.parquet")
        else:
            row.to_json(tmp_path / f"{name}.jsonl", orient="records", lines=True)
    (tmp_path / "posts.csv").write_text("id,text,tag\n1,a,good\n")
    assert [row[0] for row in rows(opened(tmp_path))] == ["train/0", "train/1"]


@pytest.mark.parametrize("name", ["posts.csv", "metadata.csv"])
def test_a_folder_that_may_be_of_either_split_is_refused(tmp_path: Path, name: str) -> None:
    for folder in ("train", "Eval", "evaluation of what is here", "posts.eval"):
        (tmp_path / folder).mkdir()
        if folder != "Eval":
            (tmp_path / folder / name).write_text(f"id,text,tag\n{folder},a,good\n")
    assert rows(opened(tmp_path))[0][:2] == ("train", "good")
    (tmp_path / "Eval" / name).write_text("id,text,tag\n2,a,good\n")
    with pytest.raises(LayoutError, match=r"the posts of .*Eval/\w+\.csv for validation or for"):
        opened(tmp_path)
    for split in ("dev", "test"):  # which says that it is of neither
        (tmp_path / split).mkdir()
        (tmp_path / split / name).write_text(f"id,text,tag\n{split},a,good\n")
    assert sorted(row[0] for row in rows(opened(tmp_path))) == ["dev", "train"]
    for other in ("Eval/more.csv", "all.csv"):
        (tmp_path / other).write_text("id,text,tag\n3,a,good\n")
    assert sorted(row[0] for row in rows(opened(tmp_path))) == ["dev", "train"]


def test_names_of_columns_may_stand_between_angles(tmp_path: Path) -> None:
    (tmp_path / "posts.csv").write_text("<id>,<text>,<label>\n1,a,good\n")
    assert rows(opened(tmp_path, guid="<id>", text="<text>", tag="<label>")) == [("1", "good")]


def test_what_a_sample_tells_of_its_posts_is_no_table(tmp_path: Path) -> None:
    (tmp_path / "decisive.jsonl").write_text('{"guid": "1", "tag": "bad"}\n')
    (tmp_path / "posts.csv").write_text("id,text,tag\n1,a,good\n")
    assert rows(opened(tmp_path)) == [("1", "good")]


def test_splits_of_images_come_in_one_order_and_one_alone_is_all_posts(tmp_path: Path) -> None:
    for split in ("dev", "test", "train"):
        (tmp_path / split).mkdir()
        (tmp_path / split / "metadata.csv").write_text(f"text,file_name,tag\na,{split}.jpg,good\n")
    source = opened(tmp_path)
    assert rows(source) == [("train-1", "good", "train"), ("validation-1", "good", "validation")]
    for split in ("test", "train"):
        (tmp_path / split / "metadata.csv").unlink()
    assert rows(opened(tmp_path)) == [("1", "good")]


def test_what_is_not_read_and_what_counts_as_no_tag_is_said(tmp_path: Path) -> None:
    for name in ("train", "test", "sample_submission", "all"):
        (tmp_path / f"{name}.csv").write_text(f"id,text,tag\n{name},a,good\n{name} 2,b,None\n")
    source = opened(tmp_path)
    assert rows(source) == [("train", "good", "train")]
    assert source.files().remarks[1:] == [
        "2 posts are tagged 'None', which counts as no tag: if it is one, name all in "
        "ingestion.labels",
        "not read, beside these: 2 tables, all.csv, sample_submission.csv; if one is meant, name "
        "it or its folder with raw=PATH",
    ]
    meant = open_source(tmp_path, Options(labels=["good", "None"]))
    assert rows(meant) == [("train", "good", "train"), ("train 2", "None", "train")]
    assert len(meant.files().remarks) == 2


def test_texts_that_may_be_rows_between_quotes_are_said_to_be_so(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text('id,text,tag\n1,"a,good\n2,b",good\n3,c,bad\n')
    source = opened(tmp_path)
    assert source.files().texts.read("1") == b"a,good\n2,b"
    assert "1 lines are parts of texts between quotes, and might be" in source.files().remarks[1]
    (tmp_path / "p.csv").write_text('id,text,tag\n1,"a, so\nb",good\n3,"c\nd",bad\n')
    assert len(opened(tmp_path).files().remarks) == 1


@pytest.mark.parametrize("kind", [pa.list_, pa.large_list])
def test_of_a_list_of_images_the_first_is_taken(tmp_path: Path, kind: Any) -> None:
    struct = pa.struct({"bytes": pa.binary(), "path": pa.string()})
    first, other = ({"bytes": JPEG + sign, "path": None} for sign in (b"1", b"2"))
    images = pa.array([[first], [first, other], [], None], kind(struct))
    write(tmp_path / "p.parquet", text=list("abcd"), images=images, tag=[0, 1, 0, 1])
    found = opened(tmp_path).files().images
    assert [found.read(guid) for guid in "12"] == [JPEG + b"1"] * 2
    problems = [found.problem(guid) for guid in "1234"]
    assert [problem.words if problem else None for problem in problems] == [
        None,
        "several images: the first of 2 used",
        "no image",
        "no image",
    ]


def test_base64_stands_for_bytes_in_lines_and_in_a_list(tmp_path: Path) -> None:
    held = {"bytes": base64.encodebytes(JPEG * 9).decode(), "path": None}
    lines = [{"id": 1, "images": [held], "tag": "x"}, {"id": 2, "images": held, "tag": "y"}]
    (tmp_path / "p.jsonl").write_text("\n".join(map(json.dumps, lines)))
    images = opened(tmp_path).files().images
    assert [images.read(guid) for guid in "12"] == [JPEG * 9] * 2


@pytest.mark.parametrize("column", ["split", "partition", "Subset"])
@pytest.mark.parametrize("is_given", [False, True])
def test_a_column_subset_that_holds_something_else_is_left_aside(
    tmp_path: Path, column: str, is_given: bool
) -> None:
    content = f"id,text,tag,{column}\n1,a,good,north\n2,b,bad,\n3,c,bad,none\n"
    (tmp_path / "p.csv").write_text(content)
    options = Options(columns={"split": column if is_given else None})
    if is_given or column != "Subset":
        with pytest.raises(LayoutError, match=f"{column!r} holds 'north', which is no split") as no:
            open_source(tmp_path, options)
        assert str(no.value).endswith("with columns.split, or call this one otherwise")
        return
    source = open_source(tmp_path, options)
    assert rows(source) == [("1", "good"), ("2", "bad"), ("3", "bad")]
    (said,) = [remark for remark in source.files().remarks if "left aside" in remark]
    assert said.endswith("column 'Subset' is left aside: it holds 'none', 'north', and no split")
    assert "split" not in source.files().about["columns"]


@pytest.mark.parametrize(
    ("content", "image", "guids"),
    [
        ("id,tweet_id,text,tag\n1,7,a,good\n2,7,b,bad\n", "tweet_id", ["1", "2"]),
        ("id,text,tag\n7,a,good\n7,b,bad\n", "id", ["1", "2"]),
        ("id,text,tag\n7,a,good\n,b,bad\n", "id", ["1", "2"]),
        ("id,text,tag\n7,a,good\n8,b,bad\n", "id", ["7", "8"]),
    ],
)
def test_ids_that_name_files_are_those_of_posts_where_each_has_its_own(
    tmp_path: Path, content: str, image: str, guids: list[str]
) -> None:
    (tmp_path / "p.csv").write_text(content)
    source = opened(tmp_path, image=image)
    assert [row[0] for row in rows(source)] == guids
    source.files()


def test_parts_of_a_split_are_one(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()  # as data sets lie on the hub
    for number, text in enumerate("ab"):
        name = f"train-0000{number}-of-00002.parquet"
        write(tmp_path / "data" / name, text=[text, text * 2], tag=["x", "y"])
    write(tmp_path / "data" / "test-00000-of-00001.parquet", text=["c"], tag=["x"])
    source = opened(tmp_path)
    assert [row[0] for row in rows(source)] == ["train-1", "train-2", "train-3", "train-4"]
    assert source.files().texts.read("train-4") == "bb"
    assert source.files().texts.read("test-1") == "c"


@pytest.mark.parametrize(("name", "namespace"), [("test.csv", "unlabelled"), ("a.csv", "labelled")])
def test_a_table_named_test_is_to_be_predicted(tmp_path: Path, name: str, namespace: str) -> None:
    (tmp_path / name).write_text("id,text,tag\n1,a,good\n2,b,bad\n")
    assert [row[0] for row in rows(opened(tmp_path / name), namespace)] == ["1", "2"]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (pa.array([1, 0, None]), ["1", "0", ""]),
        (pa.array([1.0, 0.0, None]), ["1", "0", ""]),  # integers with a gap, as pandas has them
        (pa.array([1.5, 0.0, None]), ["1.5", "0", ""]),
        (pa.array([True, False, None]), ["true", "false", ""]),
        (pa.array(["b", "a", None]).dictionary_encode(), ["b", "a", ""]),
        (pa.array(["NA", "none", "?"]), ["NA", "", ""]),
    ],
)
def test_whatever_a_tag_is_it_is_text(tmp_path: Path, values: pa.Array, words: list[str]) -> None:
    path = write(tmp_path / "posts.parquet", id=[1, 2, 3], text=["a", "b", "c"], tag=values)
    source = opened(path)
    found = dict(rows(source) + (rows(source, "unlabelled") if source.has("unlabelled") else []))
    assert [found[guid] for guid in "123"] == words


def test_a_label_that_means_no_tag_elsewhere_may_be_named(tmp_path: Path) -> None:
    path = write(tmp_path / "posts.parquet", id=[1, 2], text=["a", "b"], tag=["none", "some"])
    source = open_source(path, Options(labels=["none", "some"]))
    assert rows(source) == [("1", "none"), ("2", "some")]


def test_classes_have_the_names_that_the_file_gives_them(tmp_path: Path) -> None:
    label = {"names": ["bad", "good"], "_type": "ClassLabel"}
    noted = json.dumps({"info": {"features": {"label": label, "text": {"_type": "Value"}}}})
    table = pa.table({"text": ["a", "b", "c"], "label": [1, 0, -1]})
    table = table.replace_schema_metadata({"huggingface": noted})
    pa.parquet.write_table(table, tmp_path / "posts.parquet")
    source = opened(tmp_path)
    assert rows(source) == [("1", "good"), ("2", "bad")]
    assert rows(source, "unlabelled") == [("3", "")]


def test_long_ids_keep_all_their_digits(tmp_path: Path) -> None:
    ids = [1234567890123456789, 1234567890123456790]
    path = write(tmp_path / "posts.parquet", id=ids, text=["a", "b"], tag=["x", "y"])
    assert [guid for guid, _ in rows(opened(path))] == list(map(str, ids))


def test_images_lie_where_the_user_says(tmp_path: Path) -> None:
    (tmp_path / "photos" / "2024").mkdir(parents=True)
    (tmp_path / "photos" / "2024" / "a.jpg").write_bytes(JPEG)
    (tmp_path / "photos" / "unused.jpg").write_bytes(JPEG)
    (tmp_path / "photos" / "2024" / "notes.md").write_text("of nobody")
    (tmp_path / "table").mkdir()
    path = write(
        tmp_path / "table" / "posts.parquet",
        id=[1, 2], text=["a", "b"], tag=["x", "y"],
        shot=["2024/a.jpg", str(tmp_path / "photos" / "2024" / "a.jpg")],
    )  # fmt: skip
    files = opened(path, image="shot", image_folder=str(tmp_path / "photos")).files()
    assert files.images.read("1") == files.images.read("2") == JPEG
    assert files.images.path("1") == "2024/a.jpg"
    assert files.unclaimed(["1", "2"]) == ["2024/notes.md"]
    assert files.outside == 0
    beside = opened(path, image="shot").files()
    assert beside.images.path("1") == ""
    assert beside.images.read("2") == JPEG  # the user's own table gives the whole path
    assert beside.outside == 1
    assert beside.unclaimed(["1", "2"]) == []  # a folder elsewhere may well hold other things
    lost = write(
        tmp_path / "table" / "lost.parquet",
        id=[1], text=["a"], tag=["x"], shot=[str(tmp_path / "photos" / "1.png")],
    )  # fmt: skip
    missed = opened(lost, image="shot").files()
    assert missed.images.path("1") == ""
    assert missed.unclaimed(["1"]) == ["unused.jpg"]  # which says what is there instead


def test_a_folder_that_is_written_in_several_ways_is_one(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    for name in ("a.jpg", "b.jpg", "c.jpg", "unused.jpg"):
        (tmp_path / "images" / name).write_bytes(JPEG)
    path = write(
        tmp_path / "posts.parquet",
        id=[1, 2, 3], tag=["x", "y", "y"],
        image=["./images/a.jpg", "images/b.jpg", "images/../images//c.jpg"],
    )  # fmt: skip
    files = opened(path).files()
    assert [files.images.read(guid) for guid in "123"] == [JPEG] * 3
    assert files.unclaimed(["1", "2", "3"]) == ["images/unused.jpg"]


def test_a_step_up_from_a_link_leads_where_the_disk_says(tmp_path: Path) -> None:
    (tmp_path / "elsewhere" / "within").mkdir(parents=True)
    (tmp_path / "elsewhere" / "a.jpg").write_bytes(JPEG + b" behind the link")
    (tmp_path / "a.jpg").write_bytes(JPEG)
    (tmp_path / "link").symlink_to("elsewhere/within")
    path = write(tmp_path / "posts.parquet", id=[1], image=["link/../a.jpg"], tag=["x"])
    assert opened(path).files().images.read("1") == JPEG + b" behind the link"


def test_bytes_that_are_not_there_are_looked_for_at_their_path(tmp_path: Path) -> None:
    image = [{"bytes": None, "path": "shots/1.jpg"}, {"bytes": JPEG, "path": None}]
    path = write(tmp_path / "p.parquet", id=["a", "b"], image=image, tag=["x", "y"])
    images = opened(path).files().images
    assert (images.is_due("a"), images.is_due("b")) == (True, False)
    assert images.looked_for("a") == str(tmp_path / "shots" / "1.jpg")
    (tmp_path / "shots").mkdir()
    (tmp_path / "shots" / "1.jpg").write_bytes(JPEG)
    assert [opened(path).files().images.read(guid) for guid in "ab"] == [JPEG, JPEG]


def test_a_table_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a.jpg").write_bytes(JPEG)
    write(tmp_path / "elsewhere" / "posts.parquet", id=[1], image=["a.jpg"], tag=["x"])
    (tmp_path / "link.parquet").symlink_to("elsewhere/posts.parquet")
    assert opened(tmp_path / "link.parquet").files().images.read("1") == JPEG


def test_a_text_is_read_from_a_file_only_if_the_column_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("schön".encode("cp1252"))
    path = write(tmp_path / "posts.parquet", id=[1], text=["a.txt"], tag=["x"])
    assert opened(path).files().texts.read("1") == "a.txt"
    assert opened(path, text_file="text").files().texts.read("1") == "schön".encode("cp1252")
    (tmp_path / "photos").mkdir()
    named = opened(path, text_file="text", image_folder="photos").files()
    assert named.texts.read("1") == "schön".encode("cp1252")


@pytest.mark.parametrize("name", ["posts.parquet", "posts.feather", "posts.arrow"])
@pytest.mark.parametrize("kind", ["bytes", "struct"])
def test_images_are_read_in_any_order(tmp_path: Path, name: str, kind: str) -> None:
    images: list[Any] = [b"image %d" % n for n in range(400)]
    column = images if kind == "bytes" else [{"bytes": image, "path": None} for image in images]
    table = pa.table({"id": list(range(400)), "image": column, "tag": ["x", "y"] * 200})
    if name.endswith("parquet"):
        pa.parquet.write_table(table, tmp_path / name, row_group_size=150)
    elif name.endswith("feather"):
        pa.feather.write_feather(table, tmp_path / name, chunksize=90, compression="lz4")
    else:
        with pa.OSFile(str(tmp_path / name), "wb") as file:
            with pa.ipc.new_stream(file, table.schema) as stream:
                stream.write_table(table, max_chunksize=70)
    found = opened(tmp_path).files().images
    order = random.Random(0).sample(range(400), 60)
    assert [found.read(str(n)) for n in order] == [images[n] for n in order]
    assert [found.read(str(n)) for n in range(400)] == images
    assert found.path("7") == f"{name}#8"


def test_of_a_saved_data_set_the_rows_that_are_meant_are_read(tmp_path: Path) -> None:
    def stream(path: Path, table: pa.Table) -> None:
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, table.schema) as sink:
            sink.write_table(table)

    for split, indices in (("train", None), ("test", [2, 0])):
        folder = tmp_path / split
        folder.mkdir()
        posts = {"text": ["a", "b", "c"], "image": [b"A", b"B", b"C"], "label": ["x", "y", "x"]}
        stream(folder / "data.arrow", pa.table(posts))
        state: dict[str, Any] = {"_data_files": [{"filename": "data.arrow"}]}
        if indices:
            stream(folder / "indices.arrow", pa.table({"indices": pa.array(indices, pa.uint64())}))
            state["_indices_files"] = [{"filename": "indices.arrow"}]
        (folder / "state.json").write_text(json.dumps(state))
    (tmp_path / "dataset_dict.json").write_text('{"splits": ["test", "train"]}')
    (tmp_path / "all.tar").touch()  # what it has come in, say
    source = opened(tmp_path)
    assert [row[0] for row in rows(source)] == ["train-1", "train-2", "train-3"]
    assert rows(source, "unlabelled") == [("test-1", "x", "test"), ("test-2", "x", "test")]
    files = source.files()
    assert [files.texts.read(f"test-{n}") for n in (1, 2)] == ["c", "a"]
    assert [files.images.read(f"test-{n}") for n in (1, 2)] == [b"C", b"A"]


def test_a_folder_that_may_not_be_listed_is_said_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "raw").mkdir(mode=0o711)
    monkeypatch.chdir(tmp_path / "raw")  # the way to which not everybody may go
    with as_nobody(), pytest.raises(LayoutError, match=r"^\. cannot be listed: Permission denied$"):
        opened(Path())


@pytest.mark.parametrize("name", ["dataset_dict.json", "state.json", "data.arrow"])
def test_a_saved_data_set_that_may_not_be_read_is_not_called_incomplete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (tmp_path / "raw").mkdir()
    monkeypatch.chdir(tmp_path / "raw")  # the way to which not everybody may go
    if name != "dataset_dict.json":
        Path("state.json").write_text('{"_data_files": [{"filename": "data.arrow"}]}')
    Path(name).touch()
    Path(name).chmod(0)
    with as_nobody(), pytest.raises(LayoutError, match=r" cannot be read: .*") as refused:
        open_source(Path(), Options(layout="table"))
    assert "Permission denied" in str(refused.value)
    assert "Errno" not in str(refused.value)


def test_a_table_in_an_encoding_is_named_and_its_keys_are_read_in_it(tmp_path: Path) -> None:
    lines = [f"{n},今天天气很好 {n},{('好', '坏')[n % 2]}\n" for n in range(40)]
    (tmp_path / "posts.csv").write_bytes(("号码,text,标签\n" + "".join(lines)).encode("gb18030"))
    source = opened(tmp_path, guid="号码", tag="标签")
    assert rows(source)[:2] == [("0", "好"), ("1", "坏")]
    assert source.files().about["encoding"] == "gb18030"


def test_a_layout_may_be_forced(tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_text("guid,tag\n1,good\n2,bad\n")
    (tmp_path / "data").mkdir()
    (tmp_path / "posts.csv").write_text("id,text,tag\n7,a,x\n8,b,y\n")
    assert rows(opened(tmp_path)) == [("1", "good"), ("2", "bad")]
    assert rows(open_source(tmp_path, Options(layout="table"))) == [("7", "x"), ("8", "y")]
    with pytest.raises(
        LayoutError, match=f"unknown layout 'tabel': choose one of {next(iter(LAYOUTS))}"
    ):
        open_source(tmp_path, Options(layout="tabel"))
    with pytest.raises(LayoutError, match=r" holds no file of the layout 'shards': .*\.tar"):
        open_source(tmp_path, Options(layout="shards"))


def test_a_table_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(LayoutError, match=r"there is no table .*posts\.csv"):
        opened(tmp_path / "posts.csv")


def test_splits_may_be_of_several_formats_but_none_is_there_twice(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("id,text,tag\n1,a,good\n")
    (tmp_path / "dev.CSV").write_text("id,text,tag\n2,a,bad\n")
    (tmp_path / "test.jsonl").write_text('{"id": 3, "text": "a"}\n')
    source = opened(tmp_path)
    assert rows(source) == [("1", "good", "train"), ("2", "bad", "validation")]
    assert rows(source, "unlabelled") == [("3", "", "test")]

    (tmp_path / "train.jsonl").write_text('{"id": 1, "text": "a", "tag": "good"}\n')
    with pytest.raises(LayoutError, match="holds several tables"):
        opened(tmp_path)


def test_a_missing_suffix_is_one_of_the_kind_that_is_looked_for(tmp_path: Path) -> None:
    (tmp_path / "posts.csv").write_text("id,label\n7,good\n")
    contents = {"7.jpg": JPEG, "7.txt": b"words", "7.bmp": b"BM", "7.xml": b"<p>"}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    source = opened(tmp_path, text_file="id", image="id")
    assert rows(source) == [("7", "good")]
    files = source.files()
    assert files.texts.read("7") == b"words"
    assert files.images.read("7") == JPEG

    (tmp_path / "7.txt").unlink()
    (tmp_path / "7.jpg").unlink()
    files = opened(tmp_path, text_file="id", image="id").files()
    assert files.texts.read("7") == b"<p>"
    assert files.images.read("7") == b"BM"
