"""Writes adapters.json: what residual adapters at a convolution make of a few numbers, in torch, in the form of inserted.json.

A convolution of three places a side with step 2, the adapter, a normalisation by running statistics, ReLU; all numbers are
drawn. Derivatives are those of half the sum of squares.
"""

import json
from importlib.metadata import version
from pathlib import Path

import torch
from torch import nn

CHANNELS, OUT, ROWS, COLUMNS, PICTURES = 4, 6, 5, 6, 2


def listed(tensor):
    return {"shape": list(tensor.shape), "values": [float(f"{v:.7g}") for v in tensor.detach().flatten().tolist()]}


def drawn(module):
    for own in module.parameters():
        nn.init.normal_(own, std=0.5)
    if isinstance(module, nn.BatchNorm2d):
        module.running_mean.normal_()
        module.running_var.uniform_(0.5, 2.0)
    return module.eval()


def case(tune, parts, frozen, out, given):
    (out.square().sum() / 2).backward()
    own, slopes = {}, {}
    for name, module in (parts | frozen).items():
        for kind, value in module.state_dict(keep_vars=True).items():
            if kind != "num_batches_tracked":
                own[f"{name}.{kind}"] = listed(value)
        if name in parts:
            slopes |= {f"{name}.{kind}": listed(value.grad)["values"] for kind, value in module.named_parameters()}
    return {"tune": tune, "given": listed(given), "tensors": own, "out": listed(out), "derivatives": slopes}


def main():
    torch.manual_seed(0)
    given = torch.randn(PICTURES, CHANNELS, ROWS, COLUMNS)
    cases = []
    for tune in ("adapters:series", "adapters:parallel"):
        kernel = drawn(nn.Conv2d(CHANNELS, OUT, 3, stride=2, padding=1, bias=False))
        after, within = drawn(nn.BatchNorm2d(OUT)), drawn(nn.BatchNorm2d(OUT))
        if tune == "adapters:series":
            bank = drawn(nn.Conv2d(OUT, OUT, 1, bias=False))
            seen = kernel(given)
            mixed = seen + bank(within(seen))
            parts = {"s.conv.adapter.norm": within}
        else:
            bank = drawn(nn.Conv2d(CHANNELS, OUT, 1, stride=2, bias=False))
            mixed, parts = kernel(given) + bank(given), {}
        out = torch.relu(after(mixed))
        parts |= {"s.conv.adapter.bank": bank, "s.norm": after}
        cases.append(case(tune, parts, {"s.conv": kernel}, out, given))
    lines = ",\n".join(json.dumps(own) for own in cases)
    made_by = json.dumps(f"make_adapters.py with torch {version('torch')}")
    Path(__file__).with_name("adapters.json").write_text(f'{{"made_by": {made_by}, "cases": [\n{lines}\n]}}\n')


if __name__ == "__main__":
    main()
