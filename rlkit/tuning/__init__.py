"""Finding a configuration by trying many: what may be searched, and the search."""
