"""What is observed of a post: a few categories and numbers."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from multimodal_sentiment.posts.content_keys import content_keys
from multimodal_sentiment.posts.near_duplicates import find_near_duplicates
from multimodal_sentiment.posts.problems import KINDS, read_problems
from multimodal_sentiment.posts.scripts import script_of

CATEGORIES = {
    "parts": "parts of the post",
    "script": "script of the text",
    "characters": "characters beyond ASCII",
    "encoding": "encoding of the text",
    "problems": "problems",
    "predicted": "predicted tag",
}
NUMBERS = {
    "text_length": "length of the text (characters)",
    "image_width": "width of the image (pixels)",
    "image_height": "height of the image (pixels)",
    "brightness": "brightness of the image (0 to 255)",
    "colourfulness": "colourfulness of the image (0 is grey)",
    "confidence": "confidence of the model",
}
OBSERVED = CATEGORIES | NUMBERS
NONE = "none"

_SEED = 0
_STEP = 4  # every fourth pixel of every fourth row is looked at
_LUMA = np.array([0.299, 0.587, 0.114])  # of red, green and blue; ITU-R BT.601


def observe_posts(
    posts: pd.DataFrame, predictions: pd.DataFrame, images: Iterable[NDArray[np.uint8] | None]
) -> pd.DataFrame:
    """Return what is observed of posts, one row each.

    Args:
        posts: The examples, without their pixels.
        predictions: Their predictions, in the same order.
        images: Their images, uint8 RGB of shape (height, width, 3), or None.

    Returns:
        The columns of `CATEGORIES`, strings, and of `NUMBERS`, floats: NaN where the post lacks
        what the number is of.
    """
    looks = [_look_of(image) for image in images]
    has_text = posts["text"].str.strip().ne("").to_numpy(dtype=bool)
    has_image = np.array([not np.isnan(look[0]) for look in looks], dtype=bool)
    parts = np.select(
        [has_text & has_image, has_text, has_image],
        ["text and image", "text alone", "image alone"],
        "neither",
    )
    return pd.DataFrame(
        {
            "parts": parts.astype(object),
            "script": [script_of(text) for text in posts["text"]],
            "characters": [_characters_of(text) for text in posts["text"]],
            "encoding": posts["encoding"].replace("", NONE).to_numpy(),
            "problems": [_problems_of(entry) for entry in posts["problems"]],
            "predicted": predictions["predicted"].to_numpy(),
            "text_length": posts["text"].str.len().where(has_text).to_numpy(dtype=float),
            "image_width": posts["original_width"].where(has_image).to_numpy(dtype=float),
            "image_height": posts["original_height"].where(has_image).to_numpy(dtype=float),
            "brightness": [look[0] for look in looks],
            "colourfulness": [look[1] for look in looks],
            "confidence": predictions["confidence"].to_numpy(dtype=float),
        },
        columns=list(OBSERVED),
    )


def distinct_posts(
    posts: pd.DataFrame, learnt_keys: NDArray[np.uint64] | None, most: int
) -> tuple[NDArray[np.int64], dict[str, int]]:
    """Draw posts that tests may count: one of each group of near duplicates, none learnt from.

    Copies are not independent, and tests that counted them would find differences where there are
    none. What a model has learnt from, or near duplicates of it, would look more familiar than
    other posts do: they are left out of its validation posts and of new ones alike.

    Args:
        posts: The columns `text` and `image_hash`.
        learnt_keys: The keys of the posts that the model has learnt from, if they are known.
        most: The number of posts that are drawn at most.

    Returns:
        The rows, in their order, and the number of posts left out as `near_duplicates`,
        `learnt_from` and `not_drawn`.
    """
    texts, hashes = posts["text"].tolist(), posts["image_hash"].tolist()
    is_first = np.zeros(len(posts), dtype=bool)
    is_first[np.unique(find_near_duplicates(texts, hashes), return_index=True)[1]] = True
    learnt = np.zeros(len(posts), dtype=bool)
    if learnt_keys is not None and len(posts):
        learnt |= np.isin(content_keys(texts, hashes), learnt_keys).any(axis=1)
    distinct = np.flatnonzero(is_first & ~learnt)
    rows = distinct
    if len(distinct) > most:
        rows = np.sort(np.random.default_rng(_SEED).choice(distinct, most, replace=False))
    return rows, {
        "near_duplicates": int((~is_first & ~learnt).sum()),
        "learnt_from": int(learnt.sum()),
        "not_drawn": len(distinct) - len(rows),
    }


def _characters_of(text: str) -> str:
    """Return the kinds of a text's characters beyond ASCII: scripts of letters, and signs.

    Text that was decoded wrongly has kinds that others have not, such as letters between signs.
    """
    kinds = {_kind_of(character) for character in set(text) if not character.isascii()}
    return ", ".join(sorted(kinds)) or NONE


def _kind_of(character: str) -> str:
    category = unicodedata.category(character)
    if category[0] == "L":
        return script_of(character)
    names = {"P": "punctuation", "S": "signs", "M": "marks", "N": "digits", "Z": "spaces"}
    return names.get(category[0], "control characters")


def _problems_of(entry: str) -> str:
    titles = {KINDS[problem.code].title for problem in read_problems(entry)}
    return ", ".join(sorted(titles)) or NONE


def _look_of(image: NDArray[np.uint8] | None) -> tuple[float, float]:
    """Return the brightness and colourfulness of an image, NaN if there is none.

    Source: Hasler and Süsstrunk, "Measuring colourfulness in natural images", 2003.
    """
    if image is None:
        return float("nan"), float("nan")
    pixels = image[::_STEP, ::_STEP].reshape(-1, 3).astype(np.float64)
    red, green, blue = pixels.T
    opponents = np.stack([red - green, (red + green) / 2 - blue])
    colourfulness = np.hypot(*opponents.std(axis=1)) + 0.3 * np.hypot(*opponents.mean(axis=1))
    return float(pixels.mean(axis=0) @ _LUMA), float(colourfulness)
