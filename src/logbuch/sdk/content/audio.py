"""Sound as the content of a file: samples become WAV (RIFF, 16-bit PCM), content of files stays as it is."""

from __future__ import annotations

import io
import sys
import wave
from array import array
from typing import Any

from logbuch.errors import InvalidInput

_BEGINNINGS = ((b"RIFF", ".wav"), (b"fLaC", ".flac"), (b"OggS", ".ogg"), (b"ID3", ".mp3"), (b"\xff\xfb", ".mp3"))
_CHANNELS = 8
_FULL = 32767


def encode(sound: Any, sample_rate: int | None) -> tuple[bytes, str]:
    """Content and suffix of a sound: bytes of a file, or samples with their ``sample_rate`` in Hz.

    Samples are (time,), (time, channels) or (channels, time) with at most 8 channels: floats from -1 to 1, what is
    beyond is cut off, or whole numbers of 16 bits.
    """
    if isinstance(sound, (bytes, bytearray, memoryview)):
        content = bytes(sound)
        for beginning, suffix in _BEGINNINGS:
            if content.startswith(beginning):
                return content, suffix
        raise InvalidInput("The bytes of a sound must be those of a WAV, FLAC, Ogg or MP3 file.")
    if not isinstance(sample_rate, int) or not 1 <= sample_rate <= 1_000_000:
        raise InvalidInput(f"Samples of a sound need a sample_rate from 1 to 1,000,000 Hz, not {sample_rate!r}.")
    frames, channels = _frames(sound)
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(sample_rate)
        file.writeframes(frames)
    return target.getvalue(), ".wav"


def _frames(sound: Any) -> tuple[bytes, int]:
    """16-bit samples, the channels of a moment beside each other, and how many channels there are."""
    if hasattr(sound, "detach"):
        sound = sound.detach().cpu()
        sound = sound.float() if sound.is_floating_point() else sound
    numpy: Any = sys.modules.get("numpy")
    if numpy is not None and hasattr(sound, "__array__"):
        return _of_array(numpy, numpy.asarray(sound))
    rows = [_listed(row) for row in _listed(sound)] if _is_nested(sound) else [[value] for value in _listed(sound)]
    if rows and len(rows) <= _CHANNELS < len(rows[0]):
        rows = [list(moment) for moment in zip(*rows, strict=True)]
    channels = len(rows[0]) if rows else 1
    if not 1 <= channels <= _CHANNELS or any(len(row) != channels for row in rows):
        raise InvalidInput(f"A sound must have 1 to {_CHANNELS} channels, the same at each moment.")
    samples = array("h", [_sample(value) for row in rows for value in row])
    if sys.byteorder == "big":
        samples.byteswap()
    return samples.tobytes(), channels


def _of_array(numpy: Any, sound: Any) -> tuple[bytes, int]:
    if sound.ndim == 1:
        sound = sound[:, None]
    if sound.ndim == 2 and sound.shape[0] <= _CHANNELS < sound.shape[1]:
        sound = sound.T
    if sound.ndim != 2 or not 1 <= sound.shape[1] <= _CHANNELS:
        raise InvalidInput(f"A sound must have the shape (time,) or (time, 1 to {_CHANNELS}), not {sound.shape}.")
    if numpy.issubdtype(sound.dtype, numpy.floating):
        sound = numpy.rint(numpy.clip(numpy.nan_to_num(sound), -1, 1) * _FULL)
    elif not numpy.issubdtype(sound.dtype, numpy.integer):
        raise InvalidInput(f"The samples of a sound must be numbers, not {sound.dtype}.")
    return numpy.clip(sound, -32768, 32767).astype("<i2").tobytes(), int(sound.shape[1])


def _is_nested(sound: Any) -> bool:
    return isinstance(sound, (list, tuple)) and bool(sound) and isinstance(sound[0], (list, tuple, array))


def _listed(sound: Any) -> list[Any]:
    if not isinstance(sound, (list, tuple, array)):
        raise InvalidInput(f"A sound must be samples, bytes or the path of a file, not a {type(sound).__name__}.")
    return list(sound)


def _sample(value: Any) -> int:
    if isinstance(value, int):
        return max(-32768, min(32767, value))
    if not isinstance(value, float):
        raise InvalidInput(f"The samples of a sound must be numbers, not {type(value).__name__}.")
    return round(max(-1.0, min(1.0, value)) * _FULL) if value == value else 0
