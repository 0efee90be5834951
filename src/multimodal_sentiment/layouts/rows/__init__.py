"""Posts as rows of tables: where each stands, and its text and image."""
