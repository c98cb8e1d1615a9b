"""The command line `nova-judge`: one module a command."""
