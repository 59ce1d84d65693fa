// `instance.yml`: what is true for one machine on one host (`vm-spec.md` 12).
#include "ov/error.hpp"
#include "ov/vm_validate.hpp"
#include "spec/vm_field_reader.hpp"
#include "spec/yaml_document.hpp"

namespace ov {

namespace {

using spec::Cursor;
using spec::MapReader;

/// The two lists that an override has; all else of the schema is known, and named as ignored.
struct OverrideReader {
    InstanceOverride& instance;

    void devices(const Cursor& value) {
        MapReader reader(value);
        if (const auto list = reader.take("hostdevs")) read(*list, instance.hostdevs);
        if (const auto list = reader.take("filesystems")) read(*list, instance.filesystems);
        ignore_rest(reader);
    }
    void libvirt(const Cursor& value) {
        MapReader reader(value);
        if (const auto found = reader.take("devices"); found && !found->node().is_null()) devices(*found);
        ignore_rest(reader);
    }
    static void ignore_rest(const MapReader& reader) {
        for (const auto& [entry, value] : reader.rest())
            value.report().add(
                Severity::warning, entry.line, entry.column, value.path(),
                "ignored: an override adds libvirt.devices.hostdevs and libvirt.devices.filesystems, nothing else");
    }
    template <class T>
    static void read(const Cursor& list, std::vector<T>& into) {
        for (const Cursor& item : list.items()) {
            spec::FieldReader reader(item);
            spec::describe(reader, into.emplace_back());
            reader.finish();
        }
    }
};

}  // namespace

InstanceOverride parse_instance_override(std::string_view text, const std::string& file, std::vector<Diagnostic>& findings) {
    InstanceOverride instance;
    instance.file = file;
    spec::Report report{file, findings};
    const auto documents = spec::parse_yaml(text, file, findings);
    if (documents.empty() || documents.front()->is_null()) return instance;
    if (documents.size() > 1)
        report.add(Severity::error, documents[1]->line, documents[1]->column, {}, "expected one document, this is the second");
    instance.places.add("", file, documents.front());
    MapReader reader(Cursor(documents.front(), {}, report));
    if (const auto disposable = reader.take("disposable")) instance.disposable = disposable->boolean();
    instance.lifecycle = reader.text("lifecycle");
    if (const auto libvirt = reader.take("libvirt"); libvirt && !libvirt->node().is_null())
        OverrideReader{instance}.libvirt(*libvirt);
    OverrideReader::ignore_rest(reader);
    return instance;
}

std::optional<InstanceOverride> load_instance_override(const std::string& path, std::vector<Diagnostic>& warnings) {
    std::string text;
    try {
        text = spec::read_text_file(path);
    } catch (const Error& e) {
        if (e.code() == Errc::not_found) return std::nullopt;
        throw;
    }
    std::vector<Diagnostic> findings;
    InstanceOverride instance = parse_instance_override(text, path, findings);
    std::vector<Diagnostic> errors;
    for (Diagnostic& finding : findings) (finding.severity == Severity::error ? errors : warnings).push_back(std::move(finding));
    if (!errors.empty()) throw SpecError(std::move(errors));
    return instance;
}

}  // namespace ov
