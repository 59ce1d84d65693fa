// Tells the event loop when a domain ended: libvirt's lifecycle events, carried over from its event thread.
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <memory>

#include "async/event.hpp"
#include "backend/libvirt_handle.hpp"

namespace ov {

/// Registered while it lives. Made and destroyed on a pool thread (both calls go to the daemon); waited for on the loop.
class LibvirtWatch {
public:
    LibvirtWatch(asio::any_io_executor executor, LibvirtConnection connection, LibvirtDomain domain);
    LibvirtWatch(const LibvirtWatch&) = delete;
    LibvirtWatch& operator=(const LibvirtWatch&) = delete;
    ~LibvirtWatch();

    /// Returns when the domain has stopped since the watch was made. A daemon that goes away sends nothing any more: wait in
    /// slices and ask it in between.
    asio::awaitable<void> wait_stopped(Deadline deadline);

private:
    struct State;
    std::shared_ptr<State> state_;
    LibvirtConnection connection_;
    int lifecycle_ = -1;
};

}  // namespace ov
