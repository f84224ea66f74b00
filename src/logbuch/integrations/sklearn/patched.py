"""Which methods of scikit-learn log, and when."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from sklearn.base import BaseEstimator

from logbuch.integrations import sessions
from logbuch.integrations.library import Library
from logbuch.integrations.quiet import quietly
from logbuch.integrations.run import training
from logbuch.integrations.sklearn import fitted, search
from logbuch.integrations.sklearn.scores import Given

_METHODS = ("fit", "fit_transform", "fit_predict")
_PREPARING = (
    "sklearn.preprocessing.",
    "sklearn.impute.",
    "sklearn.feature_extraction.",
    "sklearn.feature_selection.",
    "sklearn.compose.",
    "sklearn.random_projection",
    "sklearn.kernel_approximation",
)
"""Steps that prepare data. Their fit is no training; as steps of a pipeline they are among its params."""


def patch(library: Library, _module: str) -> None:
    """Makes every fit of an estimator of scikit-learn a run, also of those that are imported later."""

    def fit(original: Callable[..., Any], estimator: Any, *args: Any, **kwargs: Any) -> Any:
        if sessions.inside():
            return original(estimator, *args, **kwargs)
        options = library.options
        tags = fitted.tags(estimator) | dict(options.get("extra_tags") or {})
        with sessions.entered(), training(tags=tags) as run:
            with quietly("the estimator's params"):
                run.params(fitted.params(estimator, deep=not search.is_search(estimator)))
            result = original(estimator, *args, **kwargs)
            with quietly("the fitted estimator"):
                given = Given.of(args, kwargs)
                fitted.log(run, estimator, given, datasets=options.get("log_datasets", True))
                if search.is_search(estimator):
                    search.log(run, estimator, options.get("max_tuning_runs", 5))
                fitted.log_model(run, search.best(estimator), given, options)
            return result

    def of(cls: type) -> None:
        if cls.__module__.startswith("sklearn.") and not cls.__module__.startswith(_PREPARING):
            for name in _METHODS:
                library.patches.replace(cls, name, fit)

    def __init_subclass__(cls: type, /, **kwargs: Any) -> None:  # noqa: N807
        super(BaseEstimator, cls).__init_subclass__(**kwargs)
        if library.patches.live:
            with quietly(f"fits of {cls.__name__}"):
                of(cls)

    for cls in _below(BaseEstimator):
        of(cls)
    library.patches.add(BaseEstimator, "__init_subclass__", classmethod(__init_subclass__))


def _below(cls: type) -> Iterator[type]:
    children: list[type] = cls.__subclasses__()
    for child in children:
        yield child
        yield from _below(child)
