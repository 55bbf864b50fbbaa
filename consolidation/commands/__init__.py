"""What the command line can do, one file a command: each is a function for Python, too."""
