"""A sample as a folder: listings, texts and photos, laid out as the course hands out its posts."""

from __future__ import annotations

import multiprocessing
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
from rich.progress import track

from .pictures import SIZES, PictureSize, draw_noise, draw_picture, encode_picture
from .plan import Post, plan

LISTINGS = {True: "train.txt", False: "test_without_label.txt"}
"""The listing's name by whether its posts are labelled."""

_BATCH = 32


@dataclass(slots=True)
class Summary:
    """What was written.

    Args:
        labelled: Number of posts with a tag.
        unlabelled: Number of posts without.
        tags: Labelled posts by tag.
        encodings: Posts by the encoding of their text.
        faults: Posts by what is wrong with them.
        bytes: Size of all texts and photos.
    """

    labelled: int = 0
    unlabelled: int = 0
    tags: Counter[str] = field(default_factory=Counter)
    encodings: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    bytes: int = 0

    def count(self, post: Post, size: int) -> None:
        """Adds one post, for which `size` bytes were written."""
        if post.labelled:
            self.labelled += 1
            self.tags[post.judgements.tag] += 1
        else:
            self.unlabelled += 1
        self.encodings[post.voice.encoding] += 1
        if post.fault:
            self.faults[post.fault] += 1
        self.bytes += size


def write_sample(
    folder: Path,
    *,
    labelled: int = 400,
    unlabelled: int = 80,
    seed: int = 0,
    size: str = "small",
    workers: int = 1,
    noise: bool = False,
) -> Summary:
    """Writes made-up posts: `train.txt`, `test_without_label.txt` and `data/<guid>.txt|.jpg`.

    The same arguments write the same posts. Memory does not grow with the photos, and hardly with
    the number of posts.

    Args:
        folder: Where; made if need be.
        labelled: Number of posts with a tag.
        unlabelled: Number of posts without.
        seed: Everything about the posts is drawn from it.
        size: A key of `SIZES`: "small" photos (10 KB), or "lab" for photos as large as real ones.
        workers: Number of processes that draw.
        noise: Whether photos show nothing but noise, and so do not tell their posts' tags.

    Returns:
        What was written.

    Raises:
        FileExistsError: If posts lie there already.
        ValueError: If a number is negative or the size unknown.
    """
    if min(labelled, unlabelled, seed) < 0:
        raise ValueError(
            f"labelled={labelled}, unlabelled={unlabelled}, seed={seed}: none may be negative"
        )
    if size not in SIZES:
        raise ValueError(f"unknown size {size!r}: choose one of {', '.join(SIZES)}")
    _refuse_posts(folder)
    (folder / "data").mkdir(parents=True, exist_ok=True)
    summary = Summary()
    write = partial(_write_post, folder=folder / "data", seed=seed, size=SIZES[size], noise=noise)
    with ExitStack() as stack:
        listings = {
            known: stack.enter_context((folder / name).open("x", encoding="ascii", newline="\n"))
            for known, name in LISTINGS.items()
        }
        for listing in listings.values():
            listing.write("guid,tag\n")
        posts = _written(plan(labelled, unlabelled, seed), write, workers)
        for post, written in track(posts, "Drawing posts", labelled + unlabelled, transient=True):
            tag = post.judgements.tag if post.labelled else "null"
            listings[post.labelled].write(f"{post.guid},{tag}\n")
            summary.count(post, written)
    return summary


def _refuse_posts(folder: Path) -> None:
    held = [name for name in (*LISTINGS.values(), "data") if (folder / name).exists()]
    if held:
        raise FileExistsError(
            f"{folder} holds {', '.join(held)} already: a sample never replaces files; "
            "choose another folder, or move them away first"
        )


def _written(
    posts: Iterator[Post], write: Callable[[Post], int], workers: int
) -> Iterator[tuple[Post, int]]:
    """Each post with the bytes written for it, in order, some batches of posts at a time."""
    if workers == 1:
        for post in posts:
            yield post, write(post)
        return
    # "spawn": a forked process would inherit the locks of the thread that shows the progress.
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        while batch := list(islice(posts, 16 * _BATCH * workers)):
            yield from zip(batch, pool.map(write, batch, chunksize=_BATCH), strict=True)


def _write_post(post: Post, folder: Path, seed: int, size: PictureSize, noise: bool) -> int:
    text = post.text.encode(post.voice.encoding)
    _create(folder / f"{post.guid}.txt", text)
    if post.fault == "no image":
        return len(text)
    guid = int(post.guid)
    rng = np.random.default_rng([seed, 3, post.photo])
    image = draw_noise(size, rng) if noise else draw_picture(post.judgements.image, size, rng)
    photo = encode_picture(image, size, np.random.default_rng([seed, 4, guid]), post.shrink)
    if post.fault == "broken image":
        # Half a download, or a server's excuse under the photo's name.
        photo = photo[: len(photo) // 2] if guid % 2 else b"<html>404 Not Found</html>\n"
    _create(folder / f"{post.guid}.jpg", photo)
    return len(text) + len(photo)


def _create(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
