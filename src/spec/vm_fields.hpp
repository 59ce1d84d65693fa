// One description of the VM schema, walked by visitors: one reads a YAML tree into the values, one lists the keys. A key that
// is described is read, known to "did you mean" and listed; there is no second place to forget.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ov/vm_spec.hpp"

namespace ov::spec {

class FieldVisitor {
public:
    using Keys = std::initializer_list<std::string_view>;

    virtual ~FieldVisitor() = default;

    virtual void text(std::string_view key, std::string& value) = 0;
    virtual void text_list(std::string_view key, std::vector<std::string>& value) = 0;
    /// A single text counts as a list of one.
    virtual void text_or_list(std::string_view key, std::vector<std::string>& value) = 0;
    virtual void integer(std::string_view key, vm::Int& value) = 0;
    virtual void boolean(std::string_view key, vm::Bool& value) = 0;
    virtual void flag(std::string_view key, bool& value) = 0;
    /// `keys`: those that mean something; none: any key.
    virtual void text_map(std::string_view key, vm::TextMap& value, Keys keys) = 0;
    virtual void text_maps(std::string_view key, std::vector<vm::TextMap>& value) = 0;
    virtual void listeners(std::string_view key, std::vector<vm::Listener>& value) = 0;
    /// Kept as it is.
    virtual void any(std::string_view key, YamlPtr& value) = 0;

    /// A mapping. `describe(FieldVisitor&, T&)` is found beside the family it belongs to.
    template <class T>
    void block(std::string_view key, T& value) {
        if (!enter(key)) return;
        describe(*this, value);
        leave();
    }
    template <class T>
    void block(std::string_view key, std::optional<T>& value) {
        if (!enter(key)) return;
        describe(*this, value.emplace());
        leave();
    }
    /// A list of mappings.
    template <class T>
    void list(std::string_view key, std::vector<T>& value) {
        const std::size_t count = enter_list(key);
        for (std::size_t i = 0; i < count; ++i) {
            enter_item(i);
            describe(*this, value.emplace_back());
            leave();
        }
        leave_list();
    }

protected:
    /// False when there is nothing under `key`; else `leave` follows.
    virtual bool enter(std::string_view key) = 0;
    virtual void leave() = 0;
    virtual std::size_t enter_list(std::string_view key) = 0;
    virtual void enter_item(std::size_t index) = 0;
    virtual void leave_list() = 0;
};

void describe(FieldVisitor& v, vm::Source& source);
void describe(FieldVisitor& v, vm::Network& network);
void describe(FieldVisitor& v, vm::Ssh& ssh);
void describe(FieldVisitor& v, vm::Snapshot& snapshot);
void describe(FieldVisitor& v, vm::CloudInit& init);
void describe(FieldVisitor& v, vm::Hypervisor& libvirt);
void describe(FieldVisitor& v, vm::Features& features);
void describe(FieldVisitor& v, vm::Cpu& cpu);
void describe(FieldVisitor& v, vm::Clock& clock);
void describe(FieldVisitor& v, vm::MemoryBacking& backing);
void describe(FieldVisitor& v, vm::Memtune& tune);
void describe(FieldVisitor& v, vm::Numatune& tune);
void describe(FieldVisitor& v, vm::Cputune& tune);
void describe(FieldVisitor& v, vm::Devices& devices);
void describe(FieldVisitor& v, vm::Hostdev& device);
void describe(FieldVisitor& v, vm::Filesystem& share);
/// Every key below the entity.
void describe(FieldVisitor& v, VmSpec& spec);

}  // namespace ov::spec
