"""Writes inserted.json: what small parts in a network make of a few numbers, by the packages that have such parts.

Gates are those of timm, factors and thin matrices those of peft, a learnt key and value those of torch's own attention.
Our gates are twice a sigmoid, so theirs are doubled here. Derivatives are those of half the sum of squares.
"""

import json
from importlib.metadata import version
from pathlib import Path

import torch
from peft import IA3Config, LoraConfig, get_peft_model
from timm.layers import EcaModule, SEModule
from timm.layers.cbam import CbamModule
from torch.nn import functional

CHANNELS, ROWS, COLUMNS = 8, 3, 4
TOKENS, WIDTH, HEADS = 3, 4, 2
PICTURES = 2


def listed(tensor):
    flat = [float(f"{v:.7g}") for v in tensor.detach().flatten().tolist()]
    return {"shape": list(tensor.shape), "values": flat}


def case(tune, given, frozen, learnt, out):
    """`learnt` are parameters, or the parts of them that are learnt: a function and the parameters that it takes."""
    (out.square().sum() / 2).backward()
    parts = {name: own if isinstance(own, tuple) else (lambda value: value, own) for name, own in learnt.items()}
    tensors = frozen | {name: part(*own) for name, (part, *own) in parts.items()}
    slopes = {name: part(*(value.grad for value in own)) for name, (part, *own) in parts.items()}
    own = {name: listed(value) for name, value in tensors.items()}
    slopes = {name: listed(value)["values"] for name, value in slopes.items()}
    return {"tune": tune, "given": listed(given), "tensors": own, "out": listed(out), "derivatives": slopes}


def drawn(module):
    """All parameters by chance; normalisations that timm has beside the paper's convolution do nothing."""
    for own in module.parameters():
        torch.nn.init.normal_(own, std=0.5)
    for own in module.modules():
        if isinstance(own, torch.nn.BatchNorm2d):
            torch.nn.init.ones_(own.weight)
            torch.nn.init.zeros_(own.bias)
            own.eps = 0.0
    return module.eval()


def gates():
    given = torch.randn(PICTURES, CHANNELS, ROWS, COLUMNS)
    squeeze = drawn(SEModule(CHANNELS, rd_channels=4))
    parts = [squeeze.fc1.weight, squeeze.fc1.bias, squeeze.fc2.weight, squeeze.fc2.bias]
    names = [f"s.gate.{part}.{kind}" for part in ("squeeze", "excite") for kind in ("weight", "bias")]
    yield case("se", given, {}, dict(zip(names, parts)), 2 * squeeze(given))
    across = drawn(EcaModule(CHANNELS, gamma=2, beta=1))
    yield case("eca", given, {}, {"s.gate.across.weight": across.conv.weight}, 2 * across(given))
    both = drawn(CbamModule(CHANNELS, rd_channels=4))
    both.channel.fc1.bias = torch.nn.Parameter(torch.randn(4))
    both.channel.fc2.bias = torch.nn.Parameter(torch.randn(CHANNELS))
    parts = [both.channel.fc1.weight, both.channel.fc1.bias, both.channel.fc2.weight, both.channel.fc2.bias]
    named = dict(zip(names, parts)) | {"s.gate.places.weight": both.spatial.conv.conv.weight}
    yield case("cbam", given, {}, named, 2 * both.spatial(2 * both.channel(given)))


class Block(torch.nn.Module):
    """Attention and two linear layers, each with a way around."""

    def __init__(self):
        super().__init__()
        self.qkv = torch.nn.Linear(WIDTH, 3 * WIDTH)
        self.proj = torch.nn.Linear(WIDTH, WIDTH)
        self.fc1 = torch.nn.Linear(WIDTH, 4 * WIDTH)
        self.fc2 = torch.nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, x):
        heads = self.qkv(x).reshape(PICTURES, TOKENS, 3, HEADS, WIDTH // HEADS).permute(2, 0, 3, 1, 4)
        seen = functional.scaled_dot_product_attention(*heads)
        x = x + self.proj(seen.transpose(1, 2).reshape(PICTURES, TOKENS, WIDTH))
        return x + self.fc2(functional.gelu(self.fc1(x)))


def blocks():
    given = torch.randn(PICTURES, TOKENS, WIDTH)

    def named(block):
        layers = {"s.attn.qkv": block.qkv, "s.attn.proj": block.proj, "s.mlp.fc1": block.fc1, "s.mlp.fc2": block.fc2}
        of = lambda own: own.get_base_layer() if hasattr(own, "get_base_layer") else own
        both = ((name, kind, of(own)) for name, own in layers.items() for kind in ("weight", "bias"))
        return {f"{name}.{kind}": getattr(own, kind) for name, kind, own in both}

    block = drawn(Block())
    model = get_peft_model(block, IA3Config(target_modules=["qkv", "fc2"], feedforward_modules=["fc2"]))
    keys_and_values, inner = 1 + 0.3 * torch.randn(2 * WIDTH), 1 + 0.3 * torch.randn(4 * WIDTH)
    # peft has no name for keys and values in one matrix with queries, so the factors of queries are ones.
    block.qkv.ia3_l["default"].data[:, 0] = torch.cat([torch.ones(WIDTH), keys_and_values])
    block.fc2.ia3_l["default"].data[0] = inner
    learnt = {
        "s.attn.qkv.weight.factors": (lambda own: own[WIDTH:, 0], block.qkv.ia3_l["default"]),
        "s.mlp.fc2.weight.factors": (lambda own: own[0], block.fc2.ia3_l["default"]),
    }
    yield case("ia3", given, named(block), learnt, model(given))

    block = drawn(Block())
    layers = {"qkv": "attn.qkv", "proj": "attn.proj", "fc1": "mlp.fc1", "fc2": "mlp.fc2"}
    model = get_peft_model(block, LoraConfig(r=3, lora_alpha=3, target_modules=list(layers)))
    learnt = {}
    for own, name in layers.items():
        module = getattr(block, own)
        for part, thin in (("down", module.lora_A["default"]), ("up", module.lora_B["default"])):
            torch.nn.init.normal_(thin.weight, std=0.5)
            learnt[f"s.{name}.weight.{part}"] = thin.weight
    yield case("lora:3", given, named(block), learnt, model(given))

    block = drawn(Block())
    attention = drawn(torch.nn.MultiheadAttention(WIDTH, HEADS, add_bias_kv=True, batch_first=True))
    attention.in_proj_weight, attention.in_proj_bias = block.qkv.weight, block.qkv.bias
    attention.out_proj.weight, attention.out_proj.bias = block.proj.weight, block.proj.bias
    x = given + attention(given, given, given, need_weights=False)[0]
    out = x + block.fc2(functional.gelu(block.fc1(x)))
    # (key or value, 1, width); torch adds them after the projection, as a prefix is.
    learnt = {"s.prefix": (lambda *both: torch.cat(both), attention.bias_k, attention.bias_v)}
    yield case("prefix:1", given, named(block), learnt, out)


def main():
    torch.manual_seed(0)
    made_by = "make_inserted.py with " + ", ".join(f"{own} {version(own)}" for own in ("torch", "timm", "peft"))
    cases = [*gates(), *blocks()]
    lines = ",\n".join(json.dumps(own) for own in cases)
    text = f'{{"made_by": {json.dumps(made_by)}, "cases": [\n{lines}\n]}}\n'
    Path(__file__).with_name("inserted.json").write_text(text)


if __name__ == "__main__":
    main()
