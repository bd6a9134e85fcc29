# The cheapest that is still secure.
environment = "dev"
nat         = "one"
protected   = false

# The platform on a developer's own machine may use the bucket of development.
origins = ["http://127.0.0.1:*", "http://localhost:*"]

# No domain, so that only these reach it, over plain HTTP. They belong to nobody (RFC 5737): put your own in their place.
operator_cidrs = ["203.0.113.0/24"]
