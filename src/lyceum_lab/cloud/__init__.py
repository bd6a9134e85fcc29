"""The cloud on one machine: what Terraform applied to the emulated AWS, made of what this kernel has.

network/    the VPC as network namespaces, its packet filters compiled from the applied ACLs and groups
servers/    the image of a server, and a machine booted from it
balancer/   haproxy in the place of the load balancer
group/      the Auto Scaling group that acts
standins/   what stands on a server in the place of programs that only Amazon has
"""
