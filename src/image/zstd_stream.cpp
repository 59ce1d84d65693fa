#include "image/zstd_stream.hpp"

#include <fmt/format.h>
#include <zstd.h>

#include "ov/error.hpp"

namespace ov {

namespace {

constexpr std::size_t frame_size = 4U << 20U;
/// Level -50 passes more than 2 GB/s and still folds runs of zeros.
constexpr int level_of_slow_wire = 1, level_of_fast_wire = -50;

ZSTD_CCtx* context_in(const auto& owner) {
    return static_cast<ZSTD_CCtx*>(owner.get());
}

}  // namespace

void ZstdStream::Free::operator()(void* context) const noexcept {
    ZSTD_freeCCtx(static_cast<ZSTD_CCtx*>(context));
}

ZstdStream::ZstdStream() : context_(ZSTD_createCCtx()) {
    if (!context_) throw std::bad_alloc();
    ZSTD_CCtx_setParameter(context_in(context_), ZSTD_c_compressionLevel, level_of_slow_wire);
}

void ZstdStream::run(std::string_view bytes, int directive, std::string& out) {
    ZSTD_inBuffer input{bytes.data(), bytes.size(), 0};
    for (;;) {
        const std::size_t had = out.size(), room = ZSTD_CStreamOutSize();
        out.resize(had + room);
        ZSTD_outBuffer output{out.data() + had, room, 0};
        const std::size_t left =
            ZSTD_compressStream2(context_in(context_), &output, &input, static_cast<ZSTD_EndDirective>(directive));
        out.resize(had + output.pos);
        if (ZSTD_isError(left)) throw Error(Errc::internal, fmt::format("zstd: {}", ZSTD_getErrorName(left)));
        if (directive == ZSTD_e_continue ? input.pos == input.size : left == 0) return;
    }
}

void ZstdStream::push(std::string_view bytes, std::string& out) {
    run(bytes, ZSTD_e_continue, out);
    in_frame_ += bytes.size();
    if (in_frame_ < frame_size || wanted_fast_ == fast_) return;
    // The level may change between frames only; podman reads frame after frame as one stream.
    finish(out);
    fast_ = wanted_fast_;
    ZSTD_CCtx_setParameter(context_in(context_), ZSTD_c_compressionLevel, fast_ ? level_of_fast_wire : level_of_slow_wire);
}

void ZstdStream::finish(std::string& out) {
    run({}, ZSTD_e_end, out);
    in_frame_ = 0;
}

void ZstdStream::set_fast_wire(bool fast) {
    wanted_fast_ = fast;
}

}  // namespace ov
