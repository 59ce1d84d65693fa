// Allocations of the current thread in its scope are not reported by LeakSanitizer: for known leaks in libraries, named where it is used.
#pragma once

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
#endif

namespace ov::test {

struct UpstreamLeak {
#if defined(__SANITIZE_ADDRESS__)
    UpstreamLeak() { __lsan_disable(); }
    ~UpstreamLeak() { __lsan_enable(); }
#else
    UpstreamLeak() {}
    ~UpstreamLeak() {}
#endif
    UpstreamLeak(const UpstreamLeak&) = delete;
    UpstreamLeak& operator=(const UpstreamLeak&) = delete;
};

}  // namespace ov::test
