"""The whole tree of parameters."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError, model_validator

from .comparison import ComparisonParameters, SearchParameters
from .compute import ClusterParameters, ComputeParameters
from .kinds import Group
from .model import ModelParameters
from .steps import (
    ColumnsParameters,
    EncodersParameters,
    EvaluationParameters,
    ExplainingParameters,
    IngestionParameters,
    MonitoringParameters,
    PreparationParameters,
    ReportingParameters,
    SplittingParameters,
    TwinsParameters,
)
from .training import TrainingParameters
from .variants import check_parts, vary


class Parameters(Group):
    """All parameters of a run."""

    raw: str
    data: str
    model_folder: str | None
    columns: ColumnsParameters
    corrections: str | None
    ingestion: IngestionParameters
    preparation: PreparationParameters
    twins: TwinsParameters
    splitting: SplittingParameters
    model: ModelParameters
    training: TrainingParameters
    compute: ComputeParameters
    cluster: ClusterParameters
    encoders: EncodersParameters
    evaluation: EvaluationParameters
    reporting: ReportingParameters
    explaining: ExplainingParameters
    comparison: ComparisonParameters
    monitoring: MonitoringParameters
    search: SearchParameters

    @model_validator(mode="after")
    def _parts_fit(self) -> Parameters:
        check_parts(self.model, self.training)
        return self

    @model_validator(mode="after")
    def _variants_are_whole(self) -> Parameters:
        faults: list[Any] = []
        for name, changes in self.comparison.compared.items():
            try:
                vary(self.model, self.training, changes)
            except ValidationError as error:
                place = ("comparison", "variants", name)
                faults += [{**fault, "loc": place + fault["loc"]} for fault in error.errors()]
        if faults:
            raise ValidationError.from_exception_data("Parameters", faults)
        return self
