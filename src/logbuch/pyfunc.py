"""Models of any library, under MLflow's name and place: ``logbuch.pyfunc.load_model(...)``, and own classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logbuch.integrations import lazy

if TYPE_CHECKING:
    from logbuch.models.carried.logbuch_model_pyfunc import PythonModel, PythonModelContext
    from logbuch.models.flavors.pyfunc import log_model, save_model
    from logbuch.models.loading import LoadedModel, load_model

__all__ = ["LoadedModel", "PythonModel", "PythonModelContext", "load_model", "log_model", "save_model"]
__getattr__ = lazy.names(
    __name__,
    {
        "LoadedModel": "logbuch.models.loading",
        "PythonModel": "logbuch.models.carried.logbuch_model_pyfunc",
        "PythonModelContext": "logbuch.models.carried.logbuch_model_pyfunc",
        "load_model": "logbuch.models.loading",
        "log_model": "logbuch.models.flavors.pyfunc",
        "save_model": "logbuch.models.flavors.pyfunc",
    },
)
