"""``python -m logbuch``."""

from logbuch.cli.main import main

main()
