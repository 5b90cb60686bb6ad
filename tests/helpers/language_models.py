"""Small random weights of the two language models whose scores are recorded, and files of them."""

import json
import struct

import numpy as np

PIECES = ["[UNK]", "[CLS]", "[SEP]", "play", "##s", "a", "guitar", "."]
"""The vocabulary of the small BERT."""
CONFIG = {"n_heads": 4, "n_kv_heads": 2, "n_layers": 2, "rope_base": 100.0, "max_len": 16}
"""What describes the small decoder."""


def random_weights(shapes, seed):
    rng = np.random.default_rng(seed)
    return {name: (rng.normal(size=shape) / 3).astype(np.float32) for name, shape in shapes.items()}


def bert_weights(layers=1, width=24, hidden=30, positions=128, seed=2):
    """Weights by their names in BERT."""
    sizes = {"word": len(PIECES), "position": positions, "token_type": 2}
    shapes = {f"embeddings.{name}_embeddings.weight": (size, width) for name, size in sizes.items()}
    shapes |= {"embeddings.LayerNorm.weight": (width,), "embeddings.LayerNorm.bias": (width,)}
    dense = dict.fromkeys([f"attention.{name}" for name in ("self.query", "self.key", "self.value", "output.dense")])
    dense = dict.fromkeys(dense, (width, width))
    dense |= {"intermediate.dense": (hidden, width), "output.dense": (width, hidden)}
    for layer in range(layers):
        for name, shape in dense.items():
            shapes |= {f"encoder.layer.{layer}.{name}.weight": shape, f"encoder.layer.{layer}.{name}.bias": shape[:1]}
        for name in ("attention.output.LayerNorm", "output.LayerNorm"):
            norm = f"encoder.layer.{layer}.{name}"
            shapes |= {f"{norm}.weight": (width,), f"{norm}.bias": (width,)}
    return random_weights(shapes, seed)


def decoder_weights(seed=3):
    """Weights of the decoder that ``CONFIG`` describes, by their names in glassllm."""
    shapes = {"E": (8, 16)}
    for layer in range(CONFIG["n_layers"]):
        block = f"blocks.{layer}."
        shapes |= {f"{block}attn.W_Q": (16, 16), f"{block}attn.W_K": (16, 8), f"{block}attn.W_V": (16, 8)}
        shapes |= {f"{block}attn.W_O": (16, 16), f"{block}norm1.gamma": (16,), f"{block}norm2.gamma": (16,)}
        shapes |= {f"{block}ffn.W1": (16, 20), f"{block}ffn.W3": (16, 20), f"{block}ffn.W2": (20, 16)}
    return random_weights(shapes, seed)


DTYPES = {"float32": "F32", "float16": "F16", "int64": "I64"}


def write_safetensors(path, tensors, metadata=None):
    """A length, a JSON header of that length, and the numbers."""
    header, content = ({"__metadata__": metadata} if metadata else {}), b""
    for name, tensor in tensors.items():
        offsets = [len(content), len(content) + tensor.nbytes]
        header[name] = {"dtype": DTYPES[tensor.dtype.name], "shape": tensor.shape, "data_offsets": offsets}
        content += tensor.tobytes()
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + content)
