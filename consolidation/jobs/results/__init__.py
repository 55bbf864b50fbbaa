"""What a finished run leaves for its users: manifest, tables, review list, report."""
