"""What a report says first: the verdict in a sentence, and answers to what people ask."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from multimodal_sentiment.wording import counted, exact_percent, least_confidence, rounded_percent

from .names import name_baselines
from .templating import signed_points
from .weakest import describe_weakest

Tone = Literal["good", "unsure", "bad"]

_TONES: dict[str, Tone] = {
    "better": "good",
    "worse": "bad",
    "no different": "bad",
    "cannot tell": "unsure",
}
_MODALITIES = {"image": "photo", "text": "text"}
_TOO_OLD = "These metrics were made before the report could say."


class Verdict(NamedTuple):
    """Whether the model is worth having: a sentence, what else there is to say, and its colour."""

    words: str
    more: str
    tone: Tone


class KeyPoint(NamedTuple):
    """A question that people ask, its answer, and the section that says more."""

    question: str
    answer: str
    anchor: str


def find_verdict(metrics: Mapping[str, Any]) -> Verdict:
    """Say whether the model is better than the best baseline, and how sure that is."""
    names = name_baselines(metrics["baselines"])
    best, baseline = max(metrics["baselines"].items(), key=lambda item: item[1]["accuracy"])
    pairs = {pair["second"]: pair for pair in metrics.get("against_baselines", [])}
    numbers = f"Accuracy {metrics['accuracy']:.1%}, {names[best]} {baseline['accuracy']:.1%}"
    if best not in pairs:  # in metrics of version 0.1
        ahead = metrics["accuracy_interval"][0] > baseline["accuracy"]
        words = "Better than" if ahead else "Perhaps no better than"
        return Verdict(f"{words} {names[best]}.", f"{numbers}.", "good" if ahead else "unsure")
    pair = pairs[best]
    points = 100 * pair["accuracy"]["difference"]
    words = {
        "better": f"Better than {names[best]} by {points:.1f} points of accuracy, surely.",
        "worse": f"Worse than {names[best]} by {-points:.1f} points of accuracy, surely.",
        "no different": f"No better than {names[best]}: they differ by {abs(points):.1f} points of "
        "accuracy, which does not matter.",
        "cannot tell": f"Perhaps no better than {names[best]}: {points:+.1f} points of accuracy, "
        f"which {counted(metrics['n'], 'post')} cannot tell from chance.",
    }[pair["verdict"]]
    more = f"{numbers}; difference {_range(pair['accuracy'], metrics)}."
    return Verdict(words, more, _TONES[pair["verdict"]])


def find_key_points(
    metrics: Mapping[str, Any],
    matrix: Mapping[str, Mapping[str, int]],
    training: Mapping[str, int],
    data: str,
) -> list[KeyPoint]:
    """Answer what people ask first.

    Args:
        metrics: The metrics as the evaluation writes them.
        matrix: Posts by true tag, and of these by predicted tag.
        training: Training posts of each tag.
        data: The name of the posts.
    """
    claim = metrics.get("abstention", {}).get("target", 0.9)
    photo = "photo" if metrics.get("modalities") else ""  # the section is there
    return [
        KeyPoint("Is it better than counting words?", _against_words(metrics), ""),
        KeyPoint("Does the photo help?", describe_photo(metrics), photo),
        KeyPoint("On which posts does it fail?", describe_weakest(matrix, metrics), "fails"),
        KeyPoint(f"Can I trust a confidence of {claim:g}?", _of_claims(metrics), "confidence"),
        KeyPoint("What was it trained on?", _sources(training, metrics, data), "data"),
    ]


def describe_photo(metrics: Mapping[str, Any]) -> str:
    """Say whether the photo helps this model."""
    modalities = metrics.get("modalities")
    if not modalities:
        looks_at = metrics["protocol"]["model"].get("modality")
        return f"It looks at the {_MODALITIES[looks_at]} alone." if looks_at else _TOO_OLD
    pair = modalities["text_alone"]
    points = 100 * pair["accuracy"]["difference"]
    low, high = (100 * bound for bound in pair["accuracy"]["interval"])
    said = {
        "better": "Yes",
        "worse": "No",
        "no different": "It hardly matters",
        "cannot tell": f"Too close to tell from {counted(metrics['n'], 'post')}",
    }[pair["verdict"]]
    return (
        f"{said}: with its photos hidden, the same model is right {_change(points)} often "
        f"({_level(metrics)} interval: {_change(low)} to {_change(high)})."
    )


def _change(points: float) -> str:
    """Say how much less often, or more, a model is right from which something is hidden."""
    return f"{abs(points):.1f} points {'less' if points > 0 else 'more'}"


def advise_confidence(metrics: Mapping[str, Any]) -> str:
    """Say which answers can be left to the model, and what share of posts a person had to judge."""
    abstention = metrics.get("abstention")
    if not abstention:
        return _TOO_OLD
    target, trusted = exact_percent(abstention["target"]), abstention["trusted"]
    if trusted is None:
        return (
            f"No confidence is so high that {target} of the answers are surely right, as far "
            f"as {counted(metrics['n'], 'post')} can tell: where that much matters, ask a person."
        )
    below, share = trusted["accuracy_below"], trusted["coverage"]
    right = rounded_percent(trusted["accuracy"])
    if below is None:
        return (
            f"If {target} of the answers are to be right, all can be left to the model: here "
            f"{right} were, and one can be {_level(metrics)} sure of {target}."
        )
    return (
        f"If {target} of the answers are to be right, leave those with a confidence of "
        f"{least_confidence(trusted['confidence'])} or more to the model, and the other posts to a "
        f"person. The model then answers {rounded_percent(share)} of the posts. Here {right} of "
        f"these answers were right, and one can be {_level(metrics)} sure that at least {target} "
        f"of such answers are. A person judges the other {rounded_percent(1 - share)}; there, "
        f"{rounded_percent(below)} of the model's answers were right. The model itself applies no "
        "such limit: it answers every post."
    )


def _against_words(metrics: Mapping[str, Any]) -> str:
    for pair in metrics.get("against_baselines", []):
        if pair["second"] == "tfidf":
            said = {
                "better": "Yes, surely",
                "worse": "No, it is worse, surely",
                "no different": "No, the difference does not matter",
                "cannot tell": f"Too close to tell from {counted(metrics['n'], 'post')}",
            }[pair["verdict"]]
            gain = signed_points(pair["accuracy"]["difference"])
            return f"{said}: {gain} points of accuracy ({_range(pair['accuracy'], metrics)})."
    return find_verdict(metrics).words


def _of_claims(metrics: Mapping[str, Any]) -> str:
    """Say whether a high confidence can be trusted, as `advise_confidence` has it."""
    claimed = metrics.get("abstention", {}).get("claimed")
    if not claimed:
        return advise_confidence(metrics)
    if not claimed["n"]:
        return "No answer here had that much."
    low, high = claimed["accuracy_interval"]
    share, claim = claimed["accuracy"], claimed["confidence"]
    trusted = metrics["abstention"]["trusted"]
    is_sure = trusted is not None and trusted["confidence"] <= claim
    if high < claim:
        verdict = "No"
    elif share >= claim:
        verdict = "Yes" if is_sure else "Probably"
    else:
        verdict = "Nearly" if low > claim - 0.1 else "Not sure"
    more = "" if is_sure else f" {_surer(claim, trusted)}"
    return (
        f"{verdict}: of the {claimed['n']:,} answers with a confidence of {claim:g} or more, "
        f"{rounded_percent(share)} were right ({_level(metrics)} interval {rounded_percent(low)} "
        f"to {rounded_percent(high)}){_least_sure(claimed)}.{more}"
    )


def _least_sure(claimed: Mapping[str, Any]) -> str:
    """Say how right those answers are that are hardly surer than is claimed."""
    least = claimed["least_sure"]
    if least["n"] in (0, claimed["n"]):
        return ""
    return (
        f"; of the {least['n']:,} of them that are less sure than {least['below']:g}, "
        f"{rounded_percent(least['accuracy'])}"
    )


def _surer(claim: float, trusted: Mapping[str, Any] | None) -> str:
    """Say which answers are right as often as is claimed, surely."""
    claimed = exact_percent(claim)
    if not trusted:
        return f"No limit is so high that {claimed} of the answers above it are surely right."
    least, share = least_confidence(trusted["confidence"]), rounded_percent(trusted["coverage"])
    return (
        f"To be sure that {claimed} are right, take only those with {least} or more, which are "
        f"{share} of all."
    )


def _sources(training: Mapping[str, int], metrics: Mapping[str, Any], data: str) -> str:
    tags = ", ".join(f"{count:,} {tag}" for tag, count in training.items())
    names = [
        str(encoder["name"]).partition("@")[0].rstrip("/").split("/")[-1]
        for _, encoder in sorted(metrics["protocol"]["model"].get("encoders", {}).items())[::-1]
        if encoder  # text before image
    ]
    before = (
        f", on top of the pretrained encoders {' and '.join(names)}"
        if names
        else ", and nothing before"
    )
    if "words" in metrics["protocol"]["model"].get("strengths", {}):
        before += "; it counts the posts' words, too"
    return f"{sum(training.values()):,} posts of {data} ({tags}){before}."


def _range(test: Mapping[str, Any], metrics: Mapping[str, Any]) -> str:
    low, high = map(signed_points, test["interval"])
    return f"{_level(metrics)} interval {low} to {high} points"


def _level(metrics: Mapping[str, Any]) -> str:
    return exact_percent(metrics["protocol"]["confidence_level"])
