"""Writes training.json: the loss of a few pictures and its derivatives, by the packages that published the networks.

Tensors and pictures are filled as in make_zoo.py; dropout is off. `batch` says whether normalisations go by the batch.
Also prints five steps of two optimizers, which src/tuning/optimizer.rs has in its test.
"""

import json
from importlib.metadata import version
from pathlib import Path

import timm
import torch
import torchvision.models as tv
from make_zoo import filled, numbers

PICTURES = 3
CASES = {
    "resnet18": (tv.resnet18, 64, (False, True)),
    "googlenet": (lambda: tv.googlenet(init_weights=False, aux_logits=True), 64, (True,)),
    "mobilenet-v2": (tv.mobilenet_v2, 64, (True,)),
    "efficientnet-lite0": (lambda: timm.create_model("tf_efficientnet_lite0"), 64, (False, True)),
    "squeezenet1-1": (tv.squeezenet1_1, 64, (False,)),
    "vit-tiny": (lambda: timm.create_model("vit_tiny_patch16_224"), 224, (False,)),
}


def derivatives(name, make, side, batch):
    torch.manual_seed(0)
    model = filled(make())
    model.train(batch)
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    count = PICTURES * 3 * side * side
    pictures = torch.from_numpy((2.0 * numbers("pictures", count)).astype("float32").reshape(PICTURES, 3, side, side))
    classes = torch.tensor([7 * k + 3 for k in range(PICTURES)])
    out = model(pictures)
    entropy = torch.nn.functional.cross_entropy
    if name == "googlenet":
        loss = entropy(out.logits, classes) + 0.3 * entropy(out.aux_logits1, classes) + 0.3 * entropy(out.aux_logits2, classes)
    else:
        loss = entropy(out, classes)
    loss.backward()
    found = [(own, p.grad) for own, p in model.named_parameters() if p.grad is not None]
    step = max(1, len(found) // 12)
    some = {own: [float(g.double().norm()), float(g.flatten()[0])] for own, g in found[::step]}
    moved = {own: float(v.double().norm()) for own, v in model.named_buffers() if own.endswith(("running_mean", "running_var"))}
    moved = dict(list(moved.items())[-2:]) if batch else {}
    return {"network": name, "side": side, "batch": batch, "loss": float(loss), "derivatives": some, "statistics": moved}


def five_steps():
    for kind in ("SGD", "AdamW"):
        values = torch.tensor([1.0, -2.0, 0.5], requires_grad=True)
        if kind == "SGD":
            rule = torch.optim.SGD([values], lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01)
        else:
            rule = torch.optim.AdamW([values], lr=0.1, weight_decay=0.01)
        for step in range(5):
            values.grad = (values.detach() + step).clone()
            rule.step()
        print(kind, [float(f"{v:.7g}") for v in values.detach()])


def main():
    five_steps()
    cases = [derivatives(name, make, side, batch) for name, (make, side, modes) in CASES.items() for batch in modes]
    for case in cases:
        print(case["network"], case["batch"], case["loss"])
    made_by = "make_training.py with " + ", ".join(f"{own} {version(own)}" for own in ("torch", "torchvision", "timm"))
    text = json.dumps({"made_by": made_by, "pictures": PICTURES, "cases": cases}, indent=1)
    Path(__file__).with_name("training.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
