"""The machine: devices and their precision, encoders compiled and folded, memory kept."""
