#include <cstddef>
#include <cstdint>

#include "fuzz/archive_target.hpp"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t most, unsigned seed) {
    const std::size_t now = LLVMFuzzerMutate(data, size, most);
    if (seed % 8 != 0) ov::fuzz::mend(data, now);
    return now;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    ov::fuzz::archive({reinterpret_cast<const char*>(data), size});
    return 0;
}
