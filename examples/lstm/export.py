"""Writes forward.onnx, an LSTM with seeded initial weights, as any PyTorch model is exported.

    OPENBLAS_NUM_THREADS=1 python3 examples/lstm/export.py

Made with PyTorch 1.13.1. Another text may have another vocabulary: `npm run touchstone -- data examples/lstm/task.json` tells its size.
"""

import pathlib

import torch
from torch import nn

VOCABULARY, CONTEXT, WIDTH, HIDDEN = 90, 24, 24, 96


class CharacterLstm(nn.Module):
    """The token after each position, from what the cell remembers there."""

    def __init__(self):
        super().__init__()
        self.token = nn.Embedding(VOCABULARY, WIDTH)
        self.lstm = nn.LSTM(WIDTH, HIDDEN, batch_first=True)
        self.head = nn.Linear(HIDDEN, VOCABULARY)

    def forward(self, tokens):
        states, _ = self.lstm(self.token(tokens))
        return self.head(states)


torch.manual_seed(2026)
torch.onnx.export(
    CharacterLstm(),
    torch.zeros(2, CONTEXT, dtype=torch.int64),
    str(pathlib.Path(__file__).parent / "forward.onnx"),
    opset_version=17,
    input_names=["tokens"],
    output_names=["logits"],
    # Else equal initial values become one initializer, and weights are stored transposed under other names.
    training=torch.onnx.TrainingMode.TRAINING,
    do_constant_folding=False,
    dynamic_axes={"tokens": {0: "batch"}, "logits": {0: "batch"}},
)
