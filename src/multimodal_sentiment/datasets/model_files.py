"""What the JSON files in a model's folder say, as datasets."""

from __future__ import annotations

from typing import Any, NoReturn

from kedro.io import DatasetError

from .model_folder import CONFIG, PROFILE, Loaded, ModelDataset, check_whole


class _ModelFileDataset(ModelDataset[NoReturn, Loaded]):
    """What one of the JSON files in a model's folder says; it is saved with the model."""

    def save(self, data: NoReturn) -> NoReturn:
        """Refuse: it is saved with the model.

        Raises:
            DatasetError: Always.
        """
        raise DatasetError(f"what lies in {self._filepath} is saved with its model")

    def _read(self, name: str) -> dict[str, Any]:
        """Read a file.

        Raises:
            DatasetError: If it is missing or no JSON object.
        """
        from multimodal_sentiment.model.validation import read_json

        folder, _ = self._locate()
        check_whole(folder)
        try:
            return read_json(folder / name)
        except ValueError as error:
            raise DatasetError(f"the model in {folder} cannot be read: {error}") from error


class ModelProfileDataset(_ModelFileDataset[dict[str, Any]]):
    """``ModelProfileDataset`` loads the encoding profile that lies in a model's folder.

    Example usage for the YAML API:

    ```yaml
    model_encoding_profile:
      type: multimodal_sentiment.datasets.ModelProfileDataset
      filepath: data/06_models/fusion_model
      versioned: true
    ```

    Example usage for the Python API:

    >>> sorted(ModelProfileDataset(filepath="data/06_models/fusion_model").load())
    ['expected', 'flagged', 'posts']
    """

    def load(self) -> dict[str, Any]:
        """Read the profile.

        Raises:
            DatasetError: If it is missing or no JSON object.
        """
        return self._read(PROFILE)


class ModelModalityDataset(_ModelFileDataset[str]):
    """``ModelModalityDataset`` loads what a model reads: `text`, `image` or `both`.

    Example usage for the YAML API:

    ```yaml
    model_modality:
      type: multimodal_sentiment.datasets.ModelModalityDataset
      filepath: data/06_models/fusion_model
      versioned: true
    ```

    Example usage for the Python API:

    >>> ModelModalityDataset(filepath="data/06_models/fusion_model").load()
    'both'
    """

    def load(self) -> str:
        """Read the modality.

        Raises:
            DatasetError: If the configuration is missing or no JSON object.
        """
        return str(self._read(CONFIG).get("modality", "both"))
