"""Writes step.onnx: a whole training step with its own gradients and its own optimizer, and checks the gradients against PyTorch's.

    OPENBLAS_NUM_THREADS=1 python3 examples/step/export.py

Made with PyTorch 1.13.1. The step is one that no setting of a task file describes: a classifier learns by the signs of its momentum alone,
and what is delivered is the running average of its weights ("mean teacher"). Parameters become initializers; an output NAME.next
replaces the initializer NAME after the step (docs/models.md, "A whole step").
"""

import pathlib

import torch
from torch import nn
from torch.nn import functional as F

PIXELS, HIDDEN, CLASSES, BATCH = 196, 48, 10, 32
KEPT, AVERAGED = 0.9, 0.98
SHAPES = {
    "fc1.weight": (HIDDEN, PIXELS),
    "fc1.bias": (HIDDEN,),
    "fc2.weight": (CLASSES, HIDDEN),
    "fc2.bias": (CLASSES,),
}


def forward(x, weight1, bias1, weight2, bias2):
    hidden = torch.tanh(x @ weight1.t() + bias1)
    return hidden, hidden @ weight2.t() + bias2


def gradients(x, target, weights):
    """Loss of softmax cross-entropy, and its gradients by hand."""
    hidden, logits = forward(x, *weights)
    shifted = logits - logits.max(dim=1, keepdim=True).values
    logarithms = shifted - shifted.exp().sum(dim=1, keepdim=True).log()
    wanted = (target == torch.arange(CLASSES)).float()
    loss = -(wanted * logarithms).sum() / BATCH
    to_logits = (logarithms.exp() - wanted) / BATCH
    to_hidden = (to_logits @ weights[2]) * (1 - hidden * hidden)
    return loss, (to_hidden.t() @ x, to_hidden.sum(dim=0), to_logits.t() @ hidden, to_logits.sum(dim=0))


class Step(nn.Module):
    def __init__(self):
        super().__init__()
        for name, shape in SHAPES.items():
            start = torch.empty(shape).uniform_(-1, 1) / shape[-1] ** 0.5 if len(shape) > 1 else torch.zeros(shape)
            for part, value in (("", start), ("momentum.", torch.zeros(shape)), ("average.", start.clone())):
                self.register_parameter((part + name).replace(".", "_"), nn.Parameter(value))

    def part(self, prefix):
        return [getattr(self, (prefix + name).replace(".", "_")) for name in SHAPES]

    def forward(self, x, target, rate):
        weights, momenta, averages = self.part(""), self.part("momentum."), self.part("average.")
        loss, found = gradients(x, target, weights)
        new_momenta = [KEPT * m + (1 - KEPT) * g for m, g in zip(momenta, found)]
        new_weights = [w - rate * m.sign() for w, m in zip(weights, new_momenta)]
        new_averages = [AVERAGED * a + (1 - AVERAGED) * w for a, w in zip(averages, new_weights)]
        return (loss, forward(x, *averages)[1], *new_weights, *new_momenta, *new_averages)


torch.manual_seed(2026)
step = Step()
x, target = torch.rand(BATCH, PIXELS), torch.randint(CLASSES, (BATCH, 1))
loss, found = gradients(x, target, step.part(""))
expected = F.cross_entropy(forward(x, *step.part(""))[1], target[:, 0])
assert torch.allclose(loss, expected)
for by_hand, by_autograd in zip(found, torch.autograd.grad(expected, step.part(""))):
    assert torch.allclose(by_hand, by_autograd, atol=1e-6)

names = [part + name for part in ("", "momentum.", "average.") for name in SHAPES]
torch.onnx.export(
    step,
    (x, target, torch.zeros(1)),
    str(pathlib.Path(__file__).parent / "step.onnx"),
    opset_version=17,
    input_names=["input", "target", "schedule.rate"],
    output_names=["loss", "output", *(f"{name.replace('.', '_')}.next" for name in names)],
    training=torch.onnx.TrainingMode.TRAINING,
    do_constant_folding=False,
)
