"""Whether a search fools itself: it must find nothing where there is nothing to be found.

    kedro run --pipeline=search --params raw=RAW,data=DATA
    python tests/benchmarks/search.py DATA [--runs 20] [--trials 8] [--posts 1000] [--env base]
        [--params ...]

It searches on posts whose tags are drawn by lot, each equally often, so that no setting can be
better than another by accuracy. (Of unequal ones, always answering the commonest would be.) It
counts in how many runs the search's own best score shows a gain over the default, and in how many
the search reports a setting that is better: at most one of 20.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from project import encoder_store, load_parameters, read_arrow, read_csv

from multimodal_sentiment.parameters import Parameters
from multimodal_sentiment.pipelines.searching.nodes import judge_search, train_best, try_settings
from multimodal_sentiment.posts.split import grouped_split


def main() -> None:
    """Search where nothing is to be found."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--trials", type=int, default=8)
    parser.add_argument("--posts", type=int, default=1000)
    parser.add_argument("--env", default="base")
    parser.add_argument("--params", default="")
    asked = parser.parse_args()
    parameters = Parameters.model_validate(load_parameters(asked.env, asked.params))
    examples = read_arrow(asked.data, "03_primary/labelled/examples.arrow")
    features = read_arrow(asked.data, "04_feature/features.arrow")
    groups = read_csv(asked.data, "04_feature/duplicate_groups.csv")
    posts = examples.select(["guid", "text", "tag"]).to_pandas()
    store = encoder_store(asked.data)
    shows = reports = 0
    for run in range(asked.runs):
        rng = np.random.default_rng(run)
        some = posts.sample(min(asked.posts, len(posts)), random_state=run)
        tags = sorted(some["tag"].unique())
        some = some.assign(tag=rng.permutation(np.resize(tags, len(some))))
        owners = groups.set_index("guid")["group"].loc[some["guid"]].to_numpy()
        aside = grouped_split(some["tag"].to_numpy(), owners, 0.2, run)
        changes = {"trials": asked.trials, "objective": "accuracy", "seed": run}
        search = parameters.search.model_copy(update={**changes, "startup_trials": 4})
        with tempfile.TemporaryDirectory() as folder:
            shared = (
                *(examples, groups, Path(folder), store, features, search),
                *(parameters.model, parameters.training, parameters.compute),
            )
            study, on_folds = try_settings(some[~aside], *shared)
            on_validation = train_best(study, some[~aside], some[aside], *shared)
        none = pd.DataFrame({"guid": [], "original": []}, dtype=str)
        found = judge_search(
            *(study, on_folds, on_validation, some[~aside], some[aside], groups, none, search),
            *(parameters.splitting, parameters.evaluation),
        )
        shows += found["folds"]["best"]["gain"] > 0
        reports += found["found_better"]
        print(
            f"run {run + 1}: best {found['folds']['best']['gain']:+.4f} on folds "
            f"(p = {found['folds']['best']['p_value']:.3f}), "
            f"{found['validation']['best']['gain']:+.4f} on validation posts; "
            f"{found['verdict'][0]}",
            flush=True,
        )
    print(f"{shows} of {asked.runs} runs show a gain in their own best score, {reports} report one")
    if reports > asked.runs // 20:
        sys.exit("too many")


if __name__ == "__main__":
    main()
