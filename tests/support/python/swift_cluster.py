"""Runs OpenStack Swift with its S3 front: proxy, account, container and object server, one replica.

Arguments: PORT USER SECRET, where USER is "account:user" and becomes the access key id. The working
directory takes settings, rings and data. Started by `keep.py`, with the Python that has Swift.
"""

import os
import pwd
import sys
from pathlib import Path

from keep import start, watch
from swift.common.ring import RingBuilder

DEVICE = "disk"
PARTITION_POWER = 4

COMMON = """
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
user = {system_user}
swift_dir = {folder}
devices = {folder}/devices
mount_check = false
"""

STORAGE = """
[pipeline:main]
pipeline = {kind}-server

[app:{kind}-server]
use = egg:swift#{kind}
"""

PROXY = """
[pipeline:main]
pipeline = catch_errors proxy-logging s3api tempauth bulk slo proxy-logging proxy-server

[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true

[filter:s3api]
use = egg:swift#s3api
location = us-east-1

[filter:tempauth]
use = egg:swift#tempauth
user_{account}_{user} = {secret} .admin

[filter:catch_errors]
use = egg:swift#catch_errors

[filter:proxy-logging]
use = egg:swift#proxy_logging

[filter:bulk]
use = egg:swift#bulk

[filter:slo]
use = egg:swift#slo
"""


def make_ring(folder, kind, port):
    builder = RingBuilder(PARTITION_POWER, 1, 0)
    builder.add_dev(
        {"region": 1, "zone": 1, "weight": 1.0, "ip": "127.0.0.1", "port": port, "device": DEVICE}
    )
    builder.rebalance()
    builder.get_ring().save(str(folder / f"{kind}.ring.gz"))


def main(port, access_key_id, secret, *storage_ports):
    folder = Path.cwd()
    (folder / "devices" / DEVICE).mkdir(parents=True)
    (folder / "swift.conf").write_text("[swift-hash]\nswift_hash_path_suffix = zipkeep\n")
    account, user = access_key_id.split(":")
    about = {
        "folder": folder,
        "system_user": pwd.getpwuid(os.getuid()).pw_name,
        "account": account,
        "user": user,
        "secret": secret,
    }
    ports = dict(zip(("account", "container", "object"), map(int, storage_ports)))
    for kind, storage_port in ports.items():
        make_ring(folder, kind, storage_port)
        text = (COMMON + STORAGE).format(kind=kind, port=storage_port, **about)
        (folder / f"{kind}.conf").write_text(text)
    (folder / "proxy.conf").write_text((COMMON + PROXY).format(port=port, **about))
    programs = Path(sys.executable).parent
    watch(
        [
            start([programs / f"swift-{kind}-server", folder / f"{kind}.conf", "-v"])
            for kind in (*ports, "proxy")
        ]
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
