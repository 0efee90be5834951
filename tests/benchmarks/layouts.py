"""What it takes to read posts, in CPU seconds and memory, by the layout that they come in.

    python tests/benchmarks/layouts.py POSTS [--train DATA] [--params PARAMS]

POSTS is laid out as the project's data/01_raw. They are written as CSV (in GB18030 and in UTF-8),
JSON Lines and Parquet (with paths, and with the images' bytes). Each is read in a process of its
own: its rows, then the bytes of all images in order. The last two columns are digests of ids, texts
and tags, and of all images: they are equal if nothing was lost or changed.

With `--train`, the default model is trained on each in turn, in one data folder, where features of
equal posts are kept; told are the metrics, and whether all are equal to those of the first, but
for the hash of the files and the model's version.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import logging
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from project import PROJECT

from multimodal_sentiment.decoding import read_source
from multimodal_sentiment.layouts import Options, UnreadableFileError, open_source
from multimodal_sentiment.parameters import IngestionParameters
from multimodal_sentiment.pipelines.ingestion.nodes import (
    read_labelled_posts,
    read_unlabelled_posts,
)

INGESTION = IngestionParameters(
    layout=None,
    labels=["negative", "neutral", "positive"],
    encodings=None,
    links="inside",
    allow_missing=True,
)
NAMES = ("id", "tweet", "photo", "label")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("posts", type=Path)
    parser.add_argument("--images", type=Path, help="measure this table, whose images lie there")
    parser.add_argument("--train", type=Path, help="train on each, in this data folder")
    parser.add_argument("--params", default="explaining.posts=0", help="of the trainings")
    options = parser.parse_args()
    logging.getLogger("multimodal_sentiment").setLevel(logging.ERROR)
    if options.images:
        print(measure(options.posts, options.images))
        return
    with tempfile.TemporaryDirectory() as folder:
        layouts = [options.posts, *write_tables(options.posts, Path(folder))]
        if options.train:
            compare_metrics(layouts, options.train, options.params)
            return
        for table in layouts:
            command = [sys.executable, __file__, str(table), "--images", str(options.posts)]
            print(subprocess.check_output(command, text=True), end="", flush=True)


def write_tables(raw: Path, folder: Path) -> list[Path]:
    source = open_source(raw, Options())
    labelled, files = source.listing("labelled"), source.files()
    posts, _, profile = read_labelled_posts(labelled, files, INGESTION)
    others, _ = read_unlabelled_posts(source.listing("unlabelled"), files, profile, INGESTION)
    rows = [
        (
            post.guid,
            None if "no_text" in post.problems else post.text,
            post.img_path or None,
            post.tag or None,
        )
        for post in pd.concat([posts, others]).itertuples()
    ]
    for encoding in ("gb18030", "utf-8"):
        with (folder / f"{encoding}.csv").open("w", encoding=encoding, newline="") as file:
            csv.writer(file).writerows([NAMES, *rows])
    with (folder / "posts.jsonl").open("w") as file:
        file.writelines(json.dumps(dict(zip(NAMES, row, strict=True))) + "\n" for row in rows)
    columns = dict(zip(NAMES, map(list, zip(*rows, strict=True)), strict=True))
    pq.write_table(pa.table(columns), folder / "paths.parquet")
    columns["photo"] = [path and (raw / path).read_bytes() for path in columns["photo"]]
    pq.write_table(pa.table(columns), folder / "bytes.parquet")
    return sorted(folder.iterdir())


def compare_metrics(layouts: list[Path], data: Path, params: str) -> None:
    first, images = None, layouts[0].resolve()
    for path in layouts:
        given = f"raw={path.resolve()},data={data.resolve()},{params}"
        if path.is_file():
            given += f",columns.image_folder={images}"
        command = [sys.executable, "-m", "kedro", "run", "--pipeline=training", "--params", given]
        done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(done.stderr)
        newest = max((data / "08_reporting" / "metrics.json").iterdir())
        metrics = json.loads((newest / "metrics.json").read_text(encoding="utf-8"))
        metrics["protocol"].pop("manifest_sha256")
        metrics["protocol"]["model"].pop("version")
        first = first or metrics
        unlike = [name for name in first if metrics.get(name) != first[name]]
        print(
            f"{path.name:15} accuracy {metrics['accuracy']:.4f}, macro-F1 "
            f"{metrics['macro_f1']:.4f}: {', '.join(unlike) or 'all equal'}",
            flush=True,
        )


def measure(path: Path, images: Path) -> str:
    columns = {"image_folder": str(images)} if path.is_file() else {}
    read_source(["…".encode("gb18030")])  # the character model is built once a process
    before, start = memory(), time.process_time()
    source = open_source(path, Options(columns=columns))
    posts = read_labelled_posts(source.listing("labelled"), source.files(), INGESTION)[0]
    rows, files, seen = time.process_time(), source.files(), hashlib.sha256()
    for guid in posts["guid"]:
        try:
            seen.update(files.images.read(guid))
        except UnreadableFileError:
            continue
    end = time.process_time()
    told = "\x1e".join(posts["guid"] + "\x1f" + posts["text"] + "\x1f" + posts["tag"])
    digests = hashlib.sha256(told.encode()).hexdigest()[:8], seen.hexdigest()[:8]
    return (
        f"{path.name:15} {len(posts):6} posts: rows {rows - start:6.3f} CPU s, images "
        f"{end - rows:6.3f} CPU s, memory +{memory() - before:4.0f} MB  {' '.join(digests)}"
    )


def memory() -> float:
    """Return the most that this process has held so far, in MB; Linux only."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


if __name__ == "__main__":
    main()
