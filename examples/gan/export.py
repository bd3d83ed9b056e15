"""Writes generator.onnx and discriminator.onnx, two small networks with seeded initial weights.

    OPENBLAS_NUM_THREADS=1 python3 examples/gan/export.py

Made with PyTorch 1.13.1.
"""

import pathlib

import torch
from torch import nn

NOISE, HIDDEN, POINT = 8, 64, 2
FOLDER = pathlib.Path(__file__).parent


def network(inputs, outputs):
    return nn.Sequential(
        *(nn.Linear(inputs, HIDDEN), nn.LeakyReLU(0.2)),
        *(nn.Linear(HIDDEN, HIDDEN), nn.LeakyReLU(0.2)),
        nn.Linear(HIDDEN, outputs),
    )


def export(model, name, width, inputs, outputs):
    torch.onnx.export(
        model,
        torch.zeros(2, width),
        str(FOLDER / f"{name}.onnx"),
        opset_version=17,
        input_names=[inputs],
        output_names=[outputs],
        # Else equal initial values become one initializer, and weights are stored transposed under other names.
        training=torch.onnx.TrainingMode.TRAINING,
        do_constant_folding=False,
        dynamic_axes={inputs: {0: "batch"}, outputs: {0: "batch"}},
    )


torch.manual_seed(2026)
export(network(NOISE, POINT), "generator", NOISE, "noise", "point")
export(network(POINT, 1), "discriminator", POINT, "input", "logit")
