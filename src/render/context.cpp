#include "render/context.hpp"

namespace ov::render {

Context::Context(const VmSpec& spec_, const HostFacts& facts_, const VmRuntime& runtime_)
    : spec(spec_),
      facts(facts_),
      runtime(runtime_),
      accelerator(vm::accelerator_of(facts_, runtime_)),
      arch(runtime_.arch.empty() ? facts_.arch : runtime_.arch),
      vendor(runtime_.cpu_vendor.empty() ? facts_.cpu_vendor : runtime_.cpu_vendor),
      machine(vm::machine_of(spec_, arch)) {}

}  // namespace ov::render
