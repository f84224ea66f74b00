"""What an agent may change where its user allows it: words about runs, never what they measured."""

from __future__ import annotations

from typing import Any

from logbuch.sdk import answers
from logbuch.sdk.client import LogbuchClient
from logbuch.sdk.values import NOTE_TAG

Answer = dict[str, Any]


def set_tag(run_id: str, key: str, value: str) -> Answer:
    """Set a tag of a run; a tag of this key is replaced."""
    client = LogbuchClient()
    client.get_run(run_id)
    client.set_tag(run_id, key, value, synchronous=True)
    return {"run_id": run_id, "tags": {key: client.get_run(run_id).data.tags.get(key)}}


def set_note(run_id: str, text: str) -> Answer:
    """Write the note of a run (Markdown), which its page shows; the note that stands there is replaced."""
    return set_tag(run_id, NOTE_TAG, text)


def rename_run(run_id: str, name: str) -> Answer:
    """Give a run another name."""
    client = LogbuchClient()
    client.update_run(run_id, name=name)
    return {"run_id": run_id, "name": client.get_run(run_id).info.run_name}


def set_baseline(experiment: str, run_id: str) -> Answer:
    """Pin the run of an experiment (its name or ID) that others are held against; an empty `run_id` takes it away."""
    return {"tags": dict(answers.judge_by(experiment, baseline=run_id))}


TOOLS = (set_tag, set_note, rename_run, set_baseline)
