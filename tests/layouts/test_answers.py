"""A copy of the user's table, in its own format, with the answers beside the posts."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

from multimodal_sentiment.layouts import Options, open_source
from multimodal_sentiment.layouts.tables import arrow

from .making import write_tar

ROWS = pd.DataFrame(
    {
        "id": ["1", "2", "3", "4"],
        "tweet": ["café", 'say "hi"; now', "a\nb", ""],
        "label": ["good", "", "bad", ""],
    }
)
ANSWERS = pd.DataFrame(
    {"predicted": ["bad", "good"], "confidence": [0.5, 0.75], "problems": ["", "no text"]},
    index=pd.Index(["2", "4"], name="guid"),
)
NEW = {
    "predicted": [None, "bad", None, "good"],
    "confidence": [None, 0.5, None, 0.75],
    "problems": [None, "", None, "no text"],
}


@pytest.fixture
def copied(tmp_path: Path):
    """Write the answers beside the posts of a source, and return the only file of the copy."""

    def copied(raw: Path) -> Path:
        folder = tmp_path / "answered"
        folder.mkdir()
        open_source(raw, Options()).write_answers(ANSWERS, folder)
        (name,) = [path.name for path in folder.iterdir()]
        return folder / name

    return copied


def columns(frame: pd.DataFrame) -> dict[str, list]:
    return {name: [None if pd.isna(v) else v for v in frame[name]] for name in NEW}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize(("name", "separator"), [("p.csv", ";"), ("p.csv", ","), ("p.tsv", "\t")])
def test_separated_cells_keep_separator_ends_of_lines_and_encoding(
    tmp_path, copied, encoding, name, separator
):
    content = ROWS.to_csv(index=False, sep=separator, lineterminator="\r\n")
    (tmp_path / name).write_bytes(content.encode(encoding))

    copy = copied(tmp_path / name)

    text = copy.read_bytes().decode(encoding)
    lines = text.split("\r\n")
    assert lines[0] == separator.join(["id", "tweet", "label", *NEW])
    assert lines[1] == separator.join(["1", "café", "good", "", "", ""])
    read = pd.read_csv(copy, sep=separator, encoding=encoding, dtype=str, keep_default_na=False)
    assert read[["id", "tweet", "label"]].equals(ROWS)
    assert read["confidence"].tolist() == ["", "0.500000", "", "0.750000"]


def test_the_line_for_excel_stays_first(tmp_path, copied):
    (tmp_path / "p.csv").write_text("sep=|\nid|tweet|label\n2|x|\n")
    assert copied(tmp_path / "p.csv").read_text().splitlines() == [
        "sep=|",
        "id|tweet|label|predicted|confidence|problems",
        "2|x||bad|0.500000|",
    ]


def test_where_quotes_are_characters_answers_hold_no_separator(tmp_path, copied, monkeypatch):
    (tmp_path / "p.tsv").write_text('id\ttweet\tlabel\n1\t"x\tgood\n2\ty"\t\n4\tz\t\n')
    monkeypatch.setitem(ANSWERS, "predicted", ["so\tso", "good"])
    assert copied(tmp_path / "p.tsv").read_text().splitlines() == [
        "id\ttweet\tlabel\tpredicted\tconfidence\tproblems",
        '1\t"x\tgood\t\t\t',
        '2\ty"\t\tso,so\t0.500000\t',
        "4\tz\t\tgood\t0.750000\tno text",
    ]


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_a_return_within_a_cell_ends_no_row(tmp_path, copied, ends):
    content = ends.join(["id,tweet,label", '2,"a\rb",', "4,c,", ""])
    (tmp_path / "p.csv").write_bytes(content.encode())
    copy = open_source(copied(tmp_path / "p.csv"), Options())
    assert [copy.files().texts.read(guid) for guid in "24"] == [b"a\rb", b"c"]


def test_a_return_within_an_entry_of_a_tar_file_ends_no_row(tmp_path, copied):
    write_tar(tmp_path / "x.tar", {"2.txt": b"a\rb", "4.txt": b"c"})
    copy = open_source(copied(tmp_path / "x.tar"), Options())
    assert [copy.files().texts.read(guid) for guid in "24"] == [b"a\rb", b"c"]


def test_answers_beside_half_surrogate_pairs_in_bytes_are_in_utf_8(tmp_path, copied, monkeypatch):
    monkeypatch.setitem(ANSWERS, "predicted", ["schön", "good"])
    (tmp_path / "p.csv").write_bytes(b"id,tweet,label\n2,so \xed\xa0\xbd,\n4,x,\n")
    assert open_source(tmp_path / "p.csv", Options()).files().about["encoding"] == "cesu-8"
    lines = copied(tmp_path / "p.csv").read_bytes().splitlines()
    assert lines[1] == b"2,so \xed\xa0\xbd,," + "schön,0.500000,".encode()


def test_a_name_that_is_taken_gets_another(tmp_path, copied):
    (tmp_path / "p.csv").write_text("id,tweet,label,predicted\n2,x,,mine\n")
    header, row = copied(tmp_path / "p.csv").read_text().splitlines()
    assert header == "id,tweet,label,predicted,predicted_,confidence,problems"
    assert row == "2,x,,mine,bad,0.500000,"


def test_objects_keep_what_they_hold(tmp_path, copied):
    rows = [{"id": 2, "tweet": "x", "more": {"a": [1]}}, {"id": 9, "tweet": "y", "label": "good"}]
    (tmp_path / "p.jsonl").write_text("\n".join(map(json.dumps, rows)))
    first, second = map(json.loads, copied(tmp_path / "p.jsonl").read_text().splitlines())
    assert first == rows[0] | {"predicted": "bad", "confidence": 0.5, "problems": ""}
    assert second == rows[1] | dict.fromkeys(NEW)


def test_parquet_keeps_its_types_and_images(tmp_path, copied):
    images = [{"bytes": bytes([n]), "path": None} for n in range(4)]
    table = pa.Table.from_pandas(ROWS.assign(id=range(1, 5), image=images))
    pa.parquet.write_table(table, tmp_path / "p.parquet", row_group_size=2)

    copy = pa.parquet.read_table(copied(tmp_path / "p.parquet"))

    assert copy.select(table.column_names).equals(table)
    assert copy.select(list(NEW)).to_pydict() == NEW


def test_large_images_are_copied_a_few_at_a_time(tmp_path, copied):
    images = [bytes([n]) * 2_000_000 for n in range(40)]
    table = pa.table({"id": [str(n) for n in range(40)], "tweet": ["x"] * 40, "image": images})
    pa.parquet.write_table(table, tmp_path / "p.parquet", row_group_size=40)

    copy = pa.parquet.ParquetFile(copied(tmp_path / "p.parquet"))

    groups = [copy.metadata.row_group(n) for n in range(copy.num_row_groups)]
    assert max(group.total_byte_size for group in groups) < 70e6  # of 80 MB
    assert copy.read(["image"])["image"].to_pylist() == images


def test_rows_of_a_saved_data_set_are_copied_by_the_size_of_all(tmp_path, monkeypatch):
    def stream(name, table):
        with pa.OSFile(str(tmp_path / "raw" / name), "wb") as file:
            with pa.ipc.new_stream(file, table.schema) as sink:
                sink.write_table(table)

    (tmp_path / "raw").mkdir()
    stream("p.arrow", pa.table({"id": [f"{n:03}" for n in range(100)], "text": ["x" * 100] * 100}))
    stream("i.arrow", pa.table({"indices": pa.array(range(10), pa.uint64())}))
    state = {name: [{"filename": file}] for name, file in
             (("_data_files", "p.arrow"), ("_indices_files", "i.arrow"))}  # fmt: skip
    (tmp_path / "raw" / "state.json").write_text(json.dumps(state))
    monkeypatch.setattr(arrow, "_COPIED_BYTES", 600)  # which five rows have

    answers = ANSWERS.set_index(pd.Index(["002", "004"], name="guid"))
    open_source(tmp_path / "raw", Options()).write_answers(answers, tmp_path / "answered")

    with pa.OSFile(str(tmp_path / "answered" / "raw" / arrow.COPY)) as file:
        batches = list(pa.ipc.open_stream(file))
    assert [batch.num_rows for batch in batches] == [5, 5]


def test_feather_too(tmp_path, copied):
    ROWS.to_feather(tmp_path / "p.feather")
    copy = pd.read_feather(copied(tmp_path / "p.feather"))
    assert copy[list(ROWS)].equals(ROWS)
    assert columns(copy) == NEW


@pytest.mark.parametrize("kind", ["folder", "parquet"])
def test_data_sets_of_the_hub_are_read_by_their_own_library(tmp_path, copied, kind):
    datasets = pytest.importorskip("datasets")
    data = datasets.Dataset.from_pandas(ROWS).select([3, 2, 1, 0])  # with indices of their own
    if kind == "folder":
        data.save_to_disk(str(tmp_path / "saved"))
        read = datasets.load_from_disk(str(copied(tmp_path / "saved")))
    else:
        data.to_parquet(str(tmp_path / "p.parquet"))
        read = datasets.Dataset.from_parquet(
            str(copied(tmp_path / "p.parquet")), cache_dir=str(tmp_path / "cache")
        )
    assert read.to_dict() == data.to_dict() | {name: values[::-1] for name, values in NEW.items()}


def test_only_tables_that_hold_posts_to_be_predicted_are_copied(tmp_path, copied):
    raw = tmp_path / "raw"
    raw.mkdir()
    (raw / "train.csv").write_text("id,tweet,label\n7,x,good\n8,y,bad\n")
    (raw / "test.csv").write_text("id,tweet,label\n2,x,good\n4,y,bad\n")
    assert copied(raw).name == "test.csv"


def test_the_course_s_listing(tmp_path, copied):
    raw = tmp_path / "raw"
    (raw / "data").mkdir(parents=True)
    (raw / "test_without_label.txt").write_text("guid,tag\n4,null\n2,null\n")
    assert copied(raw).read_text().splitlines() == [
        "guid,tag,predicted,confidence,problems",
        "4,null,good,0.750000,no text",
        "2,null,bad,0.500000,",
    ]


def test_half_a_surrogate_pair_comes_out_as_it_came(tmp_path, copied):
    (tmp_path / "p.jsonl").write_text('{"id": "2", "tweet": "so \\ud83d é", "label": ""}\n')

    (row,) = map(json.loads, copied(tmp_path / "p.jsonl").read_text("utf-8").splitlines())

    assert row == {
        "id": "2",
        "tweet": "so \ud83d é",
        "label": "",
        "predicted": "bad",
        "confidence": 0.5,
        "problems": "",
    }
