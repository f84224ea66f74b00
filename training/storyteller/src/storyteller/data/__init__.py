"""From novels to tokens: where stories come from, how they are cleaned, read, encoded and dealt out."""
