"""Writes forward.onnx, a forecaster of two GRU layers with seeded initial weights.

    OPENBLAS_NUM_THREADS=1 python3 examples/gru/export.py

Made with PyTorch 1.13.1.
"""

import pathlib

import torch
from torch import nn

SEEN, AHEAD, HIDDEN = 24, 8, 32


class Forecaster(nn.Module):
    """The next AHEAD values of a series, from what two layers remember of the SEEN before."""

    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(1, HIDDEN, num_layers=2, batch_first=True)
        self.head = nn.Linear(HIDDEN, AHEAD)

    def forward(self, series):
        states, _ = self.gru(series[:, :, None])
        return self.head(states[:, -1])


torch.manual_seed(2026)
torch.onnx.export(
    Forecaster(),
    torch.zeros(2, SEEN),
    str(pathlib.Path(__file__).parent / "forward.onnx"),
    opset_version=17,
    input_names=["series"],
    output_names=["forecast"],
    # Else equal initial values become one initializer, and weights are stored transposed under other names.
    training=torch.onnx.TrainingMode.TRAINING,
    do_constant_folding=False,
    dynamic_axes={"series": {0: "batch"}, "forecast": {0: "batch"}},
)
