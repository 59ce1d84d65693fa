#include "ov/deadline.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <map>
#include <vector>

namespace ov {

namespace detail {

struct CancelState {
    bool cancelled = false;
    std::uint64_t next_id = 1;
    std::map<std::uint64_t, std::function<void()>> callbacks;
    CancelRegistration parent;
};

}  // namespace detail

namespace {

void request(detail::CancelState& state) {
    if (state.cancelled) return;
    state.cancelled = true;
    const auto callbacks = std::move(state.callbacks);
    state.callbacks.clear();
    for (const auto& [id, callback] : callbacks) callback();
}

std::string joined(const std::string& prefix, std::string_view word) {
    if (word.empty()) return prefix;
    return prefix.empty() ? std::string(word) : fmt::format("{}: {}", prefix, word);
}

}  // namespace

CancelRegistration::CancelRegistration(CancelRegistration&& other) noexcept
    : state_(std::move(other.state_)), id_(std::exchange(other.id_, 0)) {}

CancelRegistration& CancelRegistration::operator=(CancelRegistration&& other) noexcept {
    if (this != &other) {
        reset();
        state_ = std::move(other.state_);
        id_ = std::exchange(other.id_, 0);
    }
    return *this;
}

void CancelRegistration::reset() noexcept {
    if (id_ == 0) return;
    if (const auto state = state_.lock()) state->callbacks.erase(id_);
    id_ = 0;
}

Deadline Deadline::unlimited(std::string prefix) {
    return {std::make_shared<detail::CancelState>(), Clock::time_point::max(), std::move(prefix)};
}

Deadline Deadline::child(Duration budget, std::string_view word) const {
    auto child = this->child(word);
    // Compared as remaining time: now + budget would overflow for "no limit".
    if (budget < at_ - Clock::now()) child.at_ = Clock::now() + budget;
    return child;
}

Deadline Deadline::child(std::string_view word) const {
    auto state = std::make_shared<detail::CancelState>();
    Deadline child{state, at_, joined(prefix_, word)};
    state->parent = on_cancel([weak = std::weak_ptr(state)] {
        if (const auto locked = weak.lock()) request(*locked);
    });
    return child;
}

bool Deadline::cancelled() const noexcept {
    return state_->cancelled;
}

Deadline::Duration Deadline::left(Clock::time_point now) const noexcept {
    return now >= at_ ? Duration::zero() : at_ - now;
}

void Deadline::check() const {
    if (cancelled() || expired()) raise();
}

void Deadline::raise() const {
    const std::string where = prefix_.empty() ? std::string() : prefix_ + ": ";
    if (cancelled()) throw Error(Errc::cancelled, where + "cancelled");
    throw Error(Errc::timed_out, where + "the time for this is over");
}

void Deadline::cancel() const {
    const auto keep = state_;  // a callback may drop the last other owner
    request(*keep);
}

CancelRegistration Deadline::on_cancel(std::function<void()> callback) const {
    if (state_->cancelled) {
        callback();
        return {};
    }
    const auto id = state_->next_id++;
    state_->callbacks.emplace(id, std::move(callback));
    return {state_, id};
}

}  // namespace ov
