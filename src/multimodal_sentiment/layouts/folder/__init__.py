"""Posts as files of one folder, and the listing beside it."""
