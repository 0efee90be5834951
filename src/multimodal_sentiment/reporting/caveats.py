"""What to distrust in a training run's numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from typing import Any, NamedTuple

from multimodal_sentiment.wording import counted

from .charts import GOOD_CALIBRATION
from .names import name_baselines
from .templating import listed

_FEW_POSTS = 30  # of a label: its F1 then rests on a handful of mistakes
_FEW_TUNING_POSTS = 100
_WIDE = 0.08  # of an interval of accuracies
_ENGLISH = ("all-MiniLM-L6-v2", "bert-base-uncased", "bertweet-base")  # encoders that read no other
_NOTABLE = 0.01  # share of the posts


class Caveat(NamedTuple):
    """One reason: what it is in a few words, and what follows."""

    what: str
    why: str


def find_caveats(
    metrics: Mapping[str, Any],
    ingestion: Mapping[str, Any],
    *,
    epochs: int | None,
    unread: Set[str] = frozenset(),
) -> list[Caveat]:
    """Find what a reader should know before trusting the numbers, the gravest first.

    Args:
        metrics: The metrics as the evaluation writes them.
        ingestion: The ingestion report of the labelled posts.
        epochs: The number of epochs that were trained; None where heads were solved instead.
        unread: The subjects of problems that the model does not read: see `posts.problems`.
    """
    divided = metrics.get("twins_in_training") or {"posts": 0}
    return [
        *_about_baselines(metrics),
        *_about_twins(divided),
        *_about_sizes(metrics),
        *_about_confidence(metrics),
        *_about_languages(metrics),
        *_about_training(metrics["protocol"]["model"], epochs),
        *_about_posts(ingestion, unread),
        *_about_groups_of_twins(ingestion["twins"], ingestion["posts"], divided["posts"]),
    ]


def _about_baselines(metrics: Mapping[str, Any]) -> Iterator[Caveat]:
    name, best = max(metrics["baselines"].items(), key=lambda item: item[1]["accuracy"])
    called = name_baselines(metrics["baselines"])[name]
    verdicts = {pair["second"]: pair["verdict"] for pair in metrics.get("against_baselines", [])}
    low = metrics["accuracy_interval"][0]
    # Metrics of version 0.1 have no test of the difference.
    verdict = verdicts.get(name, "better" if low > best["accuracy"] else "cannot tell")
    reached = (
        f"{called[0].upper()}{called[1:]} reaches {best['accuracy']:.1%}, the model "
        f"{metrics['accuracy']:.1%}"
    )
    if metrics["accuracy"] <= best["accuracy"] or verdict in ("worse", "no different"):
        yield Caveat("Not better than a baseline", f"{reached}.")
    elif verdict == "cannot tell":
        yield Caveat(
            "Perhaps not better than a baseline",
            f"{reached}; {metrics['n']:,} posts cannot tell one from the other.",
        )


def _about_twins(twins: Mapping[str, Any]) -> Iterator[Caveat]:
    """Warn of a split that came with the posts: one that is drawn divides no twins."""
    if not twins["posts"]:
        return
    rest = twins["without"]
    yield Caveat(
        f"{twins['posts']:,} validation posts have a twin among the training posts",
        "The split came with the posts, and is used as it is. "
        + (
            f"Without these posts the accuracy is {rest['accuracy']:.1%} "
            f"({rest['accuracy_interval'][0]:.1%} to {rest['accuracy_interval'][1]:.1%})."
            if rest
            else "There are no others."
        ),
    )


def _about_sizes(metrics: Mapping[str, Any]) -> Iterator[Caveat]:
    low, high = metrics["accuracy_interval"]
    if high - low > _WIDE:
        yield Caveat(
            f"Only {metrics['n']:,} validation posts",
            f"The accuracy is known to {100 * (high - low):.0f} points: between {low:.1%} and "
            f"{high:.1%}. Models that differ by less cannot be told apart here.",
        )
    labels = metrics["per_class"].items()
    few = [
        f"{scores['support']:,} {label}"
        for label, scores in labels
        if scores["support"] < _FEW_POSTS
    ]
    if few:
        yield Caveat("Labels with few posts", f"F1 of these rests on {', '.join(few)} posts.")
    never = [label for label, scores in labels if scores["support"] and not scores["recall"]]
    if never:
        yield Caveat(
            "Labels that are never found",
            f"Not one post is rightly called {listed(never, 'or')}.",
        )


def _about_confidence(metrics: Mapping[str, Any]) -> Iterator[Caveat]:
    before, error = (
        metrics["calibration"][when]["expected_calibration_error"] for when in ("before", "after")
    )
    if error <= GOOD_CALIBRATION:
        return
    bins = [step for step in metrics["calibration"]["after"].get("bins", []) if step["n"]]
    surplus = sum(step["n"] * (step["confidence"] - step["accuracy"]) for step in bins)
    leaning = f", and is too {'high' if surplus > 0 else 'low'} on the whole" if surplus else ""
    worsened = (
        " The temperature, fitted to training posts, did not help."
        if before < error and metrics["calibration"].get("temperature") != 1
        else ""
    )
    yield Caveat(
        "Confidence is only roughly right",
        "On average it differs from the share of right answers by more than the "
        f"{100 * GOOD_CALIBRATION:g} points that count as good{leaning}. Where it matters, "
        "go by how many answers of such a confidence were right here, not by the percentage "
        f"itself.{worsened}",
    )


def _about_languages(metrics: Mapping[str, Any]) -> Iterator[Caveat]:
    encoder = metrics["protocol"]["model"].get("encoders", {}).get("text") or {}
    name = str(encoder.get("name", "")).partition("@")[0]
    others = {script for script in metrics.get("scripts", {}) if script not in ("Latin", "none")}
    if others and name.endswith(_ENGLISH):
        counts_words = "words" in metrics["protocol"]["model"].get("strengths", {})
        yield Caveat(
            f"The text encoder has read English, not {listed(sorted(others), 'or')}",
            f"Of such texts it hears little{', and counted words do the work' * counts_words}: a "
            "multilingual encoder, named in model.text.encoder and fetched, reads them.",
        )


def _about_training(model: Mapping[str, Any], epochs: int | None) -> Iterator[Caveat]:
    if epochs is not None and model["tuning_posts"] < _FEW_TUNING_POSTS:
        yield Caveat(
            f"Only {model['tuning_posts']:,} tuning posts",
            "They chose the epoch and the temperature: another seed may choose others.",
        )
    if epochs is not None and model["epoch"] == epochs:
        yield Caveat(
            "The last epoch was the best",
            "It may have stopped too early: try more of training.epochs.",
        )
    if not model["encoders"]:
        yield Caveat(
            "Encoders trained from scratch",
            "They know nothing but these posts; on real ones, pretrained encoders do better.",
        )


def _about_posts(ingestion: Mapping[str, Any], unread: Set[str]) -> Iterator[Caveat]:
    """Say what is wrong with the posts, but for what a model does not read of them anyway."""
    flagged = ingestion["flagged_encodings"]["posts"]
    if flagged and "encoding" not in unread:
        yield Caveat(
            f"{flagged:,} texts may be misread",
            "In which encoding they were written is in doubt, so some of their letters may be "
            f"wrong: {flagged / ingestion['posts']:.1%} of all texts.",
        )
    notable = [
        f"{entry.get('title', code)}: {entry['posts']:,}"
        for code, entry in ingestion["problems"].items()
        if entry["posts"] >= _NOTABLE * ingestion["posts"]
        and entry.get("subject") not in {"encoding", *unread}
    ]
    if notable:
        yield Caveat(
            "Posts with problems", f"{', '.join(notable)} of {ingestion['posts']:,} posts."
        )
    placeholders = ingestion.get("placeholders", [])
    if placeholders and "image" not in unread:
        posts = sum(placeholder["posts"] for placeholder in placeholders)
        yield Caveat(
            "Images that say nothing of their posts",
            f"{posts:,} of {ingestion['posts']:,} posts share "
            f"{counted(len(placeholders), 'image')}: a placeholder counts as no sign of twins.",
        )


def _about_groups_of_twins(twins: Mapping[str, Any], posts: int, divided: int) -> Iterator[Caveat]:
    outvoted = twins.get("unlike_the_commonest_tag")  # reports of version 0.1 do not say
    cost = (
        f" A model that answers all posts of a group alike is wrong about {outvoted:,} of the "
        f"{posts:,} posts at least, which costs {100 * outvoted / posts:.1f} points of accuracy."
        if outvoted
        else ""
    )
    if twins["groups_with_several_tags"]:
        yield Caveat(
            "Twins that are tagged differently",
            f"In {twins['groups_with_several_tags']:,} of the {twins['groups']:,} groups of "
            f"posts with equal text or photo, or nearly equal where twins.* say so, the tags "
            f"differ.{cost}",
        )
    leaked = twins["random_split"]["with_a_twin_in_training"]
    if leaked:
        yield Caveat(
            "Do not compare with numbers from a random split",
            "Had posts been drawn one by one, without regard to twins, "
            f"{leaked:,} of {twins['random_split']['validation_posts']:,} validation posts "
            "would have had a twin among the training posts. "
            f"This split leaves {divided:,}.",
        )
