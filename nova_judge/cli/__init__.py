"""The command line `nova-judge`: one module per command."""
