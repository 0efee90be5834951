"""What the ingestion report says."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pandas as pd

from multimodal_sentiment.decoding import chardet_encoding
from multimodal_sentiment.parameters import SplittingParameters
from multimodal_sentiment.posts.content_keys import find_placeholders
from multimodal_sentiment.posts.problems import KINDS, describe_problems, read_problems
from multimodal_sentiment.types import Json

_CONFIDENCE_EDGES = (0, 0.5, 0.9, 0.99, 0.999, 1)
_QUANTILES = {"min": 0, "5%": 0.05, "25%": 0.25, "median": 0.5, "75%": 0.75, "95%": 0.95, "max": 1}
_MOST_GUIDS = 5  # of each kind of problem
_MOST_FLAGGED = 100
_MOST_ASKED = 10_000  # posts; chardet takes a millisecond for each
_TEXT_SHOWN = 80  # characters


def describe_posts(posts: pd.DataFrame) -> Json:
    """Describe tags, problems, encodings, lengths of texts, sizes of images and placeholders.

    Args:
        posts: The examples, without their pixels.
    """
    with_image = posts[posts["original_height"].notna()]
    problems = _each_problem(posts)
    return {
        "posts": len(posts),
        "tags": _counts(posts["tag"].replace("", "(none)")),
        "problems": _problems(problems),
        "encodings": _counts(posts.loc[posts["encoding"] != "", "encoding"]),
        "encoding_confidence": _confidence(posts),
        "flagged_encodings": _flagged(posts, problems),
        "chardet_alone": _chardet(posts),
        "text_length": _quantiles(posts["text"].str.len()),
        "images": {
            "posts": len(with_image),
            "width": _quantiles(with_image["original_width"]),
            "height": _quantiles(with_image["original_height"]),
        },
        "placeholders": _placeholders(posts),
    }


def describe_near_duplicates(
    posts: pd.DataFrame, groups: pd.DataFrame, splitting: SplittingParameters
) -> Json:
    """Count twins, and how many a split that ignored them would have left on both of its sides."""
    group = posts["guid"].map(groups.set_index("guid")["group"])
    grouped = posts["tag"].groupby(group)
    is_twin = grouped.transform("size") > 1
    tags_in_group = grouped.nunique()
    commonest = posts["tag"].groupby([group, posts["tag"]]).size().groupby(level=0).max()

    shuffled = np.random.default_rng(splitting.seed).permutation(len(posts))
    held_out, rest = np.split(shuffled, [round(splitting.validation_fraction * len(posts))])
    leaked = group.iloc[held_out].isin(group.iloc[rest])
    return {
        "posts": int(is_twin.sum()),
        "groups": int(group[is_twin].nunique()),
        "groups_with_several_tags": int((tags_in_group > 1).sum()),
        "unlike_the_commonest_tag": int(len(posts) - commonest.sum()),
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


def _each_problem(posts: pd.DataFrame) -> pd.DataFrame:
    """Return one row a problem: `guid, code, subject`."""
    odd = posts.loc[posts["problems"] != "", ["guid", "problems"]]
    rows = [
        (guid, problem.code, KINDS[problem.code].subject)
        for guid, entry in odd.itertuples(index=False)
        for problem in read_problems(entry)
    ]
    return pd.DataFrame(rows, columns=["guid", "code", "subject"], dtype=object)


def _problems(problems: pd.DataFrame) -> dict[str, Json]:
    """Count the posts that have each kind of problem, and name the first."""
    guids_of = problems.drop_duplicates().groupby("code")["guid"]
    return {
        code: {
            "title": KINDS[code].title,
            "subject": KINDS[code].subject,
            "posts": len(guids),
            "first": guids.head(_MOST_GUIDS).tolist(),
        }
        for code, guids in ((str(code), guids) for code, guids in guids_of)
    }


def _confidence(posts: pd.DataFrame) -> Json:
    confidence = posts.loc[posts["encoding"] != "", "encoding_confidence"]
    counts, _ = np.histogram(confidence, _CONFIDENCE_EDGES)
    return {"edges": list(_CONFIDENCE_EDGES), "posts": counts.tolist()}


def _flagged(posts: pd.DataFrame, problems: pd.DataFrame) -> Json:
    """List the posts whose reading is in doubt, and what chardet says of them."""
    doubted = problems.loc[problems["subject"] == "encoding", "guid"]
    flagged = posts[posts["guid"].isin(doubted)]
    columns = ["guid", "encoding", "encoding_confidence", "problems", "text"]
    shown = flagged.head(_MOST_FLAGGED)[columns]
    return {
        "posts": len(flagged),
        "first": [
            {
                **post,
                "problems": describe_problems(post["problems"]),
                "text": post["text"][:_TEXT_SHOWN],
                "chardet": None if payload is None else chardet_encoding(payload),
            }
            for post in shown.to_dict(orient="records")
            for payload in [_bytes_of(post["text"], post["encoding"])]
        ],
    }


def _chardet(posts: pd.DataFrame) -> Json:
    """Say what asking chardet about each post that is not ASCII would have given."""
    named: Counter[str] = Counter()
    outcomes = {"same text": 0, "another text": 0, "no text": 0}
    foreign = posts[~posts["encoding"].isin(["", "ascii"])].head(_MOST_ASKED)
    for text, encoding in zip(foreign["text"], foreign["encoding"], strict=True):
        payload = _bytes_of(text, encoding)
        if payload is None:
            continue
        name = chardet_encoding(payload)
        named[name or "none"] += 1
        try:
            same = payload.decode(name or "ascii") == text
            outcomes["same text" if same else "another text"] += 1
        except (UnicodeError, LookupError):
            outcomes["no text"] += 1
    asked = sum(outcomes.values())
    return {"posts_asked": asked, **outcomes, "encodings": dict(named.most_common())}


def _bytes_of(text: str, encoding: str) -> bytes | None:
    """Return a text's bytes, so that its file need not be read again.

    None if they are unknown: if some could not be decoded, and are spelled out in the text.
    """
    try:
        payload = text.encode(encoding)
        return payload if payload.decode(encoding) == text else None
    except (UnicodeError, LookupError):
        return None


def _placeholders(posts: pd.DataFrame) -> list[Json]:
    """List the images that stand in place of many posts' own, and the first posts with them."""
    found = find_placeholders(posts["text"].tolist(), posts["image_hash"].tolist())
    return [
        {
            "image_hash": image_hash,
            "posts": count,
            "first": posts.loc[posts["image_hash"] == image_hash, "guid"]
            .head(_MOST_GUIDS)
            .tolist(),
        }
        for image_hash, count in found.items()
    ]
