"""What people touch: the server, the pages and the command line."""

__version__ = "0.1.0"
