// Ids of a virtiofs share: the guest's user is the operator, all others are the operator's subordinate ids.
#include "ov/vm_defaults.hpp"
#include "ov/vm_runtime.hpp"

namespace ov::vm {

namespace {

constexpr Version first_with_idmap{10, 0, 0};

std::vector<IdMapRow> map_of(long long guest, long long host, const SubIdRange& range) {
    if (guest < 1 || guest >= range.count || range.start < 0) return {};
    std::vector<IdMapRow> rows{{0, range.start, guest}, {guest, host, 1}};
    rows.push_back({guest + 1, range.start + guest, range.count - guest});
    return rows;
}

}  // namespace

IdMap virtiofs_idmap(const HostFacts& facts, const VmRuntime& runtime) {
    const HostIds& ids = runtime.host_ids;
    if (facts.libvirt && facts.libvirt->version < first_with_idmap) return {};
    // Root's own session runs virtiofsd with real ids; a map would hide them.
    if (ids.uid == 0 || !ids.subuid || !ids.subgid) return {};
    IdMap map{map_of(runtime.guest_uid, ids.uid, *ids.subuid), map_of(runtime.guest_gid, ids.gid, *ids.subgid)};
    if (map.uid.empty() || map.gid.empty()) return {};
    return map;
}

bool takes_idmap(const Filesystem& share) noexcept {
    return share.driver == "virtiofs" && (share.accessmode.empty() || share.accessmode == "passthrough");
}

}  // namespace ov::vm
