"""Pages about money: ``platform`` for the staff on the public host, ``company`` on a company's own."""
