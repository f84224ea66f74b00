"""MLflow 2.22 asks SQLAlchemy for a pool that its 2.1 no longer has, and never uses it: import this before MLflow."""

import sqlalchemy.pool

if not hasattr(sqlalchemy.pool, "FallbackAsyncAdaptedQueuePool"):
    sqlalchemy.pool.FallbackAsyncAdaptedQueuePool = sqlalchemy.pool.AsyncAdaptedQueuePool
