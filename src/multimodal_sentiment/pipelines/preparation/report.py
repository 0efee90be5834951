"""What the ingestion report says."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pandas as pd

from multimodal_sentiment.datasets.post_folder import PostFiles, UnreadableFileError
from multimodal_sentiment.decoding import chardet_encoding
from multimodal_sentiment.parameters import SplittingParameters
from multimodal_sentiment.types import Json

_CONFIDENCE_EDGES = (0, 0.5, 0.9, 0.99, 0.999, 1)
_QUANTILES = {"min": 0, "5%": 0.05, "25%": 0.25, "median": 0.5, "75%": 0.75, "95%": 0.95, "max": 1}
_MOST_GUIDS = 5  # of each kind of problem
_MOST_FLAGGED = 100
_MOST_ASKED = 10_000  # of chardet, which takes a millisecond for each
_TEXT_SHOWN = 80  # characters


def describe_posts(posts: pd.DataFrame, post_files: PostFiles) -> Json:
    """Tags, problems, encodings, lengths of texts and sizes of images.

    Args:
        posts: The examples, without their pixels.
        post_files: Where the texts' bytes are, to ask chardet about.
    """
    with_image = posts[posts["original_height"].notna()]
    return {
        "posts": len(posts),
        "tags": _counts(posts["tag"].replace("", "(none)")),
        "problems": _problems(posts),
        "encodings": _counts(posts.loc[posts["encoding"] != "", "encoding"]),
        "encoding_confidence": _confidence(posts),
        "flagged_encodings": _flagged(posts, post_files),
        "chardet_alone": _chardet(posts, post_files),
        "text_length": _quantiles(posts["text"].str.len()),
        "images": {
            "posts": len(with_image),
            "width": _quantiles(with_image["original_width"]),
            "height": _quantiles(with_image["original_height"]),
        },
    }


def describe_twins(
    posts: pd.DataFrame, groups: pd.DataFrame, splitting: SplittingParameters
) -> Json:
    """Twins, and how many a split that ignored them would have left on both of its sides."""
    group = posts["guid"].map(groups.set_index("guid")["group"])
    grouped = posts["tag"].groupby(group)
    is_twin = grouped.transform("size") > 1
    tags_in_group = grouped.nunique()

    shuffled = np.random.default_rng(splitting.seed).permutation(len(posts))
    held_out, rest = np.split(shuffled, [round(splitting.validation_fraction * len(posts))])
    leaked = group.iloc[held_out].isin(group.iloc[rest])
    return {
        "posts": int(is_twin.sum()),
        "groups": int(group[is_twin].nunique()),
        "groups_with_several_tags": int((tags_in_group > 1).sum()),
        "random_split": {
            "validation_posts": len(held_out),
            "with_a_twin_in_training": int(leaked.sum()),
        },
    }


def _counts(values: pd.Series[str]) -> dict[str, int]:
    return {str(value): int(count) for value, count in values.value_counts().items()}


def _quantiles(values: pd.Series[Any]) -> dict[str, float]:
    if values.empty:
        return {}
    return {name: float(values.quantile(share)) for name, share in _QUANTILES.items()}


def _problems(posts: pd.DataFrame) -> dict[str, Json]:
    """How many posts have each kind of problem (what stands before a colon), and which first."""
    each = posts.loc[posts["problems"] != "", ["guid", "problems"]]
    each = each.assign(kind=each["problems"].str.split("; ")).explode("kind")
    each["kind"] = each["kind"].str.split(":").str[0]
    return {
        str(kind): {"posts": len(guids), "first": guids.head(_MOST_GUIDS).tolist()}
        for kind, guids in each.drop_duplicates(["guid", "kind"]).groupby("kind")["guid"]
    }


def _confidence(posts: pd.DataFrame) -> Json:
    confidence = posts.loc[posts["encoding"] != "", "encoding_confidence"]
    counts, _ = np.histogram(confidence, _CONFIDENCE_EDGES)
    return {"edges": list(_CONFIDENCE_EDGES), "posts": counts.tolist()}


def _flagged(posts: pd.DataFrame, post_files: PostFiles) -> Json:
    """The posts whose reading is in doubt, and what chardet says of them."""
    flagged = posts[posts["problems"].str.contains("encoding|undecodable")]
    columns = ["guid", "encoding", "encoding_confidence", "problems", "text"]
    shown = flagged.head(_MOST_FLAGGED)[columns]
    said = pd.Series([_chardets(guid, post_files)[0] for guid in shown["guid"]], shown.index)
    shown = shown.assign(text=shown["text"].str[:_TEXT_SHOWN], chardet=said)
    return {"posts": len(flagged), "first": shown.to_dict(orient="records")}


def _chardet(posts: pd.DataFrame, post_files: PostFiles) -> Json:
    """What asking chardet about each post that is not ASCII would have given."""
    asked = posts[~posts["encoding"].isin(["", "ascii"])].head(_MOST_ASKED)
    outcomes = {"same text": 0, "another text": 0, "no text": 0}
    named: Counter[str] = Counter()
    for guid, text in zip(asked["guid"], asked["text"], strict=True):
        name, theirs = _chardets(guid, post_files)
        named[name or "none"] += 1
        if theirs is None:
            outcomes["no text"] += 1
        else:
            outcomes["same text" if theirs == text else "another text"] += 1
    return {"posts_asked": len(asked), **outcomes, "encodings": dict(named.most_common())}


def _chardets(guid: str, post_files: PostFiles) -> tuple[str | None, str | None]:
    """The encoding that chardet names for one post alone, and the text in it if there is one."""
    try:
        payload = post_files.texts.read(guid)
    except UnreadableFileError:
        return None, None
    name = chardet_encoding(payload)
    try:
        return name, payload.decode(name or "ascii")
    except (UnicodeError, LookupError):
        return name, None
