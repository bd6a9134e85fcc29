# The cheapest that is still secure. To be given: alarm_email, and operator_cidrs (or a domain).
environment      = "dev"
nat              = "one"
protected        = false
flow_log_traffic = "REJECT"

# The platform on a developer's own machine may use the bucket of development.
origins = ["http://127.0.0.1:*", "http://localhost:*"]
