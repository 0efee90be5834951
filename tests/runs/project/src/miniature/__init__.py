"""A project of five nodes, to see what happens around its runs."""
