"""How a served model answers. This file goes into the model beside the package."""

from __future__ import annotations

from typing import Any

import logbuch


class StoryModel(logbuch.pyfunc.PythonModel):
    """Texts in, as many texts out."""

    def load_context(self, context: Any) -> None:
        from storyteller import weights

        self.loaded = weights.load(context.artifacts["storyteller"])

    def predict(  # type: ignore[override]
        self, model_input: Any, params: dict[str, Any] | None = None
    ) -> list[str]:
        from storyteller.generation import Sampling, generate

        rows = model_input.iloc[:, 0].tolist() if hasattr(model_input, "iloc") else list(model_input)
        sampling = Sampling(**(params or {}))
        return [generate(self.loaded.model, self.loaded.tokenizer, str(row), sampling) for row in rows]
