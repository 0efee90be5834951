"""The comparison as a page, and the second look as one on which tags are corrected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from multimodal_sentiment.parameters import ReportingParameters
from multimodal_sentiment.types import Examples, Frame, Json

if TYPE_CHECKING:
    import pandas as pd

    from multimodal_sentiment.reporting import ComparedPost

_MOST_SHOWN = 8  # posts of each kind on which two variants disagree, if so many are asked for
MOST_TORN = 100  # groups of twins with different tags that the second look shows
_HELPED = {
    "image": ("Where the photo helped", "Where the photo misled"),
    "text": ("Where the text helped", "Where the text misled"),
}


def write_comparison_page(
    comparison: Json,
    predictions: Frame,
    history: Frame,
    examples: Examples,
    raw: str,
    reporting: ReportingParameters,
) -> str:
    """Write one HTML page: verdicts, scores, differences, parts, posts on which variants disagree.

    Args:
        comparison: The result of `judge_comparison`.
        predictions: The answers.
        history: The histories of the trainings.
        examples: The posts.
        raw: The folder in which the posts lie.
        reporting: The name by which they are called, and how many of a kind are shown at most.
    """
    from kedro.io.core import generate_timestamp

    from multimodal_sentiment.assessment import judge_difference
    from multimodal_sentiment.reporting import name_data, name_variants, write_comparison_page

    from .answers import find_disagreements, mean_probabilities, true_tags

    protocol, labels = comparison["protocol"], _labels(comparison)
    verdicts = [
        judge_difference(
            pair["accuracy"],
            comparison["groups" if "groups" in comparison else "n"],
            protocol["confidence_level"],
            protocol["margin"],
        )
        for pair in comparison["pairs"]
    ]
    probabilities = mean_probabilities(predictions, labels)
    learnt = predictions.drop_duplicates("guid").set_index("guid")["tag"]
    tags = true_tags(examples, learnt, labels)
    names = name_variants(protocol["variants"])
    most = min(_MOST_SHOWN, reporting.shown_posts)
    disagreements = []
    for pair in comparison["pairs"]:
        first, second = pair["first"], pair["second"]
        found = find_disagreements(probabilities, tags, first, second, most)
        titles = _titles(first, second, names, comparison.get("modalities", {}))
        for title, guids in zip(titles, found, strict=True):
            if guids:
                posts = _compared_posts(guids, tags, examples, probabilities, names)
                disagreements.append((title, posts))
    return write_comparison_page(
        data=name_data(raw, reporting.data_name),
        version=generate_timestamp(),
        comparison=comparison,
        verdicts=verdicts,
        history=history,
        disagreements=disagreements,
    )


def write_second_look(
    second_look: Frame,
    comparison: Json,
    predictions: Frame,
    examples: Examples,
    duplicate_groups: Frame,
    corrections: Frame,
    train_posts: Frame,
    validation_posts: Frame,
    raw: str,
    reporting: ReportingParameters,
) -> str:
    """Write one HTML page on which a person corrects tags, and takes away a file of them.

    Of very many groups of twins with different tags it shows the first, and those of doubted posts.

    Args:
        second_look: The posts that are worth it.
        comparison: Names the variants.
        predictions: Their answers.
        examples: The posts, with the tags of their listing.
        duplicate_groups: `guid, group`; twins stand side by side.
        corrections: The tags that were corrected before.
        train_posts: The training posts, with their tags as corrected.
        validation_posts: The same.
        raw: The folder in which the posts lie.
        reporting: The name by which they are called.
    """
    import pandas as pd
    from kedro.io.core import generate_timestamp

    from multimodal_sentiment.reporting import Doubt, name_data, name_variants, write_second_look

    from .answers import DOUBTED, MOST_TWINS, mean_probabilities

    labels = _labels(comparison)
    names = name_variants(comparison["protocol"]["variants"])
    tags = pd.concat([train_posts, validation_posts]).set_index("guid")["tag"]
    group_of = duplicate_groups.set_index("guid")["group"]
    members = group_of.index.to_series().groupby(group_of).agg(list)
    why = dict(zip(second_look["guid"], second_look["why"], strict=True))
    probabilities = mean_probabilities(predictions, labels)
    is_doubted = second_look["why"].str.startswith(DOUBTED)
    boxes, torn, left_out = [], 0, 0
    listed = second_look["guid"]
    for group, own in listed.groupby(listed.map(group_of), sort=False):
        twins = list(dict.fromkeys([*own, *members[group]]))  # those that are listed come first
        torn += (is_torn := tags[own].nunique() > 1)
        if is_torn and torn > MOST_TORN and not is_doubted[own.index].any():
            left_out += 1
        else:
            boxes.append((twins[:MOST_TWINS], len(twins[MOST_TWINS:])))
    shown = [guid for guids, _ in boxes for guid in guids]
    posts = dict(
        zip(shown, _compared_posts(shown, tags, examples, probabilities, names), strict=True)
    )
    doubts = [Doubt([posts[guid] for guid in guids], why, more) for guids, more in boxes]
    originals = dict(zip(examples["guid"].to_pylist(), examples["tag"].to_pylist(), strict=True))
    known = posts.keys() | set(corrections["guid"])
    return write_second_look(
        data=name_data(raw, reporting.data_name),
        version=generate_timestamp(),
        labels=labels,
        doubts=doubts,
        left_out=left_out,
        originals={guid: tag for guid, tag in originals.items() if guid in known},
        corrections=dict(zip(corrections["guid"], corrections["tag"], strict=True)),
    )


def _labels(comparison: Json) -> list[str]:
    return list(next(iter(comparison["table"].values()))["per_class"])


def _titles(
    first: str, second: str, names: dict[str, str], modalities: dict[str, str]
) -> tuple[str, str]:
    """Say what the posts show that one of two variants is right about, and the other wrong."""
    from multimodal_sentiment.assessment import added_modality

    if added := added_modality(first, second, modalities):
        return _HELPED[added]
    one, other = names[first], names[second]
    return f"Right by {one}, wrong by {other}", f"Right by {other}, wrong by {one}"


def _compared_posts(
    guids: list[str],
    tags: pd.Series[str],
    examples: Examples,
    probabilities: pd.DataFrame,
    names: dict[str, str],
) -> list[ComparedPost]:
    """Return the posts with text and image, and what each variant says of them."""
    import pandas as pd

    from multimodal_sentiment.batches import StoredImages, rows_of
    from multimodal_sentiment.reporting import ComparedPost, thumbnail

    rows = rows_of(pd.Series(guids), examples)
    texts = examples["text"].take(rows).to_pylist()
    asked = probabilities[probabilities.index.get_level_values("guid").isin(guids)]
    chances = {
        variant: own.droplevel("variant").to_dict("index")
        for variant, own in asked.groupby("variant")
    }
    shown = []
    for guid, text, picture in zip(guids, texts, StoredImages(examples, rows), strict=True):
        answers = {
            names[variant]: {
                str(column).removeprefix("p_"): float(share)
                for column, share in chances[variant][guid].items()
            }
            for variant in names
            if guid in chances.get(variant, {})
        }
        shown.append(ComparedPost(guid, text, thumbnail(picture), tags[guid], answers))
    return shown
