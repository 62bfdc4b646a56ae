"""The command line `dlt-local`: one module for each group of commands."""
