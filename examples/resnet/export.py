"""Writes forward.onnx, a small ResNet with seeded initial weights, its batch normalisation in training mode.

    OPENBLAS_NUM_THREADS=1 python3 examples/resnet/export.py

Made with PyTorch 1.13.1.
"""

import pathlib

import torch
from torch import nn

SIDE, CLASSES = 14, 10


class Block(nn.Module):
    """The basic block of ResNet; the shortcut is a convolution where the shape changes."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.shortcut = nn.Sequential()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        y = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
        return torch.relu(y + self.shortcut(x))


class ResNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 8, 3, 1, 1, bias=False)
        self.bn = nn.BatchNorm2d(8)
        self.blocks = nn.Sequential(Block(8, 8, 1), Block(8, 16, 2), Block(16, 24, 2))
        self.head = nn.Linear(24, CLASSES)

    def forward(self, x):
        x = self.blocks(torch.relu(self.bn(self.conv(x))))
        return self.head(x.mean(dim=(2, 3)))


torch.manual_seed(2026)
torch.onnx.export(
    ResNet().train(),
    torch.zeros(2, 1, SIDE, SIDE),
    str(pathlib.Path(__file__).parent / "forward.onnx"),
    opset_version=17,
    input_names=["input"],
    output_names=["logits"],
    # Batch statistics in the step; without folding, equal initial values stay initializers of their own.
    training=torch.onnx.TrainingMode.TRAINING,
    do_constant_folding=False,
    dynamic_axes={"input": {0: "batch"}, "logits": {0: "batch"}},
)
