"""The datasets cost nothing until they are used."""

from __future__ import annotations

import subprocess
import sys

import pytest

from multimodal_sentiment import datasets


def test_naming_the_room_imports_no_heavy_library() -> None:
    program = (
        "import sys, multimodal_sentiment.datasets; "
        "print(sorted({'torch', 'pandas', 'pyarrow', 'transformers'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", program]
    assert subprocess.check_output(command, text=True).strip() == "[]"


@pytest.mark.parametrize("name", datasets.__all__)
def test_each_dataset_is_found_by_its_name(name: str) -> None:
    assert getattr(datasets, name).__name__ == name


def test_another_name_is_no_dataset() -> None:
    with pytest.raises(AttributeError, match="PostDataset"):
        _ = datasets.PostDataset
