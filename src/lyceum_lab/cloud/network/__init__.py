"""A VPC as network namespaces: what the API says of it carries, or drops, real packets.

namespaces.py   makes, enters and removes namespaces; what a crash left is found by name
filters.py      compiles network ACLs and security groups to nftables; pure
vpc.py          one router with a bridge per subnet, gateways, the internet, and whoever is attached
authority.py    a certificate authority of this rehearsal's own
names.py        the resolver: AWS's names, and those of the database and the file system
metadata.py     the metadata service (IMDSv2), which knows each host by its address
endpoints.py    AWS's endpoints: TLS in front of the emulator
"""
