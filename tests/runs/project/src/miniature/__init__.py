"""A project of four nodes, to see what happens around its runs."""
