"""Was a training stable? Findings from its curves, by arithmetic alone: nothing here knows a store or a server."""
