"""Writes safetensorsFile.json: a file by the reference implementation (pip install safetensors numpy; 0.8.0 was used), in hex.

    python3 test/vectors/safetensorsFile.py > test/vectors/safetensorsFile.json
"""

import json

import numpy
from safetensors.numpy import save

tensors = {
    "weight": numpy.array([[1, 2], [3, -0.5]], numpy.float32),
    "bias": numpy.array([1.5, -2, 0.25], numpy.float32),
    "step": numpy.array(-7, numpy.int32),
    "größe": numpy.zeros((0, 4), numpy.float32),
}
print(json.dumps({"file": save(tensors, {"format": "np"}).hex()}, indent=2))
