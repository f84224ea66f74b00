"""The validation loss, and what it is derived to."""

from __future__ import annotations

import torch

from storyteller.config import Config
from storyteller.data.windows import Windows, dealt, in_order
from storyteller.devices import Device
from storyteller.metrics import auxiliary, bits_per_byte, perplexity
from storyteller.model import Storyteller
from storyteller.model.loss import IGNORED


@torch.no_grad()
def evaluate(model: Storyteller, windows: Windows, config: Config, device: Device) -> dict[str, float]:
    """``val/loss`` is the cross entropy a token in nats, without what keeps experts busy; that is ``val/moe_loss``.

    Of several processes each takes its share of the batches.
    """
    was_training = model.training
    model.eval()
    total = count = extra = batches = 0.0
    wanted = config.training.evaluation.batches
    for batch in dealt(in_order(windows, config.training.batch_size, wanted), device.rank, device.world):
        with device.autocast():
            loss, routings = model.losses(batch.tokens_bt.to(device.torch), batch.targets_bt.to(device.torch))
        balance, z = auxiliary(routings)
        targets = int((batch.targets_bt != IGNORED).sum())
        if not targets:
            continue
        total += float(loss)
        count += targets
        extra += config.model.moe_load_balance_weight * float(balance) + config.model.moe_z_loss_weight * float(z)
        batches += 1
    model.train(was_training)
    total, count, extra, batches = device.summed(total, count, extra, batches)
    loss_value = total / count
    found = {
        "val/loss": loss_value,
        "val/perplexity": perplexity(loss_value),
        "val/bits_per_byte": bits_per_byte(loss_value, windows.corpus.bytes_per_token),
    }
    return found | ({"val/moe_loss": extra / batches} if config.model.use_moe else {})
