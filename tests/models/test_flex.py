from __future__ import annotations

import pytest
import torch

from tests.models.tiny import SENTENCES, padded, tiny_model

pytestmark = pytest.mark.skipif(
    not torch.cuda.is_available(),
    reason="flex attention has no backward pass on a CPU and is compiled for a GPU",
)


@pytest.mark.parametrize("attention", ["sdpa", "flex_attention"])
def test_a_gpu_gives_the_logits_and_gradients_of_the_cpu(attention: str) -> None:
    ids, mask = padded(SENTENCES, "right")
    labels = ids.masked_fill(mask == 0, -100)
    # Flex needs heads of 16 or wider.
    settings = {"hidden_size": 64, "attention_dropout": 0.0, "dropout": 0.0}
    slow = tiny_model("eager", **settings).train()
    fast = tiny_model(attention, **settings).train().cuda()
    expected = slow(ids, attention_mask=mask, labels=labels)
    seen = fast(ids.cuda(), attention_mask=mask.cuda(), labels=labels.cuda())
    kept = mask.bool()
    torch.testing.assert_close(seen.logits.cpu()[kept], expected.logits[kept], rtol=0.0, atol=1e-4)
    expected.loss.backward()
    seen.loss.backward()
    for (name, parameter), other in zip(slow.named_parameters(), fast.parameters(), strict=True):
        torch.testing.assert_close(other.grad.cpu(), parameter.grad, rtol=0.0, atol=1e-4, msg=name)
