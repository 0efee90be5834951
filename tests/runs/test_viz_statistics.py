"""What Kedro-Viz says of the size of datasets."""

from __future__ import annotations

import json

import pytest

from multimodal_sentiment.runs.viz_statistics import drop_sizes


def test_sizes_are_not_said_as_they_would_be_those_of_all_versions(tmp_path):
    (tmp_path / ".viz").mkdir()
    path = tmp_path / ".viz" / "stats.json"
    written = {"table": {"rows": 100, "columns": 1, "file_size": 4096}, "other": {"rows": 1}}
    path.write_text(json.dumps(written))

    drop_sizes(tmp_path)

    assert json.loads(path.read_text()) == {
        "table": {"rows": 100, "columns": 1},
        "other": {"rows": 1},
    }


def test_without_kedro_viz_nothing_is_written(tmp_path):
    drop_sizes(tmp_path)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", ["{", "[1]", '{"table": 3}', '{"table": [3]}'])
def test_a_file_of_another_form_stays_as_it_is(tmp_path, content):
    (tmp_path / ".viz").mkdir()
    path = tmp_path / ".viz" / "stats.json"
    path.write_text(content)

    drop_sizes(tmp_path)

    assert path.read_text() == content
