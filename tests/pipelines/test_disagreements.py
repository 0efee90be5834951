from __future__ import annotations

import pandas as pd

from multimodal_sentiment.pipelines.comparing.disagreements import (
    find_disagreements,
    mean_probabilities,
)


def test_posts_are_found_that_one_variant_is_right_about_and_the_other_wrong():
    rows = [
        ("both", "1", 0.9), ("text", "1", 0.1),  # the first helped, by 0.8
        ("both", "2", 0.6), ("text", "2", 0.4),  # and by 0.2
        ("both", "3", 0.8), ("text", "3", 0.7),  # both right
        ("both", "4", 0.3), ("text", "4", 0.9),  # it misled
        ("both", "5", 0.2), ("text", "5", 0.3),  # both wrong
        ("both", "6", 0.9), ("text", "6", 0.2),  # 0.3 and 0.1 under two seeds: helped, by 0.7
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["variant", "guid", "p_good"])
    seeds = table.iloc[[-1, -1]].assign(p_good=[0.3, 0.1])
    table = pd.concat([table.iloc[:-1], seeds])
    means = mean_probabilities(table.assign(p_bad=1 - table["p_good"]), ["good", "bad"])
    tags = pd.Series("good", ["1", "2", "3", "4", "5", "6", "7"])

    helped, misled = find_disagreements(means, tags, "both", "text", 2)

    assert helped == ["1", "6"]
    assert misled == ["4"]
