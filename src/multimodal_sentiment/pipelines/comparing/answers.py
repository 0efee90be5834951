"""The variants' answers beside the posts they were given for, and where two of them disagree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from multimodal_sentiment.assessment import (
    contradicting_duplicates,
    doubtful_tags,
    majority_baseline,
    tfidf_baseline,
)

DOUBTED = "models answer"  # begins why a post is listed whose tag is doubted
MOST_TWINS = 12  # of one group, that a person is asked to look at


def gather_posts(
    train_posts: pd.DataFrame,
    validation_posts: pd.DataFrame,
    examples: pa.Table,
    duplicate_groups: pd.DataFrame,
    predictions: pd.DataFrame,
) -> pd.DataFrame:
    """All labelled posts: `guid, tag, text, original, true, group, fold`, `has_image`.

    `tag` is what is learnt from, and may be corrected; `original` is the listing's, and `true` what
    a post is judged by. The fold of a post that is not judged is -1.
    """
    posts = pd.concat([train_posts, validation_posts], ignore_index=True)[["guid", "tag", "text"]]
    fold_of = predictions.drop_duplicates("guid").set_index("guid")["fold"]
    guids = examples["guid"].to_pylist()
    with_image = pd.Series(examples["image"].is_valid().to_pylist(), guids)
    true = true_tags(examples, posts.set_index("guid")["tag"], posts["tag"].unique().tolist())
    return posts.assign(
        original=posts["guid"].map(pd.Series(examples["tag"].to_pylist(), guids)),
        true=posts["guid"].map(true),
        group=posts["guid"].map(duplicate_groups.set_index("guid")["group"]),
        fold=posts["guid"].map(fold_of).fillna(-1).astype(int),
        has_image=posts["guid"].map(with_image).astype(bool),
    )


def true_tags(examples: pa.Table, learnt: pd.Series[str], labels: Sequence[str]) -> pd.Series[str]:
    """Return by guid the tags that posts are judged by: the listing's, whatever was corrected.

    A tag that corrections leave to no post is known to no model: its posts are judged by the
    corrected ones.

    Args:
        examples: The posts, with the tags of their listing.
        learnt: The tags that are learnt from, by guid.
        labels: All of these.
    """
    listed = pd.Series(examples["tag"].to_pylist(), examples["guid"].to_pylist())
    return listed.where(listed.isin(labels), learnt)


def answers_of(
    predictions: pd.DataFrame, guids: pd.Series, variants: Sequence[str]
) -> dict[str, np.ndarray]:
    """Return the tags that each variant answers, of shape (seeds, posts)."""
    return {
        name: predictions[predictions["variant"] == name]
        .pivot(index="seed", columns="guid", values="predicted")[guids]
        .to_numpy(dtype=object)
        for name in variants
    }


def mean_probabilities(predictions: pd.DataFrame, labels: Sequence[str]) -> pd.DataFrame:
    """Return the means over the seeds: `p_<label>...` by variant and guid."""
    columns = [f"p_{label}" for label in labels]
    return predictions.groupby(["variant", "guid"], sort=False)[columns].mean()


def find_disagreements(
    probabilities: pd.DataFrame, tags: pd.Series[str], first: str, second: str, most: int
) -> tuple[list[str], list[str]]:
    """Find the posts that one of two variants answers rightly, and the other wrongly.

    Args:
        probabilities: By `mean_probabilities`.
        tags: The posts' tags, by guid.
        first: A variant.
        second: Another.
        most: The largest number of posts to find of either kind.

    Returns:
        The guids of posts that the first is right about, and of those that the second is: those
        first on which the probabilities that they give to the tag differ most.
    """
    variants = probabilities.index.get_level_values("variant")
    given = [probabilities[variants == each].droplevel("variant") for each in (first, second)]
    known = given[0].index.intersection(given[1].index)
    truth = "p_" + tags.loc[known]
    columns = list(probabilities)
    places = [columns.index(column) for column in truth]
    right, own = [], []
    for chances in (each.loc[known] for each in given):
        right.append(chances.idxmax(axis=1) == truth)
        own.append(chances.to_numpy()[range(len(known)), places])
    gain = pd.Series(own[0] - own[1], known).sort_values(kind="stable")
    helped = gain.index[(right[0] & ~right[1]).loc[gain.index]][::-1][:most]
    misled = gain.index[(right[1] & ~right[0]).loc[gain.index]][:most]
    return helped.tolist(), misled.tolist()


def baselines_of(posts: pd.DataFrame) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Return the baselines' answers for a frame's judged posts, in its order, and their methods.

    For each fold they learn from the posts that are not in it, as the variants do.
    """
    judged = posts[posts["fold"] >= 0]
    answers = {name: pd.Series(index=judged.index, dtype=object) for name in ("majority", "tfidf")}
    methods = {}
    for fold, answered in judged.groupby("fold"):
        known = posts[posts["fold"] != fold]
        tags, texts = known["tag"].tolist(), known["text"].tolist()
        for name, baseline in {
            "majority": majority_baseline(tags, len(answered)),
            "tfidf": tfidf_baseline(texts, tags, answered["text"].tolist()),
        }.items():
            answers[name][answered.index] = baseline.predicted
            methods[name] = baseline.method
    return {name: tags.to_numpy(dtype=object) for name, tags in answers.items()}, methods


def slices_of(
    judged: pd.DataFrame,
    predictions: pd.DataFrame,
    labels: Sequence[str],
    modalities: Mapping[str, str],
) -> dict[str, np.ndarray]:
    """Return masks of judged posts: by twins, script, what is missing, and who disagrees.

    The models of one modality that may disagree are the first variant of each.
    """
    twin = judged["group"].duplicated(keep=False)
    ascii_only = judged["text"].map(str.isascii)
    has_text = judged["text"].str.strip() != ""
    slices = {
        "with a twin": twin,
        "without a twin": ~twin,
        "ASCII text": ascii_only,
        "other text": ~ascii_only,
        "text and image": has_text & judged["has_image"],
        "no text": ~has_text,
        "no image": ~judged["has_image"],
    }
    text, image = (
        next((name for name, looks_at in modalities.items() if looks_at == modality), None)
        for modality in ("text", "image")
    )
    if text and image:
        said = mean_probabilities(predictions, labels).idxmax(axis=1).unstack("variant")
        alike = (said[text] == said[image])[judged["guid"]]
        slices[f"{text} and {image} agree"] = alike
        slices[f"{text} and {image} disagree"] = ~alike
    return {name: np.asarray(mask, dtype=bool) for name, mask in slices.items()}


def describe_doubts(
    predictions: pd.DataFrame,
    parts: Sequence[pd.DataFrame],
    duplicate_groups: pd.DataFrame,
    most: int,
) -> pd.DataFrame:
    """List the posts whose tags one variant doubts most, and twins with different tags.

    Args:
        predictions: The predictions of that variant, for posts that it had not seen.
        parts: All labelled posts.
        duplicate_groups: `guid, group`.
        most: The largest number of doubted tags.

    Returns:
        `guid, tag, why, probability, answer, text, img_path`. Of many twins with different tags
        some are listed, and name each other.
    """
    posts = pd.concat(parts, ignore_index=True)
    labels = sorted(posts["tag"].unique().tolist())
    means = predictions.groupby("guid")[[f"p_{label}" for label in labels]].mean()
    answered = posts.index[posts["guid"].isin(means.index)]
    known = means.loc[posts["guid"][answered]].to_numpy()
    doubts = doubtful_tags(posts["tag"][answered].tolist(), known, labels, most)
    own = pd.Series(
        known[range(len(answered)), [labels.index(t) for t in posts["tag"][answered]]], answered
    )
    answer = pd.Series(np.array(labels, dtype=object)[known.argmax(axis=1)], answered)

    why: dict[int, list[str]] = {
        position: [f"{DOUBTED} {answer} ({confidence:.2f})"]
        for position, answer, confidence in zip(
            answered[doubts["position"]].tolist(),
            doubts["answer"],
            doubts["confidence"],
            strict=True,
        )
    }
    groups = posts["guid"].map(duplicate_groups.set_index("guid")["group"])
    of_group = posts.groupby(groups)["tag"].transform("size")
    otherwise = of_group - posts.groupby([groups, "tag"])["tag"].transform("size")
    torn = contradicting_duplicates(posts["tag"].tolist(), groups, MOST_TWINS)
    for position, others in torn.items():
        named = ", ".join(f"{posts['guid'][other]} ({posts['tag'][other]})" for other in others)
        left = otherwise[position] - len(others)
        more = f" and {left:,} more" if left else ""
        why.setdefault(position, []).append(f"another tag than its twin {named}{more}")
    rows = list(why)
    listed = posts.loc[rows]
    return pd.DataFrame(
        {
            "guid": listed["guid"],
            "tag": listed["tag"],
            "why": ["; ".join(why[row]) for row in rows],
            "probability": own.reindex(rows).round(4),
            "answer": answer.reindex(rows).fillna(""),
            "text": listed["text"],
            "img_path": listed["img_path"],
        }
    ).reset_index(drop=True)
