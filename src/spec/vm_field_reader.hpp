// The visitor that fills the values of the VM schema from a YAML tree and reports what does not fit.
#pragma once

#include <vector>

#include "spec/cursor.hpp"
#include "spec/vm_fields.hpp"

namespace ov::spec {

class FieldReader final : public FieldVisitor {
public:
    /// `root` is the mapping that the described value stands for. `finish` reports its unknown keys.
    explicit FieldReader(const Cursor& root) { open_.emplace_back(root); }
    void finish() { open_.back().finish(); }
    MapReader& root() { return open_.front(); }

    void text(std::string_view key, std::string& value) override;
    void text_list(std::string_view key, std::vector<std::string>& value) override;
    void text_or_list(std::string_view key, std::vector<std::string>& value) override;
    void integer(std::string_view key, vm::Int& value) override;
    void boolean(std::string_view key, vm::Bool& value) override;
    void flag(std::string_view key, bool& value) override;
    void text_map(std::string_view key, vm::TextMap& value, Keys keys) override;
    void text_maps(std::string_view key, std::vector<vm::TextMap>& value) override;
    void listeners(std::string_view key, std::vector<vm::Listener>& value) override;
    void any(std::string_view key, YamlPtr& value) override;

private:
    bool enter(std::string_view key) override;
    void leave() override;
    std::size_t enter_list(std::string_view key) override;
    void enter_item(std::size_t index) override;
    void leave_list() override;

    std::vector<MapReader> open_;             ///< mappings from the root to the current one
    std::vector<std::vector<Cursor>> lists_;  ///< lists that are being read
};

}  // namespace ov::spec
