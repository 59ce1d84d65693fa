set -euo pipefail
mkdir -p /out
RAW=/out/disk.raw
truncate -s 4294967296 "$RAW"
LOOP=$(losetup --find --show --partscan "$RAW")
trap '
  umount /mnt/boot/efi 2>/dev/null || true
  umount /mnt 2>/dev/null || true
  losetup -d "$LOOP" 2>/dev/null || true
' EXIT
parted -s "$LOOP" \
  mklabel gpt \
  mkpart ESP fat32 1MiB 512MiB \
  set 1 esp on \
  mkpart root btrfs 512MiB 100%
partprobe "$LOOP" || true
mkfs.fat -F32 "${LOOP}p1"
mkfs.btrfs -f "${LOOP}p2"
mkdir -p /mnt
mount "${LOOP}p2" /mnt
mkdir -p /mnt/boot/efi
mount "${LOOP}p1" /mnt/boot/efi
# >>> install rootfs <<<
tar -C /mnt --xattrs --xattrs-include='*' --acls -xzf /in/rootfs.tar.gz
echo body
# <<< install rootfs >>>
sync
umount /mnt/boot/efi
umount /mnt
losetup -d "$LOOP"
trap - EXIT
qemu-img convert -O qcow2 "$RAW" /out/disk.qcow2
rm -f "$RAW"
chown --reference=/out /out/disk.qcow2
