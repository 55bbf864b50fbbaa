"""A labeling job of one's own: templates, their frame, and the server of ``consolidate paint``."""
