"""Django's PostgreSQL, with an eye on passwords that are refused."""
