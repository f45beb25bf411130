"""Tasks in text: what they are, and those that come with the toolkit, a file for each kind."""
