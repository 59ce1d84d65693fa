// Stands in for the libvirt backend where the program is built without it.
#include "backend/libvirt_domains.hpp"
#include "backend/libvirt_machines.hpp"

namespace ov {

bool libvirt_is_built_in() noexcept {
    return false;
}

std::unique_ptr<MachineBackend> make_libvirt_machines(Runtime&, std::string uri) {
    throw Error(Errc::unsupported, uri + ": this ov was built without libvirt (Meson option -Dlibvirt=enabled)");
}

asio::awaitable<std::vector<DomainFacts>> read_domains(Runtime&, std::string uri, std::vector<std::string>, Deadline) {
    throw Error(Errc::unsupported, uri + ": this ov was built without libvirt (Meson option -Dlibvirt=enabled)");
    co_return std::vector<DomainFacts>{};
}

}  // namespace ov
