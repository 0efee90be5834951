"""A trained model for other people's tools: exported as ONNX, or sent to a hub."""
