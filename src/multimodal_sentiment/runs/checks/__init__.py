"""Checks before the first node what a run would otherwise fail by later."""

from .run import check_run, folders_flag

__all__ = ["check_run", "folders_flag"]
