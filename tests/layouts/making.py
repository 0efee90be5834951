"""Posts of the bundled sample, laid out in every way."""

from __future__ import annotations

import csv
import io
import json
import shutil
import tarfile
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet

SAMPLE = Path(__file__).parents[2] / "data" / "01_raw"
LISTINGS = {"train.txt": 160, "test_without_label.txt": 40}


class Row(NamedTuple):
    """A post: its id, text, photo's name and tag; None where it has none."""

    id: str
    tweet: str | None
    photo: str | None
    label: str | None


def copy_course(folder: Path) -> Path:
    """Write 200 posts as the course lays them out."""
    (folder / "data").mkdir(parents=True)
    for name, count in LISTINGS.items():
        header, *lines = (SAMPLE / name).read_text().splitlines()
        lines = lines[-count:]
        (folder / name).write_text("\n".join([header, *lines]) + "\n")
        for line in lines:
            guid = line.partition(",")[0]
            for suffix in (".txt", ".jpg"):
                if (SAMPLE / "data" / f"{guid}{suffix}").exists():
                    shutil.copy(SAMPLE / "data" / f"{guid}{suffix}", folder / "data")
    return folder


def write_csv(path: Path, rows: list[Row], encoding: str, separator: str = ",") -> None:
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file, delimiter=separator)
        writer.writerows([Row._fields, *rows])


def write_jsonl(path: Path, rows: list[Row], **renamed: str) -> None:
    objects = ({renamed.get(k, k): v for k, v in row._asdict().items()} for row in rows)
    path.write_text("".join(json.dumps(row) + "\n" for row in objects))


def arrow(rows: list[Row], photos: Path | None = None) -> pa.Table:
    """A table of paths; of bytes, if the folder of the photos is given."""
    columns: dict[str, list] = {name: [row._asdict()[name] for row in rows] for name in Row._fields}
    columns["id"] = [int(guid) for guid in columns["id"]]
    if photos:
        columns["photo"] = [name and (photos / name).read_bytes() for name in columns["photo"]]
    return pa.table(columns)


def write_tar(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def webdataset(rows: list[Row], photos: Path) -> dict[str, bytes]:
    """Files by name, as WebDataset lays them out."""
    files = {}
    for number, row in enumerate(rows):
        if row.tweet is not None:
            files[f"{row.id}.txt"] = row.tweet.encode()
        if row.photo:
            files[f"{row.id}.jpg"] = (photos / row.photo).read_bytes()
        if row.label:
            files[f"{row.id}.cls"] = row.label.encode()
        files[f"{row.id}.json"] = json.dumps({"number": number}).encode()
    return files


def lay_out(layout: str, folder: Path, rows: list[Row]) -> Path:  # noqa: PLR0912 - a case each
    """Write posts in a layout; return what `raw` must be."""
    photos = SAMPLE / "data"
    folder.mkdir()
    if layout not in (
        "MVSA",
        "Parquet with bytes",
        "Parquet shards",
        "tar shards",
        "saved by datasets",
        "Feather with bytes and paths",
    ):
        inside = folder / ("train" if layout == "metadata in splits" else "")
        inside.mkdir(exist_ok=True)
        for row in rows:
            if row.photo:
                shutil.copy(photos / row.photo, inside)
    match layout:
        case "CSV":
            write_csv(folder / "posts.csv", rows, "utf-8")
        case "CSV in GB18030":
            write_csv(folder / "posts.csv", rows, "gb18030")
        case "CSV of Excel":
            write_csv(folder / "posts.csv", rows, "utf-8", ";")
            content = (folder / "posts.csv").read_bytes()
            (folder / "posts.csv").write_bytes(b"\xef\xbb\xbfsep=;\r\n" + content)
        case "TSV in UTF-16":
            write_csv(folder / "posts.tsv", rows, "utf-16", "\t")
        case "JSONL":
            write_jsonl(folder / "posts.jsonl", rows)
        case "Parquet":
            pa.parquet.write_table(arrow(rows), folder / "posts.parquet")
        case "Parquet with bytes":
            pa.parquet.write_table(arrow(rows, photos), folder / "posts.parquet", row_group_size=70)
        case "Parquet shards":
            for number in range(3):
                shard = arrow(rows[70 * number : 70 * number + 70], photos)
                pa.parquet.write_table(shard, folder / f"posts-{number}.parquet")
        case "tar shards":
            for number in range(3):
                write_tar(
                    folder / f"posts-{number}.tar",
                    webdataset(rows[70 * number : 70 * number + 70], photos),
                )
        case "Feather with bytes and paths":
            table = arrow(rows, photos)
            structs = [b and {"bytes": b, "path": "x.jpg"} for b in table["photo"].to_pylist()]
            table = table.set_column(2, "photo", pa.array(structs))
            pa.feather.write_feather(table, folder / "posts.feather", chunksize=70)
        case "saved by datasets":
            with pa.OSFile(str(folder / "data-00000-of-00001.arrow"), "wb") as file:
                table = arrow(rows, photos)
                with pa.ipc.new_stream(file, table.schema) as stream:
                    stream.write_table(table, max_chunksize=50)
            state = {"_data_files": [{"filename": "data-00000-of-00001.arrow"}]}
            (folder / "state.json").write_text(json.dumps(state))
            (folder / "dataset_info.json").write_text("{}")
        case "metadata beside images":
            write_jsonl(folder / "metadata.jsonl", rows, photo="file_name", tweet="text")
        case "metadata in splits":
            write_jsonl(folder / "train" / "metadata.jsonl", rows, photo="file_name")
        case _:
            lay_out_as_published(layout, folder, rows)
    return folder


def lay_out_as_published(layout: str, folder: Path, rows: list[Row]) -> None:
    """Write posts in the form of a public data set."""
    photos = SAMPLE / "data"
    match layout:
        case "MVSA":
            (folder / "data").mkdir()
            lines = [f"{row.id}\t{row.label},{row.label}\n" for row in rows if row.label]
            (folder / "labelResultAll.txt").write_text("ID\ttext,image\n" + "".join(lines))
            for row in rows:
                for name in (f"{row.id}.txt", f"{row.id}.jpg"):
                    if (photos / name).exists():
                        shutil.copy(photos / name, folder / "data")
        case "Hateful Memes":
            (folder / "img").mkdir()
            names = {"tweet": "text", "photo": "img"}
            for path in folder.glob("*.jpg"):
                path.rename(folder / "img" / path.name)
            moved = [r._replace(photo=r.photo and f"img/{r.photo}") for r in rows]
            write_jsonl(folder / "train.jsonl", [r for r in moved if r.label], **names)
            write_jsonl(folder / "test.jsonl", [r for r in moved if not r.label], **names)
        case _:
            raise AssertionError(layout)


LAYOUTS = {  # and what each is recognised as
    **dict.fromkeys(
        (
            "CSV", "CSV in GB18030", "CSV of Excel", "TSV in UTF-16", "JSONL", "Parquet",
            "Parquet with bytes", "Feather with bytes and paths", "saved by datasets",
        ),
        "table",
    ),
    "Parquet shards": "shards",
    "tar shards": "shards",
    "metadata beside images": "image_folder",
    "metadata in splits": "image_folder",
    "MVSA": "mvsa",
    "Hateful Memes": "hateful_memes",
}  # fmt: skip
