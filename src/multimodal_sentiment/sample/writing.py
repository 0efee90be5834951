"""A sample as a folder: listings, texts and photos, laid out as the course hands out its posts."""

from __future__ import annotations

import io
import json
import multiprocessing
import os
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import numpy as np
from rich.progress import track

from multimodal_sentiment.files import remove

from .contents import Post, plan
from .drawing import SIZES, draw_noise, draw_photo

FILES = ("train.txt", "test_without_label.txt", "decisive.jsonl")
_PARTIAL = ".sample.partial"

Written = tuple[Post, list[int] | None]  # and the box of its photo that carries its judgement


def write_sample(
    folder: Path,
    *,
    labelled: int = 400,
    unlabelled: int = 80,
    seed: int = 0,
    size: str = "small",
    workers: int = 1,
    noise: bool = False,
) -> None:
    """Write made-up posts: listings, `data/<guid>.txt|.jpg`, and what is decisive in each post.

    The same arguments write the same posts. A line of `decisive.jsonl` tells of one post, labelled
    or not: its `guid`; the `modalities` that carry its judgement, none if nothing does; the
    `phrases` of its text that do, as [start, end] in characters; and the `box` of its photo that
    does, as [x0, y0, x1, y1] in px, or null. `size` is a key of `SIZES`; `workers` is the number of
    processes that draw; with `noise`, photos show nothing, and so do not tell their posts' tags.
    Until the last is drawn, posts lie in a hidden folder: half a sample passes for none.

    Raises:
        FileExistsError: If posts lie there already.
        ValueError: If a number is negative or the size unknown.
    """
    if min(labelled, unlabelled, seed) < 0:
        raise ValueError(f"{labelled=}, {unlabelled=}, {seed=}: none may be negative")
    if size not in SIZES:
        raise ValueError(f"unknown size {size!r}: choose one of {', '.join(SIZES)}")
    if held := [name for name in (*FILES, "data") if (folder / name).exists()]:
        raise FileExistsError(f"{folder} holds {', '.join(held)} already: choose another folder")
    partial_sample = folder / _PARTIAL
    remove(partial_sample)
    (partial_sample / "data").mkdir(parents=True)
    try:
        write = partial(
            _write_post, folder=partial_sample / "data", seed=seed, size=size, noise=noise
        )
        posts, total = plan(labelled, unlabelled, seed), labelled + unlabelled
        _write_all(partial_sample, posts, total, write, workers)
        for name in ("data", *reversed(FILES)):  # the listing of training posts is the last
            os.replace(partial_sample / name, folder / name)
    finally:
        remove(partial_sample)


def _write_all(
    folder: Path,
    posts: Iterable[Post],
    total: int,
    write: Callable[[Post], Written],
    workers: int,
) -> None:
    """Write all posts, and the files that tell of them."""
    with ExitStack() as stack:
        train, test, decisive = (stack.enter_context((folder / f).open("xb")) for f in FILES)
        train.write(b"guid,tag\n")
        test.write(b"guid,tag\n")
        written: Iterable[Written] = map(write, posts)
        if workers > 1:  # "spawn": a fork would inherit locks of the thread that shows the progress
            pool = stack.enter_context(multiprocessing.get_context("spawn").Pool(workers))
            written = pool.imap(write, posts, chunksize=32)
        for post, box in track(written, "Drawing posts", total, transient=True):
            tag = post.tag if post.labelled else "null"
            (train if post.labelled else test).write(f"{post.guid},{tag}\n".encode())
            modalities = ["text"] * bool(post.phrases) + ["image"] * bool(box)
            row = dict(guid=post.guid, modalities=modalities, phrases=post.phrases, box=box)
            decisive.write(f"{json.dumps(row)}\n".encode())


def _write_post(post: Post, folder: Path, seed: int, size: str, noise: bool) -> Written:
    """Write the text and the photo of a post."""
    box = None
    (folder / f"{post.guid}.txt").write_bytes(post.text.encode(post.encoding))
    if post.fault == "no image":
        return post, box
    rng = np.random.default_rng([seed, 3, post.photo])
    if noise:
        image = draw_noise(SIZES[size], rng)
    else:
        image, corners = draw_photo(post.shows, SIZES[size], rng)
        if post.shows != "neutral" and post.fault != "broken image":
            box = [round(corner * post.shrink) for corner in corners]
    image = image.resize((round(image.width * post.shrink), round(image.height * post.shrink)))
    quality = int(np.random.default_rng([seed, 4, int(post.guid)]).integers(70, 91))
    image.save(file := io.BytesIO(), "JPEG", quality=quality)
    photo = file.getvalue()
    if post.fault == "broken image":  # half a download, or a server's excuse under the photo's name
        photo = photo[: len(photo) // 2] if int(post.guid) % 2 else b"<html>404 Not Found</html>\n"
    (folder / f"{post.guid}.jpg").write_bytes(photo)
    return post, box
