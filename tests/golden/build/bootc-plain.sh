set -euo pipefail
truncate -s 10737418240 /out/disk.raw
LOOP=$(losetup --find --show /out/disk.raw)
trap 'losetup -d "$LOOP" 2>/dev/null || true' EXIT
bootc install to-disk \
  --filesystem 'ext4' \
  --target-no-signature-verification \
  "$LOOP"
sync
losetup -d "$LOOP"
trap - EXIT
qemu-img convert -O qcow2 /out/disk.raw /out/disk.qcow2
rm -f /out/disk.raw
chown --reference=/out /out/disk.qcow2
