#include "async/event.hpp"

#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

namespace ov {

struct Event::Waiter {
    asio::steady_timer timer;
    bool notified = false;
};

namespace {

/// Takes the waiter off the list on every way out, also when the frame is destroyed with its context.
template <class Waiter>
class Enlisted {
public:
    Enlisted(std::shared_ptr<std::list<Waiter*>> list, Waiter* waiter)
        : list_(std::move(list)), place_(list_->insert(list_->end(), waiter)) {}
    Enlisted(const Enlisted&) = delete;
    Enlisted& operator=(const Enlisted&) = delete;
    ~Enlisted() { list_->erase(place_); }

private:
    std::shared_ptr<std::list<Waiter*>> list_;
    typename std::list<Waiter*>::iterator place_;
};

}  // namespace

asio::awaitable<void> Event::wait(Deadline deadline) {
    deadline.check();
    Waiter waiter{asio::steady_timer(executor_, deadline.at()), false};
    const Enlisted<Waiter> enlisted(waiters_, &waiter);
    const CancelRegistration registration = deadline.on_cancel([&waiter] { waiter.timer.cancel(); });
    asio::error_code ended;
    co_await waiter.timer.async_wait(asio::redirect_error(asio::use_awaitable, ended));
    if (!waiter.notified) deadline.raise();
}

void Event::notify() noexcept {
    for (Waiter* waiter : *waiters_) {
        if (waiter->notified) continue;
        waiter->notified = true;
        waiter->timer.cancel();
    }
}

asio::awaitable<void> sleep_for(Deadline::Duration duration, Deadline deadline) {
    deadline.check();
    const bool fits = duration <= deadline.left();
    asio::steady_timer timer(co_await asio::this_coro::executor);
    if (fits)
        timer.expires_after(duration);
    else
        timer.expires_at(deadline.at());
    const CancelRegistration registration = deadline.on_cancel([&timer] { timer.cancel(); });
    asio::error_code ended;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ended));
    if (deadline.cancelled() || ended || !fits) deadline.raise();
}

}  // namespace ov
