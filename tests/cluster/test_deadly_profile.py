"""A text that kills whoever decodes it, while the encoding profile is learnt from it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ..commands import PROJECT

pytest.importorskip("ray")
pytestmark = pytest.mark.slow  # each worker that dies takes a second or two to start again

# Python runs this module in each process that finds it, be it the driver or a worker.
CODEC = """
import codecs, os, signal

def decode(payload, errors="strict"):
    if b"odd" in bytes(payload):
        os.kill(os.getpid(), signal.SIGKILL)
    return codecs.charmap_decode(payload, errors, decoding)

from encodings.cp1252 import decoding_table as decoding
info = codecs.CodecInfo(codecs.lookup("cp1252").encode, decode, name="deadly")
codecs.register(lambda name: info if name == "deadly" else None)
"""
READ = """
import json, sys
import pandas as pd
from multimodal_sentiment.datasets.post_source import PostFilesDataset
from multimodal_sentiment.parameters import ClusterParameters, IngestionParameters
from multimodal_sentiment.pipelines.ingestion.nodes import read_labelled_posts

folder, workers = sys.argv[1], int(sys.argv[2])
listing = pd.read_csv(f"{folder}/train.txt", dtype=str)
ingestion = IngestionParameters(
    layout=None, labels=["bad", "good"], encodings=["utf-8", "deadly"], links="inside",
    allow_missing=True,
)
cluster = ClusterParameters(workers=workers, cpus_per_worker=1, gpus_per_worker=0)
posts, _, profile = read_labelled_posts(
    listing, PostFilesDataset(path=folder).load(), ingestion, cluster=cluster
)
profile.pop("flagged")
print(json.dumps([posts.set_index("guid").to_dict("index"), profile]))
"""
TEXTS = {
    "1": "überall Schnee".encode("cp1252"),
    "2": "ein schöner Tag".encode("cp1252"),
    "3": b"a fine day",
    "4": "señor, qué día".encode(),
    "5": "größer und größer".encode("cp1252"),
    "6": b"another one",
    "odd": "ein odd Stück".encode("cp1252"),
}


def read(folder: Path, guids: list[str], workers: int) -> tuple[dict, dict]:
    """Read some posts in a process that has the codec: their rows, and the encoding profile."""
    (folder / "data").mkdir(parents=True)
    for guid in guids:
        (folder / "data" / f"{guid}.txt").write_bytes(TEXTS[guid])
    tags = [f"{guid},{['bad', 'good'][number % 2]}\n" for number, guid in enumerate(guids)]
    (folder / "train.txt").write_text("".join(["guid,tag\n", *tags]))
    (folder / "sitecustomize.py").write_text(CODEC)
    done = subprocess.run(
        [sys.executable, "-c", READ, str(folder), str(workers)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(PROJECT / "src"), str(folder)])},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    posts, profile = json.loads(done.stdout.splitlines()[-1])
    return posts, profile


def test_a_text_that_kills_whoever_learns_from_it_has_a_problem_and_the_others_are_whole(tmp_path):
    others = [guid for guid in TEXTS if guid != "odd"]
    expected, profile = read(tmp_path / "without", others, workers=0)

    posts, learnt = read(tmp_path / "with", list(TEXTS), workers=2)

    left_out = posts.pop("odd")
    assert [left_out[name] for name in ("text", "encoding", "problems")] == [
        "",
        "",
        "text_deadly; no_image",
    ]
    assert posts == expected
    assert learnt == profile
