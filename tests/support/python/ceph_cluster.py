"""Runs Ceph with its S3 front: one monitor, one object store daemon on a file, one gateway.

Arguments: GATEWAY_PORT MONITOR_PORT ACCESS_KEY_ID SECRET. The working directory takes settings,
sockets and data. Started by `keep.py`; the Ceph programs are the system's own.
"""

import subprocess
import sys
import uuid
from pathlib import Path

from keep import start, watch

# Without `crc secure` the gateway cannot speak to a monitor that asks for no keys; without
# `tcp_nodelay` each small answer waits 40 ms.
SETTINGS = """
[global]
fsid = {fsid}
mon_host = v2:127.0.0.1:{monitor_port}
mon_initial_members = a
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
auth_cluster_required = none
auth_service_required = none
auth_client_required = none
ms_mon_client_mode = crc secure
ms_bind_msgr1 = false
log_file = {folder}/$name.log
admin_socket = {folder}/$name.asok
pid_file =
crash_dir = {folder}/crash
mon_data = {folder}/mon
mon_data_avail_crit = 1
osd_data = {folder}/osd
rgw_data = {folder}/rgw
osd_objectstore = bluestore
bluestore_block_size = 8589934592
osd_crush_chooseleaf_type = 0
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 2
osd_pool_default_pg_autoscale_mode = off
mon_max_pg_per_osd = 1000
rgw_frontends = beast endpoint=127.0.0.1:{gateway_port} tcp_nodelay=1
"""


def main(gateway_port, monitor_port, access_key_id, secret):
    folder = Path.cwd()
    settings = folder / "ceph.conf"
    fsid, disk = str(uuid.uuid4()), str(uuid.uuid4())
    text = SETTINGS.format(
        folder=folder, fsid=fsid, monitor_port=monitor_port, gateway_port=gateway_port
    )
    settings.write_text(text)
    for name in ("mon", "osd", "rgw", "crash"):
        (folder / name).mkdir()

    def ceph(program, *arguments):
        return [program, "--conf", settings, *arguments]

    def run(program, *arguments):
        command = ceph(program, *arguments)
        subprocess.run(
            [str(part) for part in command], check=True, stdin=subprocess.DEVNULL
        )

    address = f"[v2:127.0.0.1:{monitor_port}]"
    run("monmaptool", "--create", "--fsid", fsid, "--addv", "a", address, folder / "monmap")
    run("ceph-mon", "--id", "a", "--mkfs", "--monmap", folder / "monmap")
    monitor = start(ceph("ceph-mon", "--id", "a", "--foreground"))
    run("ceph", "--connect-timeout", "30", "osd", "new", disk)
    run("ceph-osd", "--id", "0", "--mkfs", "--osd-uuid", disk)
    store = start(ceph("ceph-osd", "--id", "0", "--foreground"))
    user = ["user", "create", "--uid=zipkeep", "--display-name=zipkeep"]
    run("radosgw-admin", *user, f"--access-key={access_key_id}", f"--secret-key={secret}")
    gateway = start(ceph("radosgw", "--name", "client.rgw", "--foreground"))
    watch([monitor, store, gateway])


if __name__ == "__main__":
    main(*sys.argv[1:])
