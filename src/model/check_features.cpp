// `libvirt.features` and `libvirt.clock` (`vm-spec.md` 8.1, 8.3).
#include "model/vm_check.hpp"

namespace ov {

namespace {

constexpr std::string_view base = "libvirt.features";

void check_kvm(VmCheck& check, const vm::KvmFeatures& kvm) {
    const std::string path = std::string(base) + ".kvm";
    check.flag(path + ".hidden", kvm.hidden);
    check.flag(path + ".hint_dedicated", kvm.hint_dedicated);
    check.flag(path + ".poll_control", kvm.poll_control);
    check.flag(path + ".pv_ipi", kvm.pv_ipi);
    const long long ring = kvm.dirty_ring_size.value_or(0);
    if (ring != 0 && (ring < 1024 || ring > 65536 || (ring & (ring - 1)) != 0))
        check.error(path + ".dirty_ring_size", fmt::format("expected a power of two from 1024 to 65536, got {}", ring));
}

void check_hyperv(VmCheck& check, const vm::HypervFeatures& hyperv) {
    const std::string path = std::string(base) + ".hyperv";
    const std::pair<std::string_view, const std::string*> flags[] = {
        {"relaxed", &hyperv.relaxed},
        {"vapic", &hyperv.vapic},
        {"vpindex", &hyperv.vpindex},
        {"runtime", &hyperv.runtime},
        {"synic", &hyperv.synic},
        {"stimer", &hyperv.stimer},
        {"reset", &hyperv.reset},
        {"frequencies", &hyperv.frequencies},
        {"reenlightenment", &hyperv.reenlightenment},
        {"tlbflush", &hyperv.tlbflush},
        {"ipi", &hyperv.ipi},
        {"evmcs", &hyperv.evmcs},
        {"spinlocks.state", &hyperv.spinlocks.state},
        {"vendor_id.state", &hyperv.vendor_id.state},
    };
    for (const auto& [key, value] : flags) check.flag(fmt::format("{}.{}", path, key), *value);
    const bool spinlocks = vm::parse_flag(hyperv.spinlocks.state).value_or(false);
    if (hyperv.spinlocks.retries && *hyperv.spinlocks.retries < 4095)
        check.error(path + ".spinlocks.retries", fmt::format("expected at least 4095, got {}", *hyperv.spinlocks.retries));
    if (spinlocks && !hyperv.spinlocks.retries)
        check.error(path + ".spinlocks", "the key retries is missing: spinlocks need a number of at least 4095");
    if (hyperv.spinlocks.retries && !spinlocks) check.error(path + ".spinlocks", "retries has no meaning without state: on");
    const bool vendor = vm::parse_flag(hyperv.vendor_id.state).value_or(false);
    const std::string& id = hyperv.vendor_id.value;
    if (id.size() > 12) check.error(path + ".vendor_id.value", fmt::format("expected at most 12 characters, got '{}'", id));
    if (id.find(',') != std::string::npos) check.error(path + ".vendor_id.value", "must not contain a comma");
    if (vendor && id.empty()) check.error(path + ".vendor_id", "the key value is missing: the text that the guest sees");
    if (!vendor && !id.empty()) check.error(path + ".vendor_id", "value has no meaning without state: on");
}

void check_timer(VmCheck& check, const vm::Timer& timer, const std::string& path) {
    if (check.need(path, "name", timer.name, "one of rtc|pit|hpet|tsc|kvmclock|hypervclock|armvtimer"))
        check.one_of(path + ".name", timer.name, {"rtc", "pit", "hpet", "tsc", "kvmclock", "hypervclock", "armvtimer"});
    check.flag(path + ".present", timer.present);
    if (check.one_of(path + ".track", timer.track, {"boot", "guest", "wall", "realtime"}) && !timer.track.empty()) {
        if (timer.name != "rtc")
            check.error(path + ".track", "only the timer rtc has a track");
        else if (timer.track == "boot" || timer.track == "realtime")
            check.error(path + ".track", fmt::format("QEMU's rtc tracks guest or wall, not {}", timer.track));
    }
    if (check.one_of(path + ".tickpolicy", timer.tickpolicy, {"delay", "catchup", "merge", "discard"})) {
        const std::string& policy = timer.tickpolicy;
        const bool bad = (timer.name == "rtc" && (policy == "merge" || policy == "discard")) ||
                         (timer.name == "pit" && (policy == "merge" || policy == "catchup")) ||
                         (timer.name == "hpet" && !policy.empty() && policy != "delay");
        if (bad)
            check.error(path + ".tickpolicy", fmt::format("QEMU's {} does not know {}; it takes {}", timer.name, policy,
                                                          timer.name == "rtc"   ? "delay and catchup"
                                                          : timer.name == "pit" ? "delay and discard"
                                                                                : "delay"));
    }
    check.one_of(path + ".mode", timer.mode, {"auto", "native", "emulate", "paravirt", "smpsafe"});
    check.in_range(path + ".frequency", timer.frequency, 0, 1'000'000'000'000);
    if (timer.name == "tsc") return;
    check.refuse(path + ".mode", !timer.mode.empty(), "only the timer tsc has a mode");
    check.refuse(path + ".frequency", timer.frequency.value_or(0) != 0, "only the timer tsc has a frequency");
}

}  // namespace

void check_features(VmCheck& check) {
    const vm::Features& features = check.spec.libvirt.features;
    if (!features.ibs.empty()) {
        check.one_of(std::string(base) + ".ibs", features.ibs, {"broken", "workaround", "fixed-ibs", "fixed-ccd", "fixed-na"});
        if (!check.arch.starts_with("ppc64"))
            check.error(std::string(base) + ".ibs", fmt::format("is for pSeries machines, this is {}", check.arch));
    }
    check_kvm(check, features.kvm);
    check_hyperv(check, features.hyperv);
}

void check_clock(VmCheck& check) {
    const vm::Clock& clock = check.spec.libvirt.clock;
    check.one_of("libvirt.clock.offset", clock.offset, {"utc", "localtime", "timezone", "variable", "absolute"});
    const std::string offset = clock.offset.empty() ? "utc" : clock.offset;
    if (offset == "timezone" && clock.timezone.empty())
        check.error("libvirt.clock", "the key timezone is missing: offset: timezone needs a name like Europe/Berlin");
    check.refuse("libvirt.clock.timezone", offset != "timezone" && !clock.timezone.empty(), "is for offset: timezone only");
    check.refuse("libvirt.clock.basis", offset != "variable" && !clock.basis.empty(), "is for offset: variable only");
    check.one_of("libvirt.clock.basis", clock.basis, {"utc", "localtime"});
    if (!clock.adjustment.empty()) {
        if (offset == "variable")
            check.number("libvirt.clock.adjustment", clock.adjustment, -2'000'000'000, 2'000'000'000);
        else if ((offset != "utc" && offset != "localtime") || clock.adjustment != "reset")
            check.error("libvirt.clock.adjustment",
                        "seconds are for offset: variable; with utc and localtime the one value is reset");
    }
    if (offset == "absolute" && !clock.start)
        check.error("libvirt.clock", "the key start is missing: offset: absolute needs the seconds since 1970");
    check.refuse("libvirt.clock.start", offset != "absolute" && clock.start.has_value(), "is for offset: absolute only");
    for (std::size_t i = 0; i < clock.timers.size(); ++i)
        check_timer(check, clock.timers[i], item_path("libvirt.clock.timers", i));
}

}  // namespace ov
