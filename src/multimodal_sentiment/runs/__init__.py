"""A run as a transaction: what it wrote appears whole, or not at all."""
