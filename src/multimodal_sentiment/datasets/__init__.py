"""Catalog datasets that no library has.

Each is imported when it is first asked for, so that reading the catalog does not load pandas,
pyarrow or torch.
"""

from importlib import import_module
from typing import Any

_MODULES = {
    "AnsweredTablesDataset": "answered_tables",
    "ArrowStreamDataset": "arrow_stream",
    "CorrectionsDataset": "corrections",
    "EarlierTableDataset": "earlier",
    "EncoderStoreDataset": "encoder_store",
    "ExplanationsDataset": "explanations",
    "FormerModelDataset": "earlier",
    "HtmlPageDataset": "pages",
    "MarkdownPageDataset": "pages",
    "ModelFolderDataset": "model_folder",
    "ModelModalityDataset": "model_files",
    "ModelProfileDataset": "model_files",
    "OptionalCSVDataset": "optional_csv",
    "PostFilesDataset": "post_source",
    "PostListingDataset": "post_source",
    "PostTablesDataset": "post_source",
    "ScratchFolderDataset": "scratch_folder",
}

__all__ = list(_MODULES)


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
