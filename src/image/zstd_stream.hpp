// Compression on the wire. `podman load` unpacks zstd by itself, so the machine needs no program for it.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace ov {

class ZstdStream {
public:
    ZstdStream();
    /// Appends what is ready to `out`.
    void push(std::string_view bytes, std::string& out);
    void finish(std::string& out);
    /// Harder (level 1, for a wire that is slower than this processor) or nearly not at all, from the next frame on.
    void set_fast_wire(bool fast);

private:
    struct Free {
        void operator()(void* context) const noexcept;
    };
    void run(std::string_view bytes, int directive, std::string& out);
    std::unique_ptr<void, Free> context_;
    bool fast_ = false, wanted_fast_ = false;
    std::size_t in_frame_ = 0;
};

}  // namespace ov
