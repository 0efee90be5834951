"""How long posts take from files to rows, against reading their bytes and against the lab's way.

    python tests/benchmarks/decoding_speed.py [POSTS] [--raw FOLDER]

By default the posts are made of the phrases of tests/decoding, three in four plain ASCII, the
others in GB18030; FOLDER is laid out as the project's data/01_raw, and its labelled posts are taken
again under other names for the tenfold. "To rows" is the ingestion pipeline as it stands: listing,
folder, encodings of the whole source, a row a post. The lab's way: chardet once a post, one row
concatenated a post. All times are medians, of five or, of the slow ones, of three.
"""

from __future__ import annotations

import argparse
import json
import logging
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import chardet
import numpy as np
import pandas as pd

from multimodal_sentiment.datasets import PostFilesDataset, PostListingDataset
from multimodal_sentiment.parameters import IngestionParameters
from multimodal_sentiment.pipelines.ingestion.nodes import read_labelled_posts

PHRASES = Path(__file__).parents[1] / "decoding" / "phrases.json"
LABELS = ["negative", "neutral", "positive"]
PARAMETERS = IngestionParameters(
    layout=None, labels=LABELS, encodings=None, links="inside", allow_missing=True
)
CHARACTER_MODEL = """
import time
from multimodal_sentiment.decoding.characters import characters
start = time.perf_counter(); characters(); print(time.perf_counter() - start)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("posts", nargs="?", type=int, default=3711)
    parser.add_argument("--raw", type=Path)
    options = parser.parse_args()
    logging.getLogger("multimodal_sentiment").setLevel(logging.WARNING)
    with tempfile.TemporaryDirectory() as folder:
        if options.raw is None:
            few = write_posts(Path(folder) / "few", options.posts)
            many = write_posts(Path(folder) / "many", 10 * options.posts)
        else:
            few = copy_posts(options.raw, Path(folder) / "few", times=1)
            many = copy_posts(options.raw, Path(folder) / "many", times=10)
        files = sorted((few / "data").iterdir())
        rows_of(few)  # the character model is built once a process
        reading = seconds(lambda: [file.read_bytes() for file in files])
        ours = seconds(lambda: rows_of(few))
        tenfold = seconds(lambda: rows_of(many), repeats=3)
        lab = seconds(lambda: lab_rows(few), repeats=3)
    model = float(subprocess.check_output([sys.executable, "-c", CHARACTER_MODEL]))
    count = len(files)
    print(f"{count} posts: reading bytes        {reading:8.3f} s")
    print(f"{count} posts to rows               {ours:8.3f} s  {ours / reading:6.1f} x reading")
    print(f"  the first time in a process {model:8.3f} s more: the character model")
    print(
        f"{10 * count} posts to rows              {tenfold:8.3f} s  {tenfold / ours:6.1f} x as long"
    )
    print(f"{count} posts to rows, lab's way    {lab:8.3f} s  {lab / ours:6.1f} x as long")


def write_posts(raw: Path, count: int) -> Path:
    phrases = [text for texts in json.loads(PHRASES.read_text("utf-8")).values() for text in texts]
    generator = np.random.default_rng(0)
    (raw / "data").mkdir(parents=True)
    for number in range(count):
        text = f"RT @user{number}: so good to see you all there http://example.org/{number:x}"
        if generator.random() < 0.25:
            text += f" {generator.choice(phrases)}"
        (raw / "data" / f"{number}.txt").write_bytes(text.encode("gb18030"))
    write_listing(raw, map(str, range(count)))
    return raw


def copy_posts(source: Path, raw: Path, times: int) -> Path:
    (raw / "data").mkdir(parents=True)
    files = sorted((source / "data").glob("*.txt"))
    for file in files:
        for number in range(times):
            shutil.copy(file, raw / "data" / f"{file.stem}x{number}.txt")
    write_listing(raw, (f"{file.stem}x{number}" for number in range(times) for file in files))
    return raw


def write_listing(raw: Path, guids) -> None:
    lines = [f"{guid},{LABELS[number % 3]}\n" for number, guid in enumerate(guids)]
    (raw / "train.txt").write_text("".join(["guid,tag\n", *lines]))


def rows_of(raw: Path) -> pd.DataFrame:
    listing = PostListingDataset(path=str(raw), namespace="labelled").load()
    post_files = PostFilesDataset(path=str(raw)).load()
    return read_labelled_posts(listing, post_files, PARAMETERS)[0]


def lab_rows(raw: Path) -> pd.DataFrame:
    frame = pd.DataFrame(columns=["guid", "text", "encoding"])
    for guid in PostListingDataset(path=str(raw), namespace="labelled").load()["guid"]:
        payload = (raw / "data" / f"{guid}.txt").read_bytes()
        encoding = chardet.detect(payload)["encoding"]
        text = payload.decode(encoding or "ascii", "replace")
        row = pd.DataFrame([{"guid": guid, "text": text, "encoding": encoding}])
        frame = pd.concat([frame, row], ignore_index=True)
    return frame


def seconds(run: Callable[[], object], repeats: int = 5) -> float:
    taken = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


if __name__ == "__main__":
    main()
