"""Every parameter, typed.

The values stand in `conf/`, and only there: no model here has a default. (A classifier that is
asked from Python has no project: `compute_to_predict` says what it computes with.) `Parameters` is
the whole tree; like each of its branches it refuses a key that it does not know.
"""

from .comparison import BASELINES, ComparisonParameters, SearchParameters
from .compute import (
    IN_THIS_PROCESS,
    ClusterParameters,
    ComputeParameters,
    compute_to_predict,
    count_processes,
    share_of_batch,
)
from .model import ImageParameters, ModelParameters, TextParameters
from .steps import (
    EncodersParameters,
    EvaluationParameters,
    ExplainingParameters,
    IngestionParameters,
    Label,
    MonitoringParameters,
    PreparationParameters,
    ReportingParameters,
    SplittingParameters,
    TwinsParameters,
)
from .training import LearningRates, TrainingParameters
from .tree import Parameters
from .variants import Variant, vary

__all__ = [
    "BASELINES",
    "IN_THIS_PROCESS",
    "ClusterParameters",
    "ComparisonParameters",
    "ComputeParameters",
    "EncodersParameters",
    "EvaluationParameters",
    "ExplainingParameters",
    "ImageParameters",
    "IngestionParameters",
    "Label",
    "LearningRates",
    "ModelParameters",
    "MonitoringParameters",
    "Parameters",
    "PreparationParameters",
    "ReportingParameters",
    "SearchParameters",
    "SplittingParameters",
    "TextParameters",
    "TrainingParameters",
    "TwinsParameters",
    "Variant",
    "compute_to_predict",
    "count_processes",
    "share_of_batch",
    "vary",
]
