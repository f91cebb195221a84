"""`python -m tellapart` is the command line."""

from tellapart.cli.main import main

main()
