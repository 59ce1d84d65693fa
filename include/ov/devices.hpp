// `libvirt.devices` of a VM entity (`vm-spec.md` 9). Texts are as authored; an empty text is an absent key.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ov/vm/values.hpp"

namespace ov::vm {

struct Disk {
    std::string type, device;  ///< empty: file, disk
    TextMap source;            ///< file: file; block: dev; volume: pool, volume; network: protocol, name, host, port
    TextMap target;            ///< dev, bus
    TextMap driver;            ///< name, type, cache, io, discard, error_policy, iothread
    bool readonly = false;
    std::string serial, wwn;
    Int boot;  ///< boot order, from 1
    bool operator==(const Disk&) const = default;
};

/// One item of `interfaces[].port_forwards`: start is the host's port, to the guest's (absent or 0: the same).
struct InterfaceForward {
    std::string proto;  ///< empty: tcp
    Int start, to;
    bool operator==(const InterfaceForward&) const = default;
};

struct Interface {
    std::string type;  ///< empty: user
    TextMap source;    ///< bridge: bridge; network: network; direct: dev, mode
    std::string model, mac;
    Int mtu, boot;
    TextMap driver;  ///< name, queues, iommu, ats, packed, event_idx, txmode, ioeventfd, rx_queue_size, tx_queue_size
    std::vector<InterfaceForward> port_forwards;
    bool operator==(const Interface&) const = default;
};

struct Channel {
    std::string type;  ///< empty, virtio: unix with a managed socket; unix, spicevmc, pty
    std::string name, path, source;
    /// The authored socket path before templates; `source` wins.
    const std::string& socket() const noexcept { return source.empty() ? path : source; }
    bool operator==(const Channel&) const = default;
};

/// An item of `serial` or `parallel`.
struct CharacterDevice {
    std::string type;  ///< empty: pty; tcp, file, unix, dev
    TextMap source;    ///< path, mode, host, service
    TextMap target;    ///< type, port
    bool operator==(const CharacterDevice&) const = default;
};

struct Console {
    std::string type;
    TextMap target;  ///< type, port
    bool operator==(const Console&) const = default;
};

/// `listen` in its one internal form (`vm-spec.md` 9.1); type is never empty.
struct Listener {
    std::string type;  ///< address, network, socket
    std::string address, network, socket;
    bool operator==(const Listener&) const = default;
};

struct Graphics {
    std::string type;
    Int port;
    std::string autoport, passwd, passwd_file, keymap, gl;
    std::vector<Listener> listen;
    bool operator==(const Graphics&) const = default;
};

struct Video {
    std::string model;
    std::string vram, ram, vram64, vgamem;  ///< sizes, bare numbers are KiB; all but vram for qxl only
    Int heads;
    Bool accel3d, primary;
    bool operator==(const Video&) const = default;
};

struct Audio {
    std::string type;
    Int id;  ///< absent: numbered from 1
    bool operator==(const Audio&) const = default;
};

struct Sound {
    std::string model;
    bool operator==(const Sound&) const = default;
};

struct Input {
    std::string type, bus;
    bool operator==(const Input&) const = default;
};

struct UsbController {
    std::string model;
    Int port;  ///< number of ports
    bool operator==(const UsbController&) const = default;
};

struct Redirdev {
    std::string bus, type;  ///< empty: usb, spicevmc
    bool operator==(const Redirdev&) const = default;
};

struct Hostdev {
    std::string type, mode, managed;
    TextMap
        source;   ///< pci: domain, bus, slot, function; usb: vendor, product; mdev: uuid, model; scsi: adapter, bus, target, unit
    TextMap rom;  ///< bar, file, enabled
    TextMap driver;  ///< name, model, iommufd
    bool operator==(const Hostdev&) const = default;
};

struct Filesystem {
    std::string type, driver, accessmode;
    std::string source;  ///< host side
    std::string target;  ///< tag
    bool readonly = false;
    TextMap binary;  ///< path, xattr, cache, sandbox, thread_pool
    bool operator==(const Filesystem&) const = default;
};

struct RngRate {
    Int period, bytes;
    bool operator==(const RngRate&) const = default;
};

struct Rng {
    std::string model, backend;  ///< empty: virtio, /dev/urandom; backend "builtin" is QEMU's own
    RngRate rate;
    bool operator==(const Rng&) const = default;
};

struct Tpm {
    std::string model;  ///< empty: tpm-crb
    TextMap backend;    ///< type, version, path
    bool operator==(const Tpm&) const = default;
};

struct Watchdog {
    std::string model, action;
    bool operator==(const Watchdog&) const = default;
};

struct MemballoonStats {
    Int period;  ///< seconds
    bool operator==(const MemballoonStats&) const = default;
};

struct Memballoon {
    std::string model, autodeflate;
    MemballoonStats stats;
    bool operator==(const Memballoon&) const = default;
};

struct Shmem {
    std::string name, role;
    TextMap model;     ///< type
    std::string size;  ///< bare: MiB
    TextMap server;    ///< path
    bool operator==(const Shmem&) const = default;
};

struct Iommu {
    std::string model;
    TextMap driver;  ///< intremap, caching_mode, eim, iotlb, aw_bits
    bool operator==(const Iommu&) const = default;
};

struct Vsock {
    std::string model;
    TextMap cid;  ///< auto, address
    bool operator==(const Vsock&) const = default;
};

struct Panic {
    std::string model;
    TextMap address;  ///< type, iobase
    bool operator==(const Panic&) const = default;
};

struct Smartcard {
    std::string mode, type;
    bool operator==(const Smartcard&) const = default;
};

struct Hub {
    std::string type;
    bool operator==(const Hub&) const = default;
};

struct Devices {
    std::string emulator;
    std::vector<Disk> disks;
    std::vector<Interface> interfaces;
    std::vector<Channel> channels;
    std::vector<CharacterDevice> serial, parallel;
    std::vector<Console> console;
    std::vector<Graphics> graphics;
    std::vector<Video> video;
    std::vector<Audio> audio;
    std::vector<Sound> sound;
    std::vector<Input> inputs;
    std::vector<UsbController> usb;
    std::vector<Redirdev> redirdev;
    std::vector<Hostdev> hostdevs;
    std::vector<Filesystem> filesystems;
    std::vector<Rng> rng;
    std::vector<Tpm> tpm;
    std::vector<Watchdog> watchdog;
    std::optional<Memballoon> memballoon;
    std::vector<Shmem> shmem;
    std::optional<Iommu> iommu;
    std::optional<Vsock> vsock;
    std::vector<Panic> panic;
    std::vector<Smartcard> smartcard;
    std::vector<Hub> hub;
    bool operator==(const Devices&) const = default;
};

}  // namespace ov::vm
