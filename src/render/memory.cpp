// Memory: backing, limits and placement.
#include "render/parts.hpp"
#include "render/words.hpp"
#include "render/xml.hpp"

namespace ov::render {

namespace {

void add_limit(pugi::xml_node memtune, const char* name, const std::string& text) {
    const SizeText size = size_in_kib(text, vm::SizeUnit::kib);
    if (size.number.empty()) return;
    set(add(memtune, name, size.number), "unit", size.unit);
}

void add_hugepages(pugi::xml_node backing, const vm::Hugepages& pages) {
    pugi::xml_node node = add(backing, "hugepages");
    const SizeText size = size_in_kib(pages.size, vm::SizeUnit::kib);
    if (size.number.empty()) return;
    pugi::xml_node page = add(node, "page");
    set(page, "size", size.number);
    set(page, "unit", size.unit);
    set(page, "nodeset", pages.nodeset);
}

void add_flag(pugi::xml_node parent, const char* name, vm::Bool flag) {
    if (flag.value_or(false)) add(parent, name);
}

void add_with(pugi::xml_node parent, const char* name, const char* attribute, const std::string& value) {
    if (!value.empty()) set(add(parent, name), attribute, value);
}

}  // namespace

void add_memtune(pugi::xml_node domain, const vm::Memtune& memtune) {
    if (memtune == vm::Memtune{}) return;
    pugi::xml_node node = add(domain, "memtune");
    add_limit(node, "hard_limit", memtune.hard_limit);
    add_limit(node, "soft_limit", memtune.soft_limit);
    add_limit(node, "min_guarantee", memtune.min_guarantee);
    add_limit(node, "swap_hard_limit", memtune.swap_hard_limit);
}

void add_memory_backing(pugi::xml_node domain, const vm::MemoryBacking& backing) {
    pugi::xml_node node = add(domain, "memoryBacking");
    if (backing.hugepages) add_hugepages(node, *backing.hugepages);
    add_flag(node, "nosharepages", backing.nosharepages);
    add_flag(node, "locked", backing.locked);
    add_with(node, "source", "type", backing.source);
    add_with(node, "access", "mode", backing.access);
    add_with(node, "allocation", "mode", backing.allocation);
    add_flag(node, "discard", backing.discard);
    if (is_blank(node)) domain.remove_child(node);
}

void add_numatune(pugi::xml_node domain, const vm::Numatune& numatune) {
    pugi::xml_node node = add(domain, "numatune");
    if (numatune.memory != vm::NumaMemory{}) {
        pugi::xml_node memory = add(node, "memory");
        set(memory, "mode", numatune.memory.mode);
        set(memory, "nodeset", numatune.memory.nodeset);
        set(memory, "placement", numatune.memory.placement);
    }
    for (const vm::NumaNode& cell : numatune.memnodes) {
        pugi::xml_node memnode = add(node, "memnode");
        set(memnode, "cellid", cell.cellid);
        set(memnode, "mode", cell.mode);
        set(memnode, "nodeset", cell.nodeset);
    }
    if (is_blank(node)) domain.remove_child(node);
}

}  // namespace ov::render
