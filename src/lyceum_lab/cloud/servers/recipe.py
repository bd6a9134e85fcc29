"""What the Debian root holds: packages, and the files that make it behave as Amazon's image does.

Amazon Linux 2023 cannot be had as a root to boot. Debian 12 has systemd and cloud-init as well; what it lacks stands in
`src/lyceum_lab/cloud/standins` and is copied at boot, so that a change there needs no new root.
"""

from __future__ import annotations

import hashlib
import json

SUITE = "bookworm"
BASE = ("systemd", "systemd-sysv", "dbus", "ca-certificates", "apt")
PACKAGES = (
    "awscli", "cloud-init", "curl", "fuse3", "iproute2", "less", "locales", "logrotate", "netbase", "openssl", "procps",
    "python3-boto3", "python3-venv", "python3.11-venv", "sshfs",
)  # fmt: skip
STANDINS = "/usr/local/lib/lyceum-standins"
# Where the lab leaves what only it knows, as the memory of a container.
FROM_THE_LAB = "/var/lib/lyceum-lab"
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
# Nothing is downloaded, typed or updated at the console of a server of the lab.
MASKED = (
    "apt-daily.timer", "apt-daily-upgrade.timer", "console-getty.service", "getty@.service", "getty-static.service",
    "systemd-timesyncd.service", "systemd-udevd.service", "dpkg-db-backup.timer", "e2scrub_all.timer", "fstrim.timer",
    "cloud-init-hotplugd.socket", "systemd-resolved.service", "systemd-networkd.service",
    "systemd-networkd-wait-online.service",
)  # fmt: skip

FILES = {
    # Only what an Amazon image would do with our user data: no package, no key, no disk.
    "/etc/cloud/cloud.cfg.d/99-lyceum.cfg": """
datasource_list: [Ec2]
datasource:
  Ec2:
    strict_id: false
    metadata_urls: ["http://169.254.169.254"]
    max_wait: 30
    timeout: 5
network: {config: disabled}
users: []
preserve_hostname: true
cloud_init_modules: [seed_random, write-files]
cloud_config_modules: [runcmd]
cloud_final_modules: [scripts-per-instance, scripts-user, final-message]
output: {all: "| tee -a /var/log/cloud-init-output.log"}
""",
    "/etc/cloud/ds-identify.cfg": "policy: enabled\n",
    # botocore brings its own list of authorities; the lab's authority is in the system's.
    "/etc/systemd/system.conf.d/10-lyceum-lab.conf": f"""
[Manager]
DefaultEnvironment=AWS_CA_BUNDLE={BUNDLE}
""",
    "/etc/environment": f"AWS_CA_BUNDLE={BUNDLE}\n",
    "/etc/systemd/system/amazon-cloudwatch-agent.service": f"""
[Unit]
Description=A stand-in for Amazon CloudWatch Agent
After=network.target
ConditionPathExists={STANDINS}/cloudwatch_agent.py

[Service]
Environment=LYCEUM_STANDIN_MEMORY_FILE={FROM_THE_LAB}/memory
EnvironmentFile=-{FROM_THE_LAB}/agent.env
ExecStart=/usr/bin/python3 {STANDINS}/cloudwatch_agent.py
Restart=on-failure
RestartSec=10

[Install]
WantedBy=multi-user.target
""",
    "/etc/fuse.conf": "user_allow_other\n",
    "/etc/systemd/journald.conf.d/10-lyceum-lab.conf": "[Journal]\nStorage=persistent\n",
}

# file of the root → what is put at its end.
APPENDED = {
    # cloud-init tells EC2 by its firmware, which a container cannot show, and speaks IMDSv2 to EC2 alone. Its address
    # comes from the lab instead of DHCP.
    "/usr/lib/python3/dist-packages/cloudinit/sources/DataSourceEc2.py": """

identify_platform = lambda: CloudNames.AWS
DataSourceEc2Local.get_data = lambda self: False
""",
}


def fingerprint() -> str:
    """Short name of this recipe: another one is another root."""
    text = json.dumps([SUITE, BASE, PACKAGES, MASKED, FILES, APPENDED], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
