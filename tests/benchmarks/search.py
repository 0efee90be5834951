"""Whether a search fools itself, and whether kills change what it finds.

    kedro run --pipeline=search --params raw=RAW,data=DATA
    python tests/benchmarks/search.py kills RAW DATA [--kills 3] [--longest 60] [--seed 0]
        [--params ...]
    python tests/benchmarks/search.py shuffled DATA [--runs 20] [--trials 8] [--posts 1000]
        [--env base] [--params ...]

`kills` searches again, is killed (SIGKILL) at random moments, at most so many seconds after the
first training of its own, and is started again each time. It must leave the trials of the search
before it, which was not disturbed, but for the seconds that they took.

`shuffled` searches on posts whose tags are drawn by lot, each equally often, so that no setting can
be better than another by accuracy. (Of unequal ones, always answering the commonest would be.) It
counts in how many runs the search's own best score shows a gain over the default, and in how many
the search reports a setting that is better: at most one of 20.
"""

from __future__ import annotations

import argparse
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from project import PROJECT, encoder_store, load_parameters, read_arrow, read_csv

from multimodal_sentiment.parameters import Parameters
from multimodal_sentiment.pipelines.searching.nodes import judge_search, train_best, try_settings
from multimodal_sentiment.posts.split import grouped_split


def start(raw: Path, data: Path, params: str) -> subprocess.Popen[bytes]:
    """Start a search in a process of its own."""
    given = f"raw={raw},data={data}" + (f",{params}" if params else "")
    command = [sys.executable, "-m", "kedro", "run", "--pipeline=searching", "--params", given]
    return subprocess.Popen(
        command, cwd=PROJECT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def trials_of(data: Path) -> pd.DataFrame:
    """What the last search has tried, without the seconds."""
    table = read_csv(data, "08_reporting/search_table.csv")
    return table.drop(columns="seconds").fillna("")


def kills(asked: argparse.Namespace) -> None:
    """Kill a search, and compare what it finds with the undisturbed one before it."""
    rng = random.Random(asked.seed)
    whole = trials_of(asked.data)
    kept = asked.data / "06_models" / "search"
    for number in range(asked.kills):
        process = start(asked.raw, asked.data, asked.params)
        before = len(list(kept.glob("*.npz")))
        while process.poll() is None and len(list(kept.glob("*.npz"))) <= before:
            time.sleep(0.05)  # its start takes long, and is killed in tests/benchmarks/soak.py
        time.sleep(rng.uniform(0, asked.longest))
        process.send_signal(signal.SIGKILL)
        process.wait()
        print(f"kill {number + 1}: {len(list(kept.glob('*.npz')))} trainings are kept", flush=True)
    began = time.monotonic()
    if start(asked.raw, asked.data, asked.params).wait():
        sys.exit("the search failed: look at the newest log in DATA/runs")
    if not whole.equals(trials_of(asked.data)):
        sys.exit("the trials differ")
    print(
        f"killed {asked.kills} times: the same {len(whole) - 1} trials, the last part in "
        f"{time.monotonic() - began:.0f} s"
    )


def shuffled(asked: argparse.Namespace) -> None:
    """Search where nothing is to be found."""
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


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    commands = parser.add_subparsers(required=True)
    killing = commands.add_parser("kills")
    killing.add_argument("raw", type=Path)
    killing.add_argument("data", type=Path)
    killing.add_argument("--kills", type=int, default=3)
    killing.add_argument("--longest", type=float, default=60, help="seconds")
    killing.add_argument("--seed", type=int, default=0)
    killing.add_argument("--params", default="")
    killing.set_defaults(run=kills)
    shuffling = commands.add_parser("shuffled")
    shuffling.add_argument("data", type=Path)
    shuffling.add_argument("--runs", type=int, default=20)
    shuffling.add_argument("--trials", type=int, default=8)
    shuffling.add_argument("--posts", type=int, default=1000)
    shuffling.add_argument("--env", default="base")
    shuffling.add_argument("--params", default="")
    shuffling.set_defaults(run=shuffled)
    asked = parser.parse_args()
    asked.run(asked)


if __name__ == "__main__":
    main()
