"""Small files of the kinds that runs log, each a real one that any program opens."""

from __future__ import annotations

import io
import json
import struct
import wave

from PIL import Image

SIDE = 16


def picture(shade: int, form: str = "png", side: int = SIDE) -> bytes:
    """A picture of one grey; ``form`` is one that Pillow writes, ``pdf`` among them."""
    file = io.BytesIO()
    Image.new("RGB", (side, side), (shade, shade, shade)).save(file, form)
    return file.getvalue()


def sound(seconds: float = 0.1) -> bytes:
    """Silence as WAV."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(1)
        out.setframerate(8000)
        out.writeframes(b"\x80" * int(8000 * seconds))
    return file.getvalue()


def safetensors(tensors: int = 20) -> bytes:
    """Layers of 32 halves each, which share their bytes (https://github.com/huggingface/safetensors#format)."""
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    header |= {f"layer.{n}.lora_A": {"dtype": "F16", "shape": [8, 4], "data_offsets": [0, 64]} for n in range(tensors)}
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + bytes(64)


# -- WebM (https://www.webmproject.org/docs/container/): EBML elements, each its id, its length and its content -----


def film(frames: int = 5, milliseconds: int = 40) -> bytes:
    """A film of grey frames, each a VP8 key frame: what a lossy WebP holds."""
    shown = [_key_frame(frame * 20) for frame in range(frames)]
    video = _element(0xE0, _element(0xB0, _number(SIDE)) + _element(0xBA, _number(SIDE)))
    track = _element(0xD7, _number(1)) + _element(0x73C5, _number(1)) + _element(0x83, _number(1))
    tracks = _element(0x1654AE6B, _element(0xAE, track + _element(0x86, b"V_VP8") + video))
    length = _element(0x4489, struct.pack(">d", float(frames * milliseconds)))
    info = _element(0x1549A966, _element(0x2AD7B1, _number(1_000_000)) + length)
    blocks = [
        _element(0xA3, b"\x81" + struct.pack(">hB", n * milliseconds, 0x80) + data) for n, data in enumerate(shown)
    ]
    cluster = _element(0x1F43B675, _element(0xE7, _number(0)) + b"".join(blocks))
    kind = _element(0x4282, b"webm") + _element(0x4287, _number(2)) + _element(0x4285, _number(2))
    return _element(0x1A45DFA3, kind) + _element(0x18538067, info + tracks + cluster)


def _key_frame(shade: int) -> bytes:
    webp = picture(shade, "webp")
    kind, size = struct.unpack_from("<4sI", webp, 12)
    assert kind == b"VP8 ", kind
    return webp[20 : 20 + size]


def _element(id_: int, content: bytes) -> bytes:
    return _number(id_) + struct.pack(">Q", len(content) | 1 << 56) + content


def _number(value: int) -> bytes:
    return value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big")
