# The cheapest that is still secure.
environment = "dev"
nat         = "one"
protected   = false

# The platform on a developer's own machine may use the bucket of development.
origins = ["http://127.0.0.1:*", "http://localhost:*"]
