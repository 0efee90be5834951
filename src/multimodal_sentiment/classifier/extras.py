"""The packages of an extra, looked for before anything slow begins."""

from __future__ import annotations

from importlib import import_module

from .errors import ClassifierError

EXPORT = ("onnx", "onnxruntime", "onnxscript")
SERVE = ("fastapi", "prometheus_client", "python_multipart", "uvicorn")


def check_packages(doing: str, extra: str, names: tuple[str, ...]) -> None:
    """Refuse what needs the packages of an extra if one of them is not there.

    Args:
        doing: What needs them, as in "exporting".
        extra: The name of the extra.
        names: The packages, as they are imported.

    Raises:
        ClassifierError: If one cannot be imported.
    """
    try:
        for name in names:
            import_module(name)
    except ImportError as error:
        raise ClassifierError(
            f'{doing} needs {error.name}: pip install "multimodal-sentiment[{extra}]"'
        ) from error
