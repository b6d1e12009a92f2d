"""The computing commands, one module a family; app/cli.py names them."""
