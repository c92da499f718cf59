# SPDX-License-Identifier: Apache-2.0
"""The layers of a SigLIP vision tower, rearranged for inference.

They compute the same function as the modules of `transformers`, with the same weights and in fewer
products. Nothing is approximated.
"""

from typing import Any

import torch
from torch.nn import functional


class Linear(torch.nn.Module):
    """`x @ weight.T + bias` in the format of its weights."""

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor, dtype: torch.dtype) -> None:
        super().__init__()
        self.weight = torch.nn.Buffer(weight.detach().to(dtype))
        self.bias = torch.nn.Buffer(bias.detach().to(dtype))

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Multiply rows [..., in] of any format into [..., out] of the weights' format."""
        return functional.linear(rows.to(self.weight.dtype), self.weight, self.bias)


class EncoderLayer(torch.nn.Module):
    """Attention and MLP of one layer; tokens travel in fp32, as under torch's autocast.

    The sum over the layers overflows in the fp16 of large towers; in fp32 it cannot.
    """

    def __init__(self, layer: Any, dtype: torch.dtype, *, fused_attention: bool) -> None:
        super().__init__()
        attention = layer.self_attn
        self.heads, self.head_width = attention.num_heads, attention.head_dim
        self.fused_attention = fused_attention
        self.norm1, self.norm2 = layer.layer_norm1, layer.layer_norm2
        self.activation = layer.mlp.activation_fn
        # One product for three, and the scale in its weights: rounded once instead of twice.
        query, key, value = attention.q_proj, attention.k_proj, attention.v_proj
        self.query_key_value = Linear(
            torch.cat([query.weight * attention.scale, key.weight, value.weight]),
            torch.cat([query.bias * attention.scale, key.bias, value.bias]),
            dtype,
        )
        self.out = Linear(attention.out_proj.weight, attention.out_proj.bias, dtype)
        self.widen = Linear(layer.mlp.fc1.weight, layer.mlp.fc1.bias, dtype)
        self.narrow = Linear(layer.mlp.fc2.weight, layer.mlp.fc2.bias, dtype)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Return tokens fp32 [N, T, D] after this layer."""
        tokens = tokens + self.out(self._attend(self.norm1(tokens))).float()
        widened: torch.Tensor = self.activation(self.widen(self.norm2(tokens)))
        narrowed: torch.Tensor = self.narrow(widened)
        return tokens + narrowed.float()

    def _attend(self, tokens: torch.Tensor) -> torch.Tensor:
        count, length, width = tokens.shape
        split = (count, length, 3, self.heads, self.head_width)
        query, key, value = self.query_key_value(tokens).view(split).permute(2, 0, 3, 1, 4).unbind()
        if self.fused_attention:
            # Its kernels keep scores and softmax in fp32. ONNX has an attribute
            # that demands it (`softmax_precision`), but TensorRT rejects a node that has it.
            mixed = functional.scaled_dot_product_attention(query, key, value, scale=1.0)
        else:
            scores = (query @ key.transpose(-1, -2)).float()
            mixed = torch.softmax(scores, dim=-1).to(value.dtype) @ value
        return mixed.transpose(1, 2).reshape(count, length, width)


class PoolingHead(torch.nn.Module):
    """The attention-pooling head in fp32, which costs next to nothing here.

    Its query is a constant, so the keys need not be computed: `q . (K x) = (K^T q) . x`. The values
    are mixed before they are projected, because the projection is linear. Both are exact. One
    product over all tokens remains instead of two, with one column a head.
    """

    def __init__(self, head: Any) -> None:
        super().__init__()
        attention = head.attention
        width, heads = attention.embed_dim, attention.num_heads
        head_width = width // heads
        weights = attention.in_proj_weight.detach().view(3, heads, head_width, width)
        biases = attention.in_proj_bias.detach().view(3, heads, head_width)
        query = torch.einsum("w,hdw->hd", head.probe.detach().view(width), weights[0]) + biases[0]
        # The keys' bias adds the same to every token of a head: the softmax does not see it.
        scores = torch.einsum("hd,hdw->wh", query * head_width**-0.5, weights[1])
        self.token_scores = torch.nn.Buffer(scores)
        self.value = torch.nn.Buffer(weights[2].transpose(1, 2).contiguous())
        self.value_bias = torch.nn.Buffer(biases[2].reshape(width))
        self.out, self.norm, self.mlp = attention.out_proj, head.layernorm, head.mlp

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Return the embedding fp32 [N, D], not normalised, of tokens fp32 [N, T, D]."""
        shares = torch.softmax((tokens @ self.token_scores).transpose(1, 2), dim=-1)
        by_head = (shares @ tokens).transpose(0, 1) @ self.value
        mixed = by_head.transpose(0, 1).flatten(1) + self.value_bias
        pooled: torch.Tensor = self.out(mixed)
        normed: torch.Tensor = self.mlp(self.norm(pooled))
        return pooled + normed
