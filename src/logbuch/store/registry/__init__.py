"""The model registry: named models, their versions, stages and aliases, and the trail of what was changed."""
