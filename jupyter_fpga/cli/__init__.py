"""The command line: thin commands over the client, and ``serve``, which hosts the lab."""
