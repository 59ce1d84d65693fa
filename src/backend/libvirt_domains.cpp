#include "backend/libvirt_domains.hpp"

#include <algorithm>

#include "backend/libvirt_handle.hpp"

namespace ov {

namespace {

DomainFacts facts_of(virDomainPtr domain) {
    char* text = virDomainGetXMLDesc(domain, VIR_DOMAIN_XML_INACTIVE);
    if (text == nullptr) throw libvirt_error("reading the definition");
    const std::string xml = text;
    free(text);
    DomainFacts facts = domain_facts(xml);
    facts.state = domain_state(domain);
    return facts;
}

std::vector<DomainFacts> read_all(const std::string& uri, const std::vector<std::string>& names) {
    const LibvirtConnection connection = open_libvirt(uri);
    std::vector<DomainFacts> all;
    for (const std::string& name : names) all.push_back(facts_of(need_domain(connection.get(), name).get()));
    if (!names.empty()) return all;
    virDomainPtr* domains = nullptr;
    const int count = virConnectListAllDomains(connection.get(), &domains, 0);
    if (count < 0) throw libvirt_error("listing domains");
    std::vector<LibvirtDomain> owned;
    for (int i = 0; i < count; ++i) owned.emplace_back(domains[i], [](virDomainPtr handle) { virDomainFree(handle); });
    free(domains);
    for (const LibvirtDomain& domain : owned) all.push_back(facts_of(domain.get()));
    std::sort(all.begin(), all.end(), [](const DomainFacts& a, const DomainFacts& b) { return a.name < b.name; });
    return all;
}

}  // namespace

asio::awaitable<std::vector<DomainFacts>> read_domains(Runtime& runtime, std::string uri, std::vector<std::string> names,
                                                       Deadline deadline) {
    auto read = [uri = std::move(uri), names = std::move(names)] { return read_all(uri, names); };
    std::vector<DomainFacts> all = co_await runtime.pool.run(deadline, std::move(read));
    co_return all;
}

}  // namespace ov
