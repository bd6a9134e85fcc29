# Two zones for everything, and data that refuses to be destroyed.
environment = "prod"
vpc_cidr    = "10.30.0.0/16"
nat         = "per_zone"
protected   = true

database = {
  instance_class = "db.t4g.micro"
  multi_az       = true
  storage_gib    = 20
}

# Nobody's (RFC 2606): put your own in its place.
domain = {
  name = "learn.lyceum.example"
  zone = "lyceum.example"
}
