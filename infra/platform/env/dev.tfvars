# The cheapest that is still secure.
environment = "dev"
nat         = "one"
protected   = false
