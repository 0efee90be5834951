"""How often new posts are called unlike the validation posts: of the same source, and of others.

    python tests/benchmarks/watching.py MODEL POSTS VALIDATION [--cache FOLDER] [--changes NAME ...]

MODEL is a model's folder, POSTS a folder with `test_without_label.txt` and `data` that holds posts
of the same source, VALIDATION the `validation_posts.csv` of the model's run, whose files are in
`data`, too: the model has learnt from none of them. Each draw deals all these posts anew into
validation posts, as many as there were, and 500 others. Each change is made to the posts' files,
which are then read, prepared and predicted once as inference does. Texts of another language take
their words from the translated messages of installed programs (`/usr/share/locale`), and keep the
length, the links, the names and the tags of the post.
"""

from __future__ import annotations

import argparse
import gettext
import io
import logging
import pickle
import random
import re
import time
import unicodedata
from collections.abc import Callable
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from multimodal_sentiment.datasets import PostFilesDataset, PostListingDataset
from multimodal_sentiment.datasets.model_folder import find_model, load_model
from multimodal_sentiment.monitoring import compare_posts, distinct_posts, summarise
from multimodal_sentiment.parameters import (
    IngestionParameters,
    PreparationParameters,
    compute_to_predict,
)
from multimodal_sentiment.pipelines.ingestion.nodes import read_unlabelled_posts
from multimodal_sentiment.pipelines.preparation.examples import stream_examples
from multimodal_sentiment.predicting import observe_examples, predict_and_project

POSTS, LEVEL = 500, 0.01
LOCALES = Path("/usr/share/locale")
COMPUTE = compute_to_predict()
_WORD = re.compile(r"(?:https?://|[@#])\S+|[^\W\d_]+")

Files = dict[str, tuple[bytes, bytes | None]]  # by guid, text and image
Known = tuple[pd.DataFrame, pd.DataFrame, dict[str, np.ndarray]]  # keys, observed, projected


def main() -> None:
    logging.disable(logging.WARNING)
    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=Path)
    parser.add_argument("posts", type=Path)
    parser.add_argument("validation", type=Path)
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--changes", nargs="*", choices=[*CHANGES], default=[*CHANGES])
    parser.add_argument("--draws", type=int, default=20)
    parser.add_argument("--null-draws", type=int, default=100)
    given = parser.parse_args()
    model = load_model(*find_model(given.model))
    validation = pd.read_csv(given.validation, dtype=str)["guid"].tolist()
    unlabelled = PostListingDataset(path=str(given.posts), namespace="unlabelled").load()["guid"]
    guids = list(dict.fromkeys([*validation, *unlabelled]))
    changes = list(dict.fromkeys(["none", *given.changes]))
    with TemporaryDirectory() as name:
        cache = given.cache or Path(name)
        cache.mkdir(parents=True, exist_ok=True)
        known = {
            change: once(cache / f"{change}.pickle", given.posts, guids, model, CHANGES[change])
            for change in changes
        }
    print(f"{len(guids):,} posts, of which {len(validation):,} are validation posts in each draw")
    print("| change | of 500 posts | unlike | p: largest, median, least | what was seen first |")
    print("|---|---|---|---|---|")
    rows = [("none", 0, given.null_draws)]
    rows += [(it, POSTS // (10 if it == "no image" else 1), given.draws) for it in changes[1:]]
    rows += [(it, POSTS // 4, given.draws) for it in ("Spanish", "grey") if it in changes]
    for change, altered, draws in rows:
        results = [judge(model, known, change, altered, len(validation), it) for it in range(draws)]
        p_values = [result["p_value"] for result in results]
        first = pd.Series([result["comparisons"][0]["what"] for result in results])
        print(
            f"| {change} | {altered} | {sum(it['unlike'] for it in results)} of {draws} | "
            f"{max(p_values):.2g}, {np.median(p_values):.2g}, {min(p_values):.2g} | "
            + ", ".join(f"{what} {n}" for what, n in first.value_counts().head(3).items())
            + " |",
            flush=True,
        )


def judge(
    model: Any, known: dict[str, Known], change: str, altered: int, validation: int, seed: int
) -> dict[str, Any]:
    """Deal posts into validation posts and new ones, of which some are altered, and compare."""
    dealt = np.random.default_rng([seed, altered]).permutation(len(known["none"][0]))
    drawn = dealt[validation : validation + POSTS]
    _, former, reference = take([(known["none"], dealt[:validation])])
    summary = summarise(former, reference, model.validation.projections)
    parts = [(known[change], drawn[:altered]), (known["none"], drawn[altered:])]
    keys, observed, projected = take(parts)
    distinct, _ = distinct_posts(keys, model.learnt_keys, POSTS)
    return compare_posts(
        summary,
        observed.iloc[distinct],
        {name: values[distinct] for name, values in projected.items()},
        LEVEL,
    )


def take(parts: list[tuple[Known, np.ndarray]]) -> Known:
    """Return some rows of what was observed, one part after the other."""
    keys, observed = (
        pd.concat([tables[place].iloc[rows] for tables, rows in parts], ignore_index=True)
        for place in (0, 1)
    )
    names = parts[0][0][2]
    return (
        keys,
        observed,
        {name: np.concatenate([tables[2][name][rows] for tables, rows in parts]) for name in names},
    )


def once(
    path: Path, posts: Path, guids: list[str], model: Any, alter: Callable[[Files], Files]
) -> Known:
    """Observe all posts, altered; what was observed before is read again."""
    if path.exists():
        return pickle.loads(path.read_bytes())  # noqa: S301 - what this script wrote
    began = time.monotonic()
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "data").mkdir()
        listed = "".join(f"{guid},null\n" for guid in guids)
        (folder / "test_without_label.txt").write_text(f"guid,tag\n{listed}")
        for guid, (text, image) in alter(read(posts / "data", guids)).items():
            (folder / "data" / f"{guid}.txt").write_bytes(text)
            if image is not None:
                (folder / "data" / f"{guid}.jpg").write_bytes(image)
        found = observe(folder, model)
    path.write_bytes(pickle.dumps(found))
    print(f"{path.stem}: {len(guids)} posts observed in {time.monotonic() - began:.0f} s")
    return found


def read(folder: Path, guids: list[str]) -> Files:
    return {
        guid: ((folder / f"{guid}.txt").read_bytes(), (folder / f"{guid}.jpg").read_bytes())
        for guid in guids
    }


def observe(folder: Path, model: Any) -> Known:
    """Read, prepare and predict posts as inference does."""
    listing = PostListingDataset(path=str(folder), namespace="unlabelled").load()
    files = PostFilesDataset(path=str(folder)).load()
    ingestion = IngestionParameters(
        layout=None, labels=list(model.labels), encodings=None, links="inside", allow_missing=True
    )
    posts, _ = read_unlabelled_posts(listing, files, model.encoding_profile, ingestion)
    bounds = {"short_side": 256, "max_aspect_ratio": 4, "max_megapixels": 100}
    bounds |= model.config.training.get("pictures") or {}
    preparation = PreparationParameters(storage="pixels", **bounds)
    examples = stream_examples(posts, files, preparation).read_all()
    rows = np.arange(len(examples))
    projections = model.validation.projections
    predictions, projected = predict_and_project(model, examples, rows, COMPUTE, projections)
    keys = examples.select(["text", "image_hash"]).to_pandas()
    return keys, observe_examples(examples, rows, predictions), projected


def texts_by(change: Callable[[str], bytes]) -> Callable[[Files], Files]:
    """Alter texts; those of the labs' posts are ASCII or GB18030."""

    def alter(files: Files) -> Files:
        return {
            guid: (change(text.decode("gb18030", errors="replace")), image)
            for guid, (text, image) in files.items()
        }

    return alter


def translated(language: str, encoding: str = "utf-8") -> Callable[[Files], Files]:
    """Put running words of another language in the place of a text's own.

    In the source's own encoding they lose their accents, so that nothing but the language differs.
    """

    def change_all(files: Files) -> Files:
        words = words_of(language)
        if encoding != "utf-8":
            plain = (unicodedata.normalize("NFKD", word) for word in words)
            words = [word.encode("ascii", "ignore").decode() or "y" for word in plain]
        start = random.Random(0)

        def change(text: str) -> bytes:
            running = cycle(words[start.randrange(len(words)) :])
            return _WORD.sub(lambda it: next(running) if it[0].isalpha() else it[0], text).encode(
                encoding
            )

        return texts_by(change)(files)

    return change_all


def words_of(language: str) -> list[str]:
    """Return the words of all messages, in their order."""
    words: list[str] = []
    for path in sorted((LOCALES / language / "LC_MESSAGES").glob("*.mo")):
        try:
            with path.open("rb") as file:
                messages = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
        except (OSError, UnicodeDecodeError):
            continue
        for source, message in messages.items():
            if source and isinstance(message, str) and " " in message:
                words += re.findall(r"[^\W\d_]+", message)
    return words


def greyed(files: Files) -> Files:
    def grey(payload: bytes | None) -> bytes | None:
        try:
            image = Image.open(io.BytesIO(payload or b"")).convert("L")
        except OSError:
            return payload
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=90)
        return buffer.getvalue()

    return {guid: (text, grey(image)) for guid, (text, image) in files.items()}


CHANGES: dict[str, Callable[[Files], Files]] = {
    "none": lambda files: files,
    "Spanish": translated("es"),
    "Spanish without accents, in GB18030": translated("es", "gb18030"),
    "Chinese": translated("zh_CN"),
    "mojibake (UTF-8 as cp1252)": texts_by(
        lambda text: text.encode().decode("cp1252", errors="replace").encode()
    ),
    "mojibake (UTF-8 as GB18030, in GB18030)": texts_by(
        lambda text: text.encode().decode("gb18030", errors="ignore").encode("gb18030")
    ),
    "grey": greyed,
    "no image": lambda files: {guid: (text, None) for guid, (text, _) in files.items()},
}


if __name__ == "__main__":
    main()
