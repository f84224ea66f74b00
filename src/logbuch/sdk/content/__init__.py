"""Values beyond scalars as the content of files."""
