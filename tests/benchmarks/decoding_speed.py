"""How long posts take from files to rows, against reading their bytes and against the lab's way.

    python tests/benchmarks/decoding_speed.py [POSTS]

The posts are made of the phrases of tests/decoding, three in four plain ASCII, the others in
GB18030. The lab's way: chardet once a post, one row concatenated a post.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import chardet
import numpy as np
import pandas as pd

from multimodal_sentiment.decoding import read_texts

PHRASES = Path(__file__).parents[1] / "decoding" / "phrases.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("posts", nargs="?", type=int, default=3711)
    count = parser.parse_args().posts
    with tempfile.TemporaryDirectory() as folder:
        files = write_posts(Path(folder), 10 * count)
        few = files[:count]
        rows_of(few[:1])  # the character model is built once a process
        reading = seconds(lambda: [file.read_bytes() for file in few])
        ours = seconds(lambda: rows_of(few))
        tenfold = seconds(lambda: rows_of(files))
        lab = seconds(lambda: lab_rows(few), repeats=1)
    print(f"{count} posts: reading bytes        {reading:8.3f} s")
    print(f"{count} posts to rows               {ours:8.3f} s  {ours / reading:6.1f} x reading")
    print(
        f"{10 * count} posts to rows              {tenfold:8.3f} s  {tenfold / ours:6.1f} x as long"
    )
    print(f"{count} posts to rows, lab's way    {lab:8.3f} s  {lab / ours:6.1f} x as long")


def write_posts(folder: Path, count: int) -> list[Path]:
    phrases = [text for texts in json.loads(PHRASES.read_text("utf-8")).values() for text in texts]
    generator = np.random.default_rng(0)
    files = []
    for number in range(count):
        text = f"RT @user{number}: so good to see you all there http://example.org/{number:x}"
        if generator.random() < 0.25:
            text += f" {generator.choice(phrases)}"
        files.append(folder / f"{number}.txt")
        files[-1].write_bytes(text.encode("gb18030"))
    return files


def rows_of(files: list[Path]) -> pd.DataFrame:
    readings = read_texts([file.read_bytes() for file in files])
    return pd.DataFrame(
        {
            "guid": [file.stem for file in files],
            "text": [reading.text for reading in readings],
            "encoding": [reading.encoding for reading in readings],
        }
    )


def lab_rows(files: list[Path]) -> pd.DataFrame:
    frame = pd.DataFrame(columns=["guid", "text", "encoding"])
    for file in files:
        payload = file.read_bytes()
        encoding = chardet.detect(payload)["encoding"]
        text = payload.decode(encoding or "ascii", "replace")
        row = pd.DataFrame([{"guid": file.stem, "text": text, "encoding": encoding}])
        frame = pd.concat([frame, row], ignore_index=True)
    return frame


def seconds(run: Callable[[], object], repeats: int = 3) -> float:
    taken = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        taken.append(time.perf_counter() - start)
    return min(taken)


if __name__ == "__main__":
    main()
