"""Models as ONNX graphs, one file a concern; imports its framework only when a model of it is converted."""
