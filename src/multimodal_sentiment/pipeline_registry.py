"""What `kedro run --pipeline=NAME` can run."""

from __future__ import annotations

from kedro.pipeline import Pipeline

from multimodal_sentiment.pipelines import (
    comparing,
    encoders,
    encoding,
    evaluation,
    fitting,
    ingestion,
    monitoring,
    prediction,
    preparation,
    reporting,
    searching,
    splitting,
)

_RECORDS = (
    "plot_",
    "judge_succession",
    "record_files",
    "report_ingestion",
    "write_model_card",
    "tabulate_",
)


def register_pipelines() -> dict[str, Pipeline]:
    """Return the journeys, and the steps they are made of.

    Each pipeline is built here rather than found by `find_pipelines`, which builds only what the
    command line asks for and so cannot compose.
    """
    steps = {
        "ingestion": ingestion.create_pipeline("labelled"),
        "preparation": preparation.create_pipeline("labelled"),
        "splitting": splitting.create_pipeline(),
        "encoding": encoding.create_pipeline(),
        "fitting": fitting.create_pipeline(),
        "evaluation": evaluation.create_pipeline(),
        "reporting": reporting.create_pipeline(),
        "prediction": prediction.create_pipeline(),
        "monitoring": monitoring.create_pipeline(),
        "comparing": comparing.create_pipeline(),
        "searching": searching.create_pipeline(),
    }
    reading = steps["ingestion"] + steps["preparation"] + steps["splitting"]
    answering = (
        preparation.create_pipeline("unlabelled") + steps["prediction"] + steps["monitoring"]
    )
    learning = reading + steps["encoding"] + steps["fitting"] + steps["evaluation"]
    journeys = {
        "reading": reading,
        "training": learning + steps["reporting"],
        "comparison": reading + encoding.create_pipeline("comparison") + steps["comparing"],
        "search": reading + encoding.create_pipeline("search") + steps["searching"],
        "inference": ingestion.create_pipeline(
            "unlabelled", "model_encoding_profile", "model_modality"
        )
        + answering,
    }
    # What was just learnt of the encodings is what travels with the model.
    read_as_learnt = ingestion.create_pipeline("unlabelled")
    registered = {
        "__default__": learning
        + reporting.create_pipeline(with_test=True)
        + read_as_learnt
        + answering,
        **journeys,
        **steps,
        "encoders": encoders.create_pipeline(),
    }
    return {name: _tagged(pipeline) for name, pipeline in registered.items()}


def _tagged(pipeline: Pipeline) -> Pipeline:
    """Tag nodes as the journey or as records of it: Kedro-Viz can show either alone."""
    return Pipeline(
        [
            node.tag(
                "records" if node.short_name.split(".")[-1].startswith(_RECORDS) else "journey"
            )
            for node in pipeline.nodes
        ]
    )
