"""A trained model outside of the pipelines: in Python, and in other people's tools."""
