# Two zones for everything, and data that refuses to be destroyed. To be given: alarm_email and domain.
environment = "prod"
vpc_cidr    = "10.30.0.0/16"
nat         = "per_zone"
protected   = true

database = {
  instance_class = "db.t4g.micro"
  multi_az       = true
  storage_gib    = 20
}
