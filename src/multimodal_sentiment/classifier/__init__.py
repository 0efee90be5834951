"""A trained model in Python, without a pipeline: any rows in, answers out."""
