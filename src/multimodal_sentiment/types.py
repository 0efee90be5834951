"""Names for what crosses nodes.

Kedro reads a node's annotations at run time to find its typed parameters. These names keep the
annotations resolvable without importing pandas, pyarrow, Plotly or torch, so that listing the
pipelines stays as fast as Kedro itself; type checkers see the real types.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pandas import DataFrame as Frame
    from plotly.graph_objects import Figure
    from pyarrow import RecordBatchReader as ExampleStream
    from pyarrow import Table as Examples

    from multimodal_sentiment.datasets.answered_tables import AnsweredTables
    from multimodal_sentiment.explaining import Explanation
    from multimodal_sentiment.layouts import PostFiles, Source
    from multimodal_sentiment.model import SentimentClassifier
else:
    AnsweredTables = ExampleStream = Examples = Explanation = Figure = Frame = PostFiles = Any
    SentimentClassifier = Source = Any

Json = dict[str, Any]

__all__ = [
    "AnsweredTables",
    "ExampleStream",
    "Examples",
    "Explanation",
    "Figure",
    "Frame",
    "Json",
    "PostFiles",
    "SentimentClassifier",
    "Source",
]
