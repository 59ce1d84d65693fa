// HostFacts as YAML, both ways (decisions 43).
#include <array>

#include "model/yaml_writer.hpp"
#include "ov/host_facts.hpp"
#include "spec/cursor.hpp"
#include "spec/yaml_document.hpp"

namespace ov {

namespace {

using spec::Cursor;
using spec::MapReader;

Version read_version(MapReader& reader) {
    const auto value = reader.take("version");
    if (!value || value->node().is_null()) return {};
    const auto version = parse_version(value->text());
    if (!version) value->expected("a version like 9.0.0");
    return version.value_or(Version{});
}

std::optional<SubIdRange> read_range(MapReader& reader, std::string_view key) {
    const auto value = reader.take(key);
    if (!value || value->node().is_null()) return std::nullopt;
    MapReader range(*value);
    SubIdRange ids;
    if (const auto start = range.take("start")) ids.start = start->integer().value_or(0);
    if (const auto count = range.take("count")) ids.count = count->integer().value_or(0);
    range.finish();
    if (ids.start < 1 || ids.count < 1) {
        value->error("a range of ids needs a start and a count of at least 1");
        return std::nullopt;
    }
    return ids;
}

LibvirtFacts read_libvirt(const Cursor& value) {
    LibvirtFacts libvirt;
    MapReader reader(value);
    libvirt.version = read_version(reader);
    libvirt.uri = reader.text("uri");
    libvirt.passt = reader.boolean("passt");
    libvirt.domain_types = reader.text_list("domain_types");
    libvirt.machines = reader.text_list("machines");
    if (const auto devices = reader.take("devices"))
        for (const auto& [device, values] : devices->entries()) libvirt.devices[device] = values.text_list();
    reader.finish();
    return libvirt;
}

FirmwareImage read_firmware(const Cursor& value) {
    FirmwareImage image;
    MapReader reader(value);
    image.code = reader.text("code");
    image.vars = reader.text("vars");
    if (const std::string format = reader.text("format"); !format.empty()) image.format = format;
    image.secure = reader.boolean("secure");
    image.enrolled = reader.boolean("enrolled");
    reader.finish();
    if (image.code.empty()) value.error("a firmware image needs code:, the path of its file");
    return image;
}

long long read_id(MapReader& reader, std::string_view key) {
    const auto value = reader.take(key);
    return value ? value->integer().value_or(0) : 0;
}

using Entries = std::vector<std::pair<std::string, YamlPtr>>;

YamlPtr range_yaml(const SubIdRange& range) {
    return yaml_map({{"start", yaml_integer(range.start)}, {"count", yaml_integer(range.count)}});
}

/// A version always reads as a text: "9.0" would be a number.
YamlPtr version_yaml(const Version& version) {
    return yaml_text(fmt::format("{}.{}.{}", version.major_number, version.minor_number, version.patch_number));
}

YamlPtr libvirt_yaml(const LibvirtFacts& libvirt) {
    Entries entries{{"version", version_yaml(libvirt.version)},
                    {"uri", yaml_text(libvirt.uri)},
                    {"passt", yaml_boolean(libvirt.passt)},
                    {"domain_types", yaml_list(libvirt.domain_types)},
                    {"machines", yaml_list(libvirt.machines)}};
    Entries devices;
    for (const auto& [device, values] : libvirt.devices) devices.emplace_back(device, yaml_list(values));
    if (!devices.empty()) entries.emplace_back("devices", yaml_map(std::move(devices)));
    return yaml_map(std::move(entries));
}

}  // namespace

HostFacts parse_host_facts(std::string_view text, const std::string& file, std::vector<Diagnostic>& findings) {
    HostFacts facts;
    spec::Report report{file, findings};
    const auto documents = spec::parse_yaml(text, file, findings);
    if (documents.size() != 1) {
        report.add(Severity::error, 1, 1, {}, "expected one document with the facts of a host");
        return facts;
    }
    MapReader reader(Cursor(documents.front(), {}, report));
    if (const std::string arch = reader.text("arch"); !arch.empty()) facts.arch = arch;
    facts.cpu_vendor = reader.text("cpu_vendor");
    facts.kvm = reader.boolean("kvm");
    if (const auto libvirt = reader.take("libvirt"); libvirt && !libvirt->node().is_null())
        facts.libvirt = read_libvirt(*libvirt);
    if (const auto qemu = reader.take("qemu"); qemu && !qemu->node().is_null()) {
        MapReader keys(*qemu);
        facts.qemu = QemuFacts{read_version(keys), keys.text_list("machines")};
        keys.finish();
    }
    if (const auto firmware = reader.take("firmware"))
        for (const Cursor& item : firmware->items()) facts.firmware.push_back(read_firmware(item));
    facts.uid = read_id(reader, "uid");
    facts.gid = read_id(reader, "gid");
    facts.subuid = read_range(reader, "subuid");
    facts.subgid = read_range(reader, "subgid");
    facts.virtiofsd = reader.text("virtiofsd");
    facts.swtpm = reader.text("swtpm");
    facts.passt = reader.text("passt");
    reader.finish();
    return facts;
}

std::string to_yaml(const HostFacts& facts) {
    Entries entries{
        {"arch", yaml_text(facts.arch)}, {"cpu_vendor", yaml_text(facts.cpu_vendor)}, {"kvm", yaml_boolean(facts.kvm)}};
    if (facts.libvirt) entries.emplace_back("libvirt", libvirt_yaml(*facts.libvirt));
    if (facts.qemu)
        entries.emplace_back(
            "qemu", yaml_map({{"version", version_yaml(facts.qemu->version)}, {"machines", yaml_list(facts.qemu->machines)}}));
    auto firmware = std::make_shared<YamlNode>();
    firmware->kind = YamlNode::Kind::sequence;
    for (const FirmwareImage& image : facts.firmware)
        firmware->items.push_back(yaml_map({{"code", yaml_text(image.code)},
                                            {"vars", yaml_text(image.vars)},
                                            {"format", yaml_text(image.format)},
                                            {"secure", yaml_boolean(image.secure)},
                                            {"enrolled", yaml_boolean(image.enrolled)}}));
    entries.emplace_back("firmware", std::move(firmware));
    entries.emplace_back("uid", yaml_integer(facts.uid));
    entries.emplace_back("gid", yaml_integer(facts.gid));
    if (facts.subuid) entries.emplace_back("subuid", range_yaml(*facts.subuid));
    if (facts.subgid) entries.emplace_back("subgid", range_yaml(*facts.subgid));
    entries.emplace_back("virtiofsd", yaml_text(facts.virtiofsd));
    entries.emplace_back("swtpm", yaml_text(facts.swtpm));
    entries.emplace_back("passt", yaml_text(facts.passt));
    return write_yaml(*yaml_map(std::move(entries)));
}

}  // namespace ov
