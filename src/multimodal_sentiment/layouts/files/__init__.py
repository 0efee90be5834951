"""Files of users: bounded, only where they may lie, on a disk or at an address."""
