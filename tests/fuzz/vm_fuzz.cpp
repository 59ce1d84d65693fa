#include <cstddef>
#include <cstdint>

#include "fuzz/targets.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    ov::fuzz::vm({reinterpret_cast<const char*>(data), size});
    return 0;
}
