"""How accurate a training by several processes is, beside one by a single process.

    kedro run --pipeline=training --env=scratch --params raw=RAW,data=DATA
    python tests/benchmarks/processes.py DATA [--processes 2] [--seeds 3] [--posts 1000]
        [--env scratch] [--params ...]

The same posts, seeds and parameters; a fifth of the posts is judged. It prints the difference of
the accuracies, with the interval of a bootstrap over groups of near duplicates.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
from project import encoder_store, load_parameters, read_arrow, read_csv

from multimodal_sentiment.assessment import compare_variants
from multimodal_sentiment.batches import LabelledPosts
from multimodal_sentiment.learning import FoldTraining, KeptTrainings, run_trainings
from multimodal_sentiment.parameters import Parameters
from multimodal_sentiment.posts.split import grouped_split
from multimodal_sentiment.predicting import encode_examples


def main() -> None:
    """Train by one and by several processes, and compare."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--posts", type=int, default=1000)
    parser.add_argument("--env", default="scratch")
    parser.add_argument("--params", default="")
    asked = parser.parse_args()
    parameters = Parameters.model_validate(load_parameters(asked.env, asked.params))
    examples = read_arrow(asked.data, "03_primary/labelled/examples.arrow")
    groups = read_csv(asked.data, "04_feature/duplicate_groups.csv")
    frame = examples.select(["guid", "tag"]).to_pandas()
    frame = frame.sample(min(asked.posts, len(frame)), random_state=0)
    posts = LabelledPosts.select(frame, examples, groups)
    judged = grouped_split(posts.tags, posts.groups, 0.2, 0)
    trainings = [
        FoldTraining(
            "model",
            seed,
            0,
            None,
            parameters.model,
            parameters.training.model_copy(update={"seed": seed}),
        )
        for seed in range(asked.seeds)
    ]
    predicted = {}
    with tempfile.TemporaryDirectory() as folder:
        store = encoder_store(asked.data)
        variants = [(parameters.model, parameters.training)]
        features = encode_examples(examples, variants, store, parameters.compute)
        for processes in (1, asked.processes):
            compute = parameters.compute.model_copy(update={"processes": processes})
            sides = np.where(judged, 0, -1)
            kept = KeptTrainings(posts, sides, compute, Path(folder), store, features)
            answers, _ = run_trainings(trainings, kept)
            tags = answers["predicted"].to_numpy().reshape(asked.seeds, -1)
            predicted[str(processes)] = tags
            accuracy = (tags == posts.tags[judged]).mean()
            print(f"{processes} processes: accuracy {accuracy:.4f}", flush=True)
    (pair,) = compare_variants(
        posts.tags[judged],
        predicted,
        [(str(asked.processes), "1")],
        posts.groups[judged],
        sorted(set(posts.tags)),
        seed=0,
    )
    low, high = pair["accuracy"]["interval"]
    print(
        f"{asked.processes} processes less 1: {pair['accuracy']['difference']:+.4f} "
        f"(95% from {low:+.4f} to {high:+.4f}), {judged.sum()} posts, {asked.seeds} seeds"
    )


if __name__ == "__main__":
    main()
