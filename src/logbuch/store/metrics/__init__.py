"""The metric engine: arrival log, blocks, latest values and buckets of every series."""
