#include "ov/vm_spec.hpp"

namespace ov {

std::string VmSpec::full_path(std::string_view path) const {
    std::string full = "vm." + name;
    if (!path.empty() && path.front() != '[') full += '.';
    return full.append(path);
}

Diagnostic VmSpec::finding(std::string_view path, std::string message, Severity severity) const {
    return {where(path), full_path(path), std::move(message), severity};
}

}  // namespace ov
