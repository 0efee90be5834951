"""How often the primary test errs where nothing is to be found, and how often intervals hold.

Null: two variants' predictions are exchanged at random, group by group, so that neither is better;
of the replicates, at most 6.5% may be called different at the 5% level.
Coverage: groups are drawn anew out of the predictions, and the interval of what was drawn should
hold the value of all: in 93 to 97% for the accuracy, 91 to 97% for the macro F1.

    python tests/benchmarks/interval_calibration.py [FILE] [--variants both text]
        [--replicates 2000] [--samples 2000]

FILE is a comparison_predictions.csv, beside which the data folder's duplicate_groups.csv is looked
for; without it, 400 simulated posts with twins are judged, three seeds a variant.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from multimodal_sentiment.assessment import compare_variants
from multimodal_sentiment.assessment.bootstrap import bootstrap_intervals
from multimodal_sentiment.assessment.paired_tests import COMPARED
from multimodal_sentiment.assessment.variants import judge_variants

LEVEL = 0.95


class Posts(NamedTuple):
    """Out-of-fold predictions: tags and groups of shape (n,), answers (variants, seeds, n)."""

    true: np.ndarray
    groups: np.ndarray
    answers: dict[str, np.ndarray]
    labels: list[str]


def simulate(rng: np.random.Generator) -> Posts:
    """Posts of which 12% have twins; answers of one post agree over seeds, and between twins."""
    labels = ["negative", "neutral", "positive"]
    groups = np.concatenate([np.arange(352), rng.integers(0, 352, 48)])
    _, group = np.unique(groups, return_inverse=True)
    tag_of = rng.choice(3, size=group.max() + 1, p=[0.3, 0.1, 0.6])
    hardness = rng.normal(size=group.max() + 1)
    answers = {}
    for name, skill in (("text", 0.5), ("image", 0.35), ("both", 0.6)):
        own = 0.6 * hardness + 0.6 * rng.normal(size=len(tag_of))
        noise = rng.normal(size=(3, len(group))) * 0.5
        right = own[group] + noise < skill
        guess = rng.choice(3, size=(3, len(group)), p=[0.25, 0.1, 0.65])
        answers[name] = np.array(labels, dtype=object)[np.where(right, tag_of[group], guess)]
    return Posts(np.array(labels, dtype=object)[tag_of[group]], groups, answers, labels)


def read(path: Path) -> Posts:
    """The predictions of a comparison, and the groups of the same data folder."""
    predictions = pd.read_csv(path, dtype=str, keep_default_na=False)
    data = next(folder for folder in path.parents if folder.name == "07_model_output").parent
    grouped = max((data / "04_feature" / "duplicate_groups.csv").glob("*/duplicate_groups.csv"))
    groups = pd.read_csv(grouped, dtype={"guid": str}).set_index("guid")["group"]
    tags = predictions.drop_duplicates("guid").set_index("guid")["tag"].sort_index()
    answers = {
        str(name): frame.pivot(index="seed", columns="guid", values="predicted")[
            tags.index
        ].to_numpy(dtype=object)
        for name, frame in predictions.groupby("variant", sort=False)
    }
    true = tags.to_numpy(dtype=object)
    return Posts(true, groups.loc[tags.index].to_numpy(), answers, sorted(set(true)))


def exchanged(
    posts: Posts, first: str, second: str, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Two variants' answers, exchanged in half of the groups."""
    names, group = np.unique(posts.groups, return_inverse=True)
    swap = (rng.random(len(names)) < 0.5)[group]
    one, other = posts.answers[first], posts.answers[second]
    return {first: np.where(swap, other, one), second: np.where(swap, one, other)}


def rejections(posts: Posts, replicates: int, samples: int) -> Iterator[tuple[str, str, float]]:
    """How often each test calls two exchanged variants different."""
    rng = np.random.default_rng(1)
    names = list(posts.answers)
    pairs = [(one, other) for index, one in enumerate(names) for other in names[index + 1 :]]
    for pair in pairs:
        found = dict.fromkeys([*COMPARED, "mcnemar"], 0)
        for replicate in range(replicates):
            (test,) = compare_variants(
                posts.true,
                exchanged(posts, *pair, rng),
                [pair],
                posts.groups,
                posts.labels,
                samples=samples,
                seed=replicate,
            )
            for measure in found:
                found[measure] += test[measure]["p_value"] < 1 - LEVEL
        for measure, count in found.items():
            yield " against ".join(pair), measure, count / replicates


def coverages(posts: Posts, replicates: int, samples: int) -> Iterator[tuple[str, str, float]]:
    """How often the interval of redrawn groups holds the value of all."""
    rng = np.random.default_rng(2)
    names, group = np.unique(posts.groups, return_inverse=True)
    members = [np.flatnonzero(group == index) for index in range(len(names))]
    judging = {"samples": 100, "level": LEVEL, "seed": 0}
    whole = judge_variants(posts.true, posts.answers, posts.groups, posts.labels, **judging)
    for variant, answers in posts.answers.items():
        held = dict.fromkeys(COMPARED, 0)
        for replicate in range(replicates):
            drawn = rng.integers(len(names), size=len(names))
            rows = np.concatenate([members[index] for index in drawn])
            # Each time that a group is drawn, it is a group of its own.
            groups = np.repeat(np.arange(len(drawn)), [len(members[index]) for index in drawn])
            intervals = bootstrap_intervals(
                posts.true[rows],
                answers[:, rows],
                groups,
                posts.labels,
                samples=samples,
                level=LEVEL,
                seed=replicate,
            )
            for measure in held:
                low, high = intervals[measure]
                held[measure] += low <= whole[variant][measure] <= high
        for measure, count in held.items():
            yield variant, measure, count / replicates


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", nargs="?", type=Path)
    parser.add_argument("--variants", nargs="+", help="of the file; all, unless named")
    parser.add_argument("--replicates", type=int, default=2000)
    parser.add_argument("--samples", type=int, default=2000)
    asked = parser.parse_args()
    posts = read(asked.file) if asked.file else simulate(np.random.default_rng(0))
    chosen = asked.variants or list(posts.answers)
    posts = posts._replace(answers={name: posts.answers[name] for name in chosen})
    seeds = len(next(iter(posts.answers.values())))
    print(
        f"{len(posts.true):,} posts in {len(set(posts.groups)):,} groups, {seeds} seeds, "
        f"{asked.replicates:,} replicates of {asked.samples:,} samples"
    )
    error = 1.96 * (0.05 * 0.95 / asked.replicates) ** 0.5
    print(f"\nexchanged variants called different at 5% (+- {error:.1%} by chance)")
    for pair, measure, share in rejections(posts, asked.replicates, asked.samples):
        print(f"{pair:30} {measure:10} {share:6.1%}", flush=True)
    print("\n95% intervals that hold the stored value")
    for variant, measure, share in coverages(posts, asked.replicates, asked.samples):
        print(f"{variant:30} {measure:10} {share:6.1%}", flush=True)


if __name__ == "__main__":
    main()
