"""What the steps give, compared."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

STEPS = ["reading", "preparing", "encoding", "predicting"]
POSTS = 9
ODD = 4  # the post that workers may die of
MARK = b"odd"  # in its text


def assert_equal(given: Any, expected: Any) -> None:
    if isinstance(expected, pa.Table):
        assert given.column_names == expected.column_names
        for name in expected.column_names:
            if pa.types.is_fixed_size_list(expected[name].type):
                np.testing.assert_allclose(vectors(given, name), vectors(expected, name), atol=1e-5)
            else:
                assert given[name].equals(expected[name]), name
    elif isinstance(expected, pd.DataFrame):
        pd.testing.assert_frame_equal(given, expected, atol=1e-5)
    elif isinstance(expected, tuple):
        for one, other in zip(given, expected, strict=True):
            assert_equal(one, other)
    else:
        assert given == expected


def vectors(table: pa.Table, name: str) -> np.ndarray:
    return np.array(table[name].to_pylist(), dtype=np.float32)
