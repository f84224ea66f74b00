"""The workloads: what each server is put to, and the checks of what it answers."""
